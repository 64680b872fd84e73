package eval

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Bounds of a source text before it may be parsed: hcl's parsers recurse, and
// a Go stack that overflows ends the process, whatever is deferred.
const (
	MaxDepth     = 100  // nested brackets, templates and quotes
	MaxOperators = 1000 // operators between two separators at one depth
)

// ScanTokens refuses native syntax whose parsing or evaluation would exhaust
// the stack: more than MaxDepth levels of nesting, more than MaxOperators
// operators in a row, numbers with an exponent above 308. It must run before
// any hcl parser sees untrusted bytes; the lexer that it uses does not
// recurse. What is merely not valid HCL passes: the parser's own words are
// better.
func ScanTokens(src []byte, filename string) hcl.Diagnostics {
	tokens, _ := hclsyntax.LexConfig(src, filename, hcl.InitialPos)
	return diagnostics(scanTokens(tokens, MaxOperators))
}

// ScanTemplate is ScanTokens for the bare text of a template, as it stands in
// a string of JSON syntax.
func ScanTemplate(src []byte, filename string) hcl.Diagnostics {
	tokens, _ := hclsyntax.LexTemplate(src, filename, hcl.InitialPos)
	return diagnostics(scanTokens(tokens, MaxOperators))
}

func diagnostics(d *hcl.Diagnostic) hcl.Diagnostics {
	if d == nil {
		return nil
	}
	return hcl.Diagnostics{d}
}

// tokenScan counts nesting and runs of operators. runs[i] is the number of
// operators seen since the last separator at depth i.
type tokenScan struct {
	depth int
	limit int // of operators
	runs  [MaxDepth + 1]int
}

func scanTokens(tokens hclsyntax.Tokens, operators int) *hcl.Diagnostic {
	s := tokenScan{limit: operators}
	for i := range tokens {
		tok := &tokens[i]
		if summary, detail := s.step(tok); summary != "" {
			return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: tok.Range.Ptr()}
		}
	}
	return nil
}

func (s *tokenScan) step(tok *hclsyntax.Token) (summary, detail string) {
	switch tok.Type {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
		hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		if s.depth++; s.depth > MaxDepth {
			return tooDeep, tooDeepDetail
		}
		// An opening bracket is also an operator of what it stands in:
		// f(1)(2)(3) and a[1][2][3] chain without any separator.
		s.runs[s.depth-1]++
		s.runs[s.depth] = 0
		return s.checkRun(s.depth - 1)
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
		hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
		if s.depth > 0 {
			s.depth--
		}
	case hclsyntax.TokenComma, hclsyntax.TokenEqual, hclsyntax.TokenFatArrow, hclsyntax.TokenNewline:
		return s.separator(tok)
	case hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit:
		s.runs[s.depth] = 0
	case hclsyntax.TokenNumberLit:
		if !numberLiteralInRange(tok.Bytes) {
			return numberRange, numberRangeDetail
		}
	case hclsyntax.TokenIdent:
		// "%{ if … }" and its like nest without brackets.
		return s.keyword(tok)
	default:
		if isOperator(tok.Type) {
			s.runs[s.depth]++
			return s.checkRun(s.depth)
		}
	}
	return "", ""
}

// separator ends a run, except a line break within brackets, where a long
// expression goes on.
func (s *tokenScan) separator(tok *hclsyntax.Token) (summary, detail string) {
	if tok.Type != hclsyntax.TokenNewline || s.depth == 0 {
		s.runs[s.depth] = 0
	}
	return "", ""
}

func (s *tokenScan) keyword(tok *hclsyntax.Token) (summary, detail string) {
	switch string(tok.Bytes) {
	case "if", "for", "else", "endif", "endfor":
		if s.depth > 0 {
			s.runs[s.depth-1]++
			return s.checkRun(s.depth - 1)
		}
	}
	return "", ""
}

func (s *tokenScan) checkRun(depth int) (summary, detail string) {
	if s.runs[depth] > s.limit {
		return tooLong, tooLongDetail
	}
	return "", ""
}

const (
	tooDeep     = "Expression nested too deeply"
	tooLong     = "Expression too long"
	numberRange = "Number out of range"
)

var (
	tooDeepDetail     = fmt.Sprintf("Brackets, quotes and templates may be nested %d levels deep. Move inner parts to locals.", MaxDepth)
	tooLongDetail     = fmt.Sprintf("One expression may hold %d operators in a row. Move parts of it to locals, or use a function such as join or sum.", MaxOperators)
	numberRangeDetail = fmt.Sprintf("Numbers may have an exponent of at most %d.", maxExponent)
)

func isOperator(t hclsyntax.TokenType) bool {
	switch t {
	case hclsyntax.TokenStar, hclsyntax.TokenSlash, hclsyntax.TokenPlus, hclsyntax.TokenMinus, hclsyntax.TokenPercent,
		hclsyntax.TokenEqualOp, hclsyntax.TokenNotEqual, hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq,
		hclsyntax.TokenGreaterThan, hclsyntax.TokenGreaterThanEq, hclsyntax.TokenAnd, hclsyntax.TokenOr,
		hclsyntax.TokenBang, hclsyntax.TokenQuestion, hclsyntax.TokenColon, hclsyntax.TokenDot,
		hclsyntax.TokenDoubleColon, hclsyntax.TokenEllipsis:
		return true
	}
	return false
}

// numberLiteralInRange looks at the written form alone, since the value of
// 1e1000000000 is the thing to avoid.
func numberLiteralInRange(lit []byte) bool {
	mantissa, exponent, found := bytes.Cut(bytes.ToLower(lit), []byte("e"))
	digits := len(mantissa)
	if dot := bytes.IndexByte(mantissa, '.'); dot >= 0 {
		digits = dot
	}
	if digits > maxExponent || len(mantissa) > 4*maxExponent {
		return false
	}
	if !found {
		return true
	}
	n, err := strconv.Atoi(string(bytes.TrimPrefix(exponent, []byte("+"))))
	return err == nil && math.Abs(float64(n)) <= maxExponent
}

// ScanJSON is ScanTokens for JSON syntax: depth, numbers, and the templates and
// expressions that its strings may be.
func ScanJSON(src []byte, filename string) hcl.Diagnostics {
	if d := scanJSON(src, filename, true); d != nil {
		return hcl.Diagnostics{d}
	}
	return nil
}

// scanJSONValue is ScanJSON for JSON whose strings are just strings.
func scanJSONValue(src []byte) *hcl.Diagnostic { return scanJSON(src, "", false) }

func scanJSON(src []byte, filename string, templates bool) *hcl.Diagnostic {
	depth, line, lineStart := 0, 1, 0
	for i := 0; i < len(src); i++ {
		problem, detail, at := "", "", i
		switch c := src[i]; {
		case c == '\n':
			line, lineStart = line+1, i+1
		case c == '"':
			i = skipJSONString(src, i)
			if templates {
				problem, detail = scanJSONString(src[at:min(i+1, len(src))])
			}
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				problem, detail = tooDeep, fmt.Sprintf("Arrays and objects may be nested %d levels deep.", MaxDepth)
			}
		case c == '}' || c == ']':
			depth = max(depth-1, 0)
		case c >= '0' && c <= '9':
			for i+1 < len(src) && isJSONNumberByte(src[i+1]) {
				i++
			}
			if !numberLiteralInRange(src[at : i+1]) {
				problem, detail = numberRange, numberRangeDetail
			}
		}
		if problem != "" {
			pos := hcl.Pos{Line: line, Column: at - lineStart + 1, Byte: at}
			return &hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: problem, Detail: detail,
				Subject: &hcl.Range{Filename: filename, Start: pos, End: pos},
			}
		}
	}
	return nil
}

func skipJSONString(src []byte, i int) int {
	for i++; i < len(src) && src[i] != '"' && src[i] != '\n'; i++ {
		if src[i] == '\\' {
			i++
		}
	}
	return i
}

func isJSONNumberByte(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-'
}

// maxPlainOperators bounds the operators of a string that is not known to be
// an expression: it may well be a long text.
const maxPlainOperators = 10 * MaxOperators

// scanJSONString scans a quoted string both as a template and as an
// expression: which of the two it is depends on where it stands.
func scanJSONString(quoted []byte) (summary, detail string) {
	if len(quoted) <= MaxDepth {
		return "", ""
	}
	var text string
	if json.Unmarshal(quoted, &text) != nil {
		return "", "" // not valid JSON: its parser will say so
	}
	if strings.Contains(text, "${") || strings.Contains(text, "%{") {
		if diags := ScanTemplate([]byte(text), ""); diags.HasErrors() {
			return diags[0].Summary, diags[0].Detail
		}
	}
	tokens, _ := hclsyntax.LexExpression([]byte(text), "", hcl.InitialPos)
	if d := scanTokens(tokens, maxPlainOperators); d != nil && d.Summary != numberRange {
		return d.Summary, d.Detail
	}
	return "", ""
}

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

// Limits on a source text before it may be parsed: hcl's parsers are recursive, and a
// Go stack overflow ends the process, which no deferred call can prevent.
const (
	maxDepth     = 100  // nested brackets, templates and quotes
	maxOperators = 1000 // operators between two separators at one depth
)

// ScanTokens refuses native syntax whose parsing or evaluation would exhaust the
// stack: more than maxDepth levels of nesting, more than maxOperators operators in a
// row, numbers with an exponent above 308. It must run before any hcl parser sees
// untrusted bytes; the lexer that it uses is not recursive. Text that is just not
// valid HCL passes, because the parser explains that better.
func ScanTokens(src []byte, filename string) hcl.Diagnostics {
	tokens, _ := hclsyntax.LexConfig(src, filename, hcl.InitialPos)
	return diagnostics(scanTokens(tokens, maxOperators))
}

// ScanTemplate is ScanTokens for the bare text of a template, as it stands in
// a string of JSON syntax.
func ScanTemplate(src []byte, filename string) hcl.Diagnostics {
	tokens, _ := hclsyntax.LexTemplate(src, filename, hcl.InitialPos)
	return diagnostics(scanTokens(tokens, maxOperators))
}

func diagnostics(d *hcl.Diagnostic) hcl.Diagnostics {
	if d == nil {
		return nil
	}
	return hcl.Diagnostics{d}
}

// tokenScan counts nesting and runs of operators.
type tokenScan struct {
	limit  int // of operators
	depth  int
	levels [maxDepth + 1]scanLevel
	open   int // "%{if}" and "%{for}" that are not ended, at all levels
	last   hclsyntax.TokenType
}

// scanLevel is what is known of the innermost bracket.
type scanLevel struct {
	opener   hclsyntax.TokenType
	run      int // operators since the last separator
	controls int // "%{if}" and "%{for}" that are not ended
}

func scanTokens(tokens hclsyntax.Tokens, operators int) *hcl.Diagnostic {
	s := tokenScan{limit: operators}
	for i := range tokens {
		tok := &tokens[i]
		summary, detail := s.step(tok)
		s.last = tok.Type
		if summary != "" {
			return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: tok.Range.Ptr()}
		}
	}
	return nil
}

func (s *tokenScan) step(tok *hclsyntax.Token) (summary, detail string) {
	switch tok.Type {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
		hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		return s.opened(tok.Type)
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
		hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
		s.open -= s.levels[s.depth].controls
		s.levels[s.depth].controls = 0
		s.depth = max(s.depth-1, 0)
	case hclsyntax.TokenNewline:
		// Inside brackets and parentheses an expression continues on the next line.
		if level := &s.levels[s.depth]; s.depth == 0 || level.opener == hclsyntax.TokenOBrace {
			level.run = 0
		}
	case hclsyntax.TokenComma, hclsyntax.TokenEqual, hclsyntax.TokenFatArrow, hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit:
		s.levels[s.depth].run = 0
	case hclsyntax.TokenNumberLit:
		if !numberLiteralInRange(tok.Bytes) {
			return numberRange, numberRangeDetail
		}
	case hclsyntax.TokenIdent:
		if s.last == hclsyntax.TokenTemplateControl {
			return s.control(string(tok.Bytes))
		}
	default:
		if isOperator(tok.Type) {
			return s.operator()
		}
	}
	return "", ""
}

// opened goes one level down. A bracket also counts as an operator of the level
// outside it: a[1][2][3] chains without any separator.
func (s *tokenScan) opened(opener hclsyntax.TokenType) (summary, detail string) {
	if summary, detail = s.operator(); summary != "" {
		return summary, detail
	}
	if s.depth+s.open >= maxDepth {
		return tooDeep, tooDeepDetail
	}
	s.depth++
	s.levels[s.depth] = scanLevel{opener: opener}
	return "", ""
}

// control handles the keyword of a "%{…}" in the template one level up. Everything up
// to its end is nested in it, without any bracket.
func (s *tokenScan) control(keyword string) (summary, detail string) {
	template := &s.levels[max(s.depth-1, 0)]
	switch keyword {
	case "if", "for":
		template.controls++
		s.open++
	case "endif", "endfor":
		if template.controls > 0 {
			template.controls--
			s.open--
		}
	}
	if s.depth+s.open > maxDepth {
		return tooDeep, tooDeepDetail
	}
	return "", ""
}

func (s *tokenScan) operator() (summary, detail string) {
	if s.levels[s.depth].run++; s.levels[s.depth].run > s.limit {
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
	tooDeepDetail     = fmt.Sprintf("Brackets, quotes and templates may be nested %d levels deep. Move inner parts to locals.", maxDepth)
	tooLongDetail     = fmt.Sprintf("One expression may hold %d operators in a row. Move parts of it to locals, or use a function such as join or sum.", maxOperators)
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

// numberLiteralInRange looks only at the written form, because computing the value of
// 1e1000000000 is what must not happen.
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
			if depth++; depth > maxDepth {
				problem, detail = tooDeep, fmt.Sprintf("Arrays and objects may be nested %d levels deep.", maxDepth)
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

// maxPlainOperators bounds the operators of a string that may not be an expression,
// but a long text.
const maxPlainOperators = 10 * maxOperators

// scanJSONString scans a quoted string both as a template and as an expression: its
// place in the file decides which of the two it is.
func scanJSONString(quoted []byte) (summary, detail string) {
	if len(quoted) <= maxDepth {
		return "", ""
	}
	var text string
	if json.Unmarshal(quoted, &text) != nil {
		return "", "" // not valid JSON: the parser reports that
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

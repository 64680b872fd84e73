package lang

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/handbill/handbill/lang/eval"
)

// sourceOf is the source text of an expression after substitution, in
// canonical form. It identifies a slot: equal texts are equal expressions.
func sourceOf(e hclsyntax.Expression) string {
	var p printer
	p.expr(e)
	return p.String()
}

// templateOf returns an expression as the inside of a template: constant texts as
// they are, the rest in ${…}.
func templateOf(e hclsyntax.Expression) string {
	var p printer
	p.template(e)
	return p.String()
}

type printer struct{ strings.Builder }

func (p *printer) template(e hclsyntax.Expression) {
	switch e := e.(type) {
	case *hclsyntax.TemplateExpr:
		for _, part := range e.Parts {
			p.template(part)
		}
		return
	case *hclsyntax.TemplateWrapExpr:
		p.template(e.Wrapped)
		return
	case *hclsyntax.LiteralValueExpr:
		if s, ok := literalText(e.Val); ok {
			p.WriteString(s)
			return
		}
	}
	p.WriteString("${")
	p.expr(e)
	p.WriteString("}")
}

// literalText is a constant as a template writes it.
func literalText(v cty.Value) (string, bool) {
	if eval.IsSensitive(v) {
		return "(sensitive value)", true
	}
	v, _ = v.Unmark()
	if !v.IsKnown() || v.IsNull() {
		return "", false
	}
	s, err := convert.Convert(v, cty.String)
	if err != nil || s.IsNull() {
		return "", false
	}
	return s.AsString(), true
}

func (p *printer) expr(e hclsyntax.Expression) {
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		p.literal(e.Val)
	case *hclsyntax.ScopeTraversalExpr:
		p.WriteString(e.Traversal.RootName())
		p.steps(e.Traversal[1:])
	case *hclsyntax.RelativeTraversalExpr:
		p.expr(e.Source)
		p.steps(e.Traversal)
	case *hclsyntax.ParenthesesExpr:
		p.between("(", e.Expression, ")")
	case *hclsyntax.FunctionCallExpr:
		p.WriteString(e.Name)
		p.list("(", e.Args, "")
		if e.ExpandFinal {
			p.WriteString("...")
		}
		p.WriteString(")")
	case *hclsyntax.ConditionalExpr:
		p.operand(e.Condition)
		p.WriteString(" ? ")
		p.operand(e.TrueResult)
		p.WriteString(" : ")
		p.operand(e.FalseResult)
	case *hclsyntax.BinaryOpExpr:
		p.operand(e.LHS)
		p.WriteString(" " + operators[e.Op] + " ")
		p.operand(e.RHS)
	case *hclsyntax.UnaryOpExpr:
		p.WriteString(unaryOperators[e.Op])
		p.operand(e.Val)
	case *hclsyntax.TemplateExpr:
		p.quoted(e)
	case *hclsyntax.TemplateWrapExpr:
		p.expr(e.Wrapped)
	case *hclsyntax.TemplateJoinExpr:
		p.between(`join("", `, e.Tuple, ")")
	default:
		p.collection(e)
	}
}

func (p *printer) collection(e hclsyntax.Expression) {
	switch e := e.(type) {
	case *hclsyntax.TupleConsExpr:
		p.list("[", e.Exprs, "]")
	case *hclsyntax.ObjectConsExpr:
		p.object(e)
	case *hclsyntax.IndexExpr:
		p.expr(e.Collection)
		p.between("[", e.Key, "]")
	case *hclsyntax.SplatExpr:
		p.expr(e.Source)
		p.WriteString("[*]")
		p.expr(e.Each)
	case *hclsyntax.ForExpr:
		p.forExpr(e)
	case *hclsyntax.ObjectConsKeyExpr:
		p.key(e)
	case *hclsyntax.AnonSymbolExpr:
		// The symbol of a splat is written by the expression before it.
	}
}

// operand puts parentheses around what binds less tightly than its place. After a
// substitution only the tree shows what belongs together.
func (p *printer) operand(e hclsyntax.Expression) {
	switch e.(type) {
	case *hclsyntax.BinaryOpExpr, *hclsyntax.ConditionalExpr:
		p.between("(", e, ")")
	default:
		p.expr(e)
	}
}

func (p *printer) between(open string, e hclsyntax.Expression, end string) {
	p.WriteString(open)
	p.expr(e)
	p.WriteString(end)
}

func (p *printer) list(open string, items []hclsyntax.Expression, end string) {
	p.WriteString(open)
	for i, item := range items {
		if i > 0 {
			p.WriteString(", ")
		}
		p.expr(item)
	}
	p.WriteString(end)
}

func (p *printer) object(e *hclsyntax.ObjectConsExpr) {
	if len(e.Items) == 0 {
		p.WriteString("{}")
		return
	}
	p.WriteString("{ ")
	for i, item := range e.Items {
		if i > 0 {
			p.WriteString(", ")
		}
		p.expr(item.KeyExpr)
		p.WriteString(" = ")
		p.expr(item.ValueExpr)
	}
	p.WriteString(" }")
}

func (p *printer) key(e *hclsyntax.ObjectConsKeyExpr) {
	if word := hcl.ExprAsKeyword(e.Wrapped); word != "" && !e.ForceNonLiteral {
		p.WriteString(word)
		return
	}
	if _, isTemplate := e.Wrapped.(*hclsyntax.TemplateExpr); isTemplate {
		if v, diags := e.Wrapped.Value(nil); !diags.HasErrors() && hclsyntax.ValidIdentifier(v.AsString()) {
			p.WriteString(v.AsString())
			return
		}
		p.expr(e.Wrapped)
		return
	}
	p.between("(", unwrap(e.Wrapped), ")")
}

func (p *printer) forExpr(e *hclsyntax.ForExpr) {
	open, end := "[for ", "]"
	if e.KeyExpr != nil {
		open, end = "{for ", "}"
	}
	p.WriteString(open)
	if e.KeyVar != "" {
		p.WriteString(e.KeyVar + ", ")
	}
	p.between(e.ValVar+" in ", e.CollExpr, " : ")
	if e.KeyExpr != nil {
		p.between("", e.KeyExpr, " => ")
	}
	p.expr(e.ValExpr)
	if e.Group {
		p.WriteString("...")
	}
	if e.CondExpr != nil {
		p.between(" if ", e.CondExpr, "")
	}
	p.WriteString(end)
}

func (p *printer) steps(t hcl.Traversal) {
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseAttr:
			p.WriteString("." + step.Name)
		case hcl.TraverseIndex:
			p.WriteString("[")
			p.literal(step.Key)
			p.WriteString("]")
		}
	}
}

// quoted prints a template as a quoted string.
func (p *printer) quoted(e *hclsyntax.TemplateExpr) {
	p.WriteString(`"`)
	for _, part := range e.Parts {
		if lit, ok := part.(*hclsyntax.LiteralValueExpr); ok {
			if s, ok := literalText(lit.Val); ok {
				q := literalSource(cty.StringVal(s))
				p.WriteString(q[1 : len(q)-1])
				continue
			}
		}
		p.between("${", part, "}")
	}
	p.WriteString(`"`)
}

func (p *printer) literal(v cty.Value) { p.WriteString(literalSource(v)) }

func literalSource(v cty.Value) string {
	if eval.IsSensitive(v) {
		return "(sensitive value)"
	}
	v, _ = v.UnmarkDeep()
	if !v.IsWhollyKnown() {
		return "(not known)"
	}
	if v.Type().IsCapsuleType() {
		return "(opaque)"
	}
	return strings.TrimSpace(string(hclwrite.TokensForValue(v).Bytes()))
}

var operators = map[*hclsyntax.Operation]string{
	hclsyntax.OpLogicalOr: "||", hclsyntax.OpLogicalAnd: "&&", hclsyntax.OpEqual: "==", hclsyntax.OpNotEqual: "!=",
	hclsyntax.OpGreaterThan: ">", hclsyntax.OpGreaterThanOrEqual: ">=", hclsyntax.OpLessThan: "<", hclsyntax.OpLessThanOrEqual: "<=",
	hclsyntax.OpAdd: "+", hclsyntax.OpSubtract: "-", hclsyntax.OpMultiply: "*", hclsyntax.OpDivide: "/", hclsyntax.OpModulo: "%",
}

var unaryOperators = map[*hclsyntax.Operation]string{hclsyntax.OpNegate: "-", hclsyntax.OpLogicalNot: "!"}

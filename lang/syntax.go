package lang

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang/eval"
)

// toSyntax turns an expression of either syntax into native nodes, so that
// everything after it (scopes, substitution, compilation, printing) knows one
// form only.
func toSyntax(e hcl.Expression) (hclsyntax.Expression, hcl.Diagnostics) {
	if native, ok := e.(hclsyntax.Expression); ok {
		return native, nil
	}
	if list, diags := hcl.ExprList(e); !diags.HasErrors() {
		return tupleSyntax(e, list)
	}
	if pairs, diags := hcl.ExprMap(e); !diags.HasErrors() {
		return objectSyntax(e, pairs)
	}
	v, diags := e.Value(nil)
	if diags.HasErrors() {
		return null(e.Range()), diags
	}
	if v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
		return templateSyntax(v.AsString(), e.Range())
	}
	return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: e.Range()}, diags
}

func null(rng hcl.Range) hclsyntax.Expression {
	return &hclsyntax.LiteralValueExpr{Val: cty.DynamicVal, SrcRange: rng}
}

func tupleSyntax(e hcl.Expression, list []hcl.Expression) (hclsyntax.Expression, hcl.Diagnostics) {
	out := &hclsyntax.TupleConsExpr{SrcRange: e.Range(), OpenRange: e.StartRange()}
	var diags hcl.Diagnostics
	for _, item := range list {
		s, more := toSyntax(item)
		diags = append(diags, more...)
		out.Exprs = append(out.Exprs, s)
	}
	return out, diags
}

func objectSyntax(e hcl.Expression, pairs []hcl.KeyValuePair) (hclsyntax.Expression, hcl.Diagnostics) {
	out := &hclsyntax.ObjectConsExpr{SrcRange: e.Range(), OpenRange: e.StartRange()}
	var diags hcl.Diagnostics
	for _, pair := range pairs {
		key, more := toSyntax(pair.Key)
		diags = append(diags, more...)
		value, more := toSyntax(pair.Value)
		diags = append(diags, more...)
		out.Items = append(out.Items, hclsyntax.ObjectConsItem{
			KeyExpr:   &hclsyntax.ObjectConsKeyExpr{Wrapped: key, ForceNonLiteral: true},
			ValueExpr: value,
		})
	}
	return out, diags
}

// templateSyntax parses a string of JSON syntax as hcl does; columns are off
// by the escapes within it.
func templateSyntax(text string, rng hcl.Range) (hclsyntax.Expression, hcl.Diagnostics) {
	if diags := eval.ScanTemplate([]byte(text), rng.Filename); diags.HasErrors() {
		return null(rng), diags
	}
	start := rng.Start
	start.Byte, start.Column = start.Byte+1, start.Column+1
	return hclsyntax.ParseTemplate([]byte(text), rng.Filename, start)
}

// replacer gives the replacement of a reference, or nil to keep it.
type replacer func(*hclsyntax.ScopeTraversalExpr) hclsyntax.Expression

// substitute copies e with its references replaced. Names that a for
// expression binds hide outer ones and are left alone.
func substitute(e hclsyntax.Expression, replace replacer) hclsyntax.Expression {
	s := substitution{replace: replace}
	return s.expr(e)
}

// fold copies e, and replaces its index expressions where index returns a
// replacement.
func fold(e hclsyntax.Expression, index func(*hclsyntax.IndexExpr) hclsyntax.Expression) hclsyntax.Expression {
	s := substitution{replace: func(*hclsyntax.ScopeTraversalExpr) hclsyntax.Expression { return nil }, index: index}
	return s.expr(e)
}

type substitution struct {
	replace replacer
	index   func(*hclsyntax.IndexExpr) hclsyntax.Expression // nil to keep them
	hidden  []string
}

func (s *substitution) expr(e hclsyntax.Expression) hclsyntax.Expression {
	switch e := e.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return s.reference(e)
	case *hclsyntax.RelativeTraversalExpr:
		if s.index != nil {
			return follow(s.expr(e.Source), e.Traversal, e.SrcRange)
		}
		return &hclsyntax.RelativeTraversalExpr{Source: s.expr(e.Source), Traversal: e.Traversal, SrcRange: e.SrcRange}
	case *hclsyntax.ParenthesesExpr:
		return &hclsyntax.ParenthesesExpr{Expression: s.expr(e.Expression), SrcRange: e.SrcRange}
	case *hclsyntax.FunctionCallExpr:
		c := *e
		c.Args = s.list(e.Args)
		return &c
	case *hclsyntax.ConditionalExpr:
		return &hclsyntax.ConditionalExpr{
			Condition: s.expr(e.Condition), TrueResult: s.expr(e.TrueResult), FalseResult: s.expr(e.FalseResult), SrcRange: e.SrcRange,
		}
	case *hclsyntax.BinaryOpExpr:
		return &hclsyntax.BinaryOpExpr{LHS: s.expr(e.LHS), Op: e.Op, RHS: s.expr(e.RHS), SrcRange: e.SrcRange}
	case *hclsyntax.UnaryOpExpr:
		return &hclsyntax.UnaryOpExpr{Op: e.Op, Val: s.expr(e.Val), SrcRange: e.SrcRange, SymbolRange: e.SymbolRange}
	case *hclsyntax.TemplateExpr:
		return &hclsyntax.TemplateExpr{Parts: s.list(e.Parts), SrcRange: e.SrcRange}
	case *hclsyntax.TemplateWrapExpr:
		return &hclsyntax.TemplateWrapExpr{Wrapped: s.expr(e.Wrapped), SrcRange: e.SrcRange}
	case *hclsyntax.TemplateJoinExpr:
		return &hclsyntax.TemplateJoinExpr{Tuple: s.expr(e.Tuple)}
	}
	return s.collection(e)
}

func (s *substitution) collection(e hclsyntax.Expression) hclsyntax.Expression {
	switch e := e.(type) {
	case *hclsyntax.TupleConsExpr:
		return &hclsyntax.TupleConsExpr{Exprs: s.list(e.Exprs), SrcRange: e.SrcRange, OpenRange: e.OpenRange}
	case *hclsyntax.ObjectConsExpr:
		c := *e
		c.Items = make([]hclsyntax.ObjectConsItem, len(e.Items))
		for i, item := range e.Items {
			c.Items[i] = hclsyntax.ObjectConsItem{KeyExpr: s.key(item.KeyExpr), ValueExpr: s.expr(item.ValueExpr)}
		}
		return &c
	case *hclsyntax.IndexExpr:
		c := *e
		c.Collection, c.Key = s.expr(e.Collection), s.expr(e.Key)
		if s.index != nil {
			if r := s.index(&c); r != nil {
				return r
			}
		}
		return &c
	case *hclsyntax.SplatExpr:
		c := *e
		c.Source, c.Each = s.expr(e.Source), s.expr(e.Each)
		return &c
	case *hclsyntax.ForExpr:
		return s.forExpr(e)
	}
	return e // literals, and the symbol of a splat
}

// key leaves a bare word unchanged: it is a literal.
func (s *substitution) key(e hclsyntax.Expression) hclsyntax.Expression {
	k, ok := e.(*hclsyntax.ObjectConsKeyExpr)
	if !ok {
		return s.expr(e)
	}
	if !k.ForceNonLiteral && hcl.ExprAsKeyword(k.Wrapped) != "" {
		return k
	}
	return &hclsyntax.ObjectConsKeyExpr{Wrapped: s.expr(k.Wrapped), ForceNonLiteral: k.ForceNonLiteral}
}

func (s *substitution) forExpr(e *hclsyntax.ForExpr) hclsyntax.Expression {
	c := *e
	c.CollExpr = s.expr(e.CollExpr)
	inner := substitution{replace: s.replace, index: s.index, hidden: append(append([]string{}, s.hidden...), e.KeyVar, e.ValVar)}
	if e.KeyExpr != nil {
		c.KeyExpr = inner.expr(e.KeyExpr)
	}
	c.ValExpr = inner.expr(e.ValExpr)
	if e.CondExpr != nil {
		c.CondExpr = inner.expr(e.CondExpr)
	}
	return &c
}

func (s *substitution) list(in []hclsyntax.Expression) []hclsyntax.Expression {
	out := make([]hclsyntax.Expression, len(in))
	for i, e := range in {
		out[i] = s.expr(e)
	}
	return out
}

func (s *substitution) reference(e *hclsyntax.ScopeTraversalExpr) hclsyntax.Expression {
	for _, name := range s.hidden {
		if name == e.Traversal.RootName() {
			return e
		}
	}
	if r := s.replace(e); r != nil {
		return r
	}
	return e
}

// follow appends the steps of a reference to base.
func follow(base hclsyntax.Expression, steps hcl.Traversal, rng hcl.Range) hclsyntax.Expression {
	if len(steps) == 0 {
		return base
	}
	if ref, ok := base.(*hclsyntax.ScopeTraversalExpr); ok {
		joined := append(append(hcl.Traversal{}, ref.Traversal...), steps...)
		return &hclsyntax.ScopeTraversalExpr{Traversal: joined, SrcRange: rng}
	}
	return &hclsyntax.RelativeTraversalExpr{Source: base, Traversal: steps, SrcRange: rng}
}

// unwrap removes parentheses and "${…}" around a whole expression.
func unwrap(e hclsyntax.Expression) hclsyntax.Expression {
	for {
		switch w := e.(type) {
		case *hclsyntax.ParenthesesExpr:
			e = w.Expression
		case *hclsyntax.TemplateWrapExpr:
			e = w.Wrapped
		default:
			return e
		}
	}
}

// stepName returns the name to which step i of a reference leads: .name or ["name"].
func stepName(t hcl.Traversal, i int) (string, bool) {
	if i >= len(t) {
		return "", false
	}
	switch step := t[i].(type) {
	case hcl.TraverseAttr:
		return step.Name, true
	case hcl.TraverseIndex:
		if step.Key.Type() == cty.String && step.Key.IsKnown() && !step.Key.IsNull() {
			return step.Key.AsString(), true
		}
	}
	return "", false
}

// asTraversal returns the reference that e is; ok is false for anything else.
func asTraversal(e hclsyntax.Expression) (hcl.Traversal, bool) {
	switch e := unwrap(e).(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return e.Traversal, true
	case *hclsyntax.TemplateExpr:
		return jsonTraversal(e)
	}
	return nil, false
}

// jsonTraversal is the reference that a string of JSON syntax holds, as in
// "audience": "audience.subscribers".
func jsonTraversal(e *hclsyntax.TemplateExpr) (hcl.Traversal, bool) {
	if len(e.Parts) != 1 || !strings.HasSuffix(e.SrcRange.Filename, ".json") {
		return nil, false
	}
	lit, ok := e.Parts[0].(*hclsyntax.LiteralValueExpr)
	if !ok || lit.Val.Type() != cty.String || lit.Val.IsNull() {
		return nil, false
	}
	t, diags := hclsyntax.ParseTraversalAbs([]byte(lit.Val.AsString()), e.SrcRange.Filename, e.SrcRange.Start)
	return t, !diags.HasErrors()
}

// stepRange is the place of step i.
func stepRange(t hcl.Traversal, i int) hcl.Range {
	if i >= len(t) {
		return t.SourceRange()
	}
	return t[i].SourceRange()
}

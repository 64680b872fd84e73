package eval

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// guard copies an expression's tree with nodes around everything that can multiply
// work: they charge the budget that the context carries. Results are those of the
// original as long as the budget lasts. Expressions of other kinds than hclsyntax's
// are returned unchanged.
func guard(expr hcl.Expression) hcl.Expression {
	if e, ok := expr.(hclsyntax.Expression); ok {
		return guardNode(e)
	}
	return expr
}

func guardNode(expr hclsyntax.Expression) hclsyntax.Expression {
	switch e := expr.(type) {
	case *hclsyntax.TemplateExpr:
		c := *e
		c.Parts = guardAll(e.Parts, weighBytes)
		return newGuarded(&c, limitString, 0)
	case *hclsyntax.TemplateJoinExpr:
		c := *e
		// Its operand must stay a for expression: hcl panics for others.
		c.Tuple = guardFor(e.Tuple)
		return newGuarded(&c, limitString, 0)
	case *hclsyntax.FunctionCallExpr:
		c := *e
		c.Args = guardArguments(e)
		return newGuarded(&c, weighResult, 0)
	case *hclsyntax.ForExpr:
		return guardFor(e)
	case *hclsyntax.SplatExpr:
		c := *e
		c.Source = weighing(e.Source, walkElements, size(e.Each))
		c.Each = guardNode(e.Each)
		return newGuarded(&c, weighResult, 0)
	case *hclsyntax.TupleConsExpr:
		c := *e
		c.Exprs = guardAll(e.Exprs, 0)
		return newGuarded(&c, weighResult, 0)
	case *hclsyntax.ObjectConsExpr:
		return guardObject(e)
	}
	return guardOperator(expr)
}

func guardOperator(expr hclsyntax.Expression) hclsyntax.Expression {
	switch e := expr.(type) {
	case *hclsyntax.BinaryOpExpr:
		c := *e
		kind := weighArgument
		if e.Op.Type == cty.Number {
			kind = limitNumber
		}
		c.LHS, c.RHS = weighing(e.LHS, kind, 0), weighing(e.RHS, kind, 0)
		if kind != limitNumber {
			return &c
		}
		return newGuarded(&c, limitNumber, 0)
	case *hclsyntax.UnaryOpExpr:
		c := *e
		c.Val = guardNode(e.Val)
		if e.Op.Type == cty.Number { // a text will become a number
			c.Val = newGuarded(c.Val, limitNumber, 0)
		}
		return &c
	case *hclsyntax.ConditionalExpr:
		c := *e
		c.Condition = guardNode(e.Condition)
		c.TrueResult, c.FalseResult = weighing(e.TrueResult, weighConverted, 0), weighing(e.FalseResult, weighConverted, 0)
		return &c
	case *hclsyntax.ParenthesesExpr:
		return &hclsyntax.ParenthesesExpr{Expression: guardNode(e.Expression), SrcRange: e.SrcRange}
	case *hclsyntax.TemplateWrapExpr:
		return &hclsyntax.TemplateWrapExpr{Wrapped: guardNode(e.Wrapped), SrcRange: e.SrcRange}
	case *hclsyntax.IndexExpr:
		c := *e
		c.Collection, c.Key = guardNode(e.Collection), guardNode(e.Key)
		return &c
	case *hclsyntax.RelativeTraversalExpr:
		c := *e
		c.Source = guardNode(e.Source)
		return &c
	}
	return expr // leaves
}

func guardFor(expr hclsyntax.Expression) hclsyntax.Expression {
	e, ok := expr.(*hclsyntax.ForExpr)
	if !ok {
		return guardNode(expr)
	}
	c := *e
	body := size(e.ValExpr)
	c.ValExpr = guardNode(e.ValExpr)
	if e.KeyExpr != nil {
		body += size(e.KeyExpr)
		c.KeyExpr = guardNode(e.KeyExpr)
	}
	if e.CondExpr != nil {
		body += size(e.CondExpr)
		c.CondExpr = guardNode(e.CondExpr)
	}
	c.CollExpr = weighing(e.CollExpr, walkElements, body)
	return &c
}

func guardObject(e *hclsyntax.ObjectConsExpr) hclsyntax.Expression {
	c := *e
	c.Items = make([]hclsyntax.ObjectConsItem, len(e.Items))
	for i, item := range e.Items {
		c.Items[i] = hclsyntax.ObjectConsItem{KeyExpr: item.KeyExpr, ValueExpr: guardNode(item.ValueExpr)}
		if key, ok := item.KeyExpr.(*hclsyntax.ObjectConsKeyExpr); ok {
			k := *key
			k.Wrapped = guardNode(key.Wrapped)
			c.Items[i].KeyExpr = &k
		}
	}
	return newGuarded(&c, weighResult, 0)
}

func guardArguments(call *hclsyntax.FunctionCallExpr) []hclsyntax.Expression {
	out := make([]hclsyntax.Expression, len(call.Args))
	for i, e := range call.Args {
		kind := weighArgument
		if unifies(call.Name, i) {
			kind = weighConverted
		}
		out[i] = weighing(e, kind, 0)
	}
	return out
}

// unifies reports whether a function converts the elements of an argument to one
// type.
func unifies(name string, i int) bool {
	switch name {
	case "tolist", "toset", "tomap", "flatten", "concat", "coalescelist", "values", "sum":
		return true
	}
	f, ok := pureFunctions[name]
	if !ok {
		return true
	}
	params, rest := f.Params(), f.VarParam()
	switch {
	case i < len(params):
		return params[i].Type.IsCollectionType() && params[i].Type.ElementType() == cty.DynamicPseudoType
	case rest != nil:
		return rest.Type.IsCollectionType() && rest.Type.ElementType() == cty.DynamicPseudoType
	}
	return false
}

func guardAll(exprs []hclsyntax.Expression, kind guardKind) []hclsyntax.Expression {
	out := make([]hclsyntax.Expression, len(exprs))
	for i, e := range exprs {
		if out[i] = guardNode(e); kind != 0 {
			out[i] = weighing(e, kind, 0)
		}
	}
	return out
}

func weighing(e hclsyntax.Expression, kind guardKind, body int) hclsyntax.Expression {
	inner := guardNode(e)
	if _, ok := inner.(*hclsyntax.LiteralValueExpr); ok {
		return inner
	}
	return newGuarded(inner, kind, body)
}

// size is the number of nodes of an expression.
func size(e hclsyntax.Expression) int {
	n := 0
	_ = hclsyntax.VisitAll(e, func(hclsyntax.Node) hcl.Diagnostics { n++; return nil })
	return n
}

// guardKind says what a guarded node does with the value of its expression.
type guardKind uint8

const (
	weighBytes     guardKind = iota + 1 // charges the bytes of a text that a template includes
	weighArgument                       // charges the time to go through it
	weighConverted                      // the same, if its elements are converted to one type: cty compares each with each
	weighResult                         // charges the memory that it takes
	walkElements                        // charges an iteration over it
	limitNumber                         // refuses numbers that are too long to write
	limitString                         // refuses texts that are too long, and charges the others
)

// guarded is an expression whose value is charged to the budget.
// To everything that walks the tree, it is a pair of parentheses.
type guarded struct {
	hclsyntax.ParenthesesExpr
	kind guardKind
	body int // nodes evaluated per element, for walkElements
}

func newGuarded(e hclsyntax.Expression, kind guardKind, body int) *guarded {
	return &guarded{hclsyntax.ParenthesesExpr{Expression: e, SrcRange: e.Range()}, kind, body}
}

// Value returns the expression's value, or an unknown one once the budget is
// exhausted. The evaluation as a whole is then an error, reported once at its end.
func (g *guarded) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	b := budgetOf(ctx)
	if b.exhausted() {
		return cty.DynamicVal, nil
	}
	v, diags := g.Expression.Value(ctx)
	if diags.HasErrors() {
		return v, diags
	}
	switch g.kind {
	case limitNumber:
		return g.limitNumber(v, diags)
	case limitString:
		return g.limitString(b, v, diags)
	}
	if !b.charge(g.cost(v)) {
		return cty.DynamicVal, nil
	}
	return v, diags
}

func (g *guarded) cost(v cty.Value) (elements, bytes, steps int, rng hcl.Range) {
	if g.kind == walkElements {
		n := length(v)
		return n, 0, n * (1 + g.body), g.Range()
	}
	l := weigh(v, maxElements)
	switch g.kind {
	case weighBytes:
		bytes = l.bytes
	case weighResult:
		elements, bytes, steps = l.elements, l.bytes, 1
	case weighConverted:
		steps = 1 + l.work + l.bytes/32 + l.elements*l.elements/200
	default:
		steps = 1 + l.work + l.bytes/32
	}
	return elements, bytes, steps, g.Range()
}

// length returns the number of iterations over v.
func length(v cty.Value) int {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
		return 1
	}
	return v.LengthInt()
}

func (g *guarded) limitNumber(v cty.Value, diags hcl.Diagnostics) (cty.Value, hcl.Diagnostics) {
	raw, _ := v.Unmark()
	if raw.IsNull() || !raw.IsKnown() {
		return v, diags
	}
	ok := true
	switch raw.Type() {
	case cty.Number:
		ok = numberInRange(raw)
	case cty.String:
		// It will be converted to a number.
		ok = numberLiteralInRange([]byte(raw.AsString())) || !looksNumeric(raw.AsString())
	}
	if ok {
		return v, diags
	}
	return cty.DynamicVal, append(diags, g.problem(numberRange, numberRangeDetail))
}

func looksNumeric(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= '0' && s[i] <= '9' {
			return true
		}
	}
	return false
}

func (g *guarded) limitString(b *budget, v cty.Value, diags hcl.Diagnostics) (cty.Value, hcl.Diagnostics) {
	_, n := weight(v, 0)
	if n > maxString {
		return cty.DynamicVal, append(diags, g.problem(stringTooLong, stringTooLongDetail))
	}
	if !b.charge(0, n, 1, g.Range()) {
		return cty.DynamicVal, nil
	}
	return v, diags
}

func (g *guarded) problem(summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: g.Range().Ptr()}
}

// folder replaces what does not depend on the root by its value.
type folder struct{ c *compiler }

// foldAndGuard is guard, after each constant sub-expression of e has been evaluated
// once, except for those in a scope of their own.
func foldAndGuard(e hclsyntax.Expression, c *compiler) hcl.Expression {
	return guardNode(folder{c}.fold(e))
}

func (f folder) fold(expr hclsyntax.Expression) hclsyntax.Expression {
	if _, literal := expr.(*hclsyntax.LiteralValueExpr); !literal && !f.c.depends(expr) {
		if v, ok := f.c.value(expr); ok && v.IsWhollyKnown() {
			return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: expr.Range()}
		}
		return expr
	}
	switch e := expr.(type) {
	case *hclsyntax.TemplateExpr:
		c := *e
		c.Parts = f.all(e.Parts)
		return &c
	case *hclsyntax.FunctionCallExpr:
		c := *e
		c.Args = f.all(e.Args)
		return &c
	case *hclsyntax.BinaryOpExpr:
		c := *e
		c.LHS, c.RHS = f.fold(e.LHS), f.fold(e.RHS)
		return &c
	case *hclsyntax.ConditionalExpr:
		c := *e
		c.Condition, c.TrueResult, c.FalseResult = f.fold(e.Condition), f.fold(e.TrueResult), f.fold(e.FalseResult)
		return &c
	case *hclsyntax.ParenthesesExpr:
		return &hclsyntax.ParenthesesExpr{Expression: f.fold(e.Expression), SrcRange: e.SrcRange}
	case *hclsyntax.IndexExpr:
		c := *e
		c.Collection, c.Key = f.fold(e.Collection), f.fold(e.Key)
		return &c
	case *hclsyntax.ForExpr:
		c := *e
		c.CollExpr = f.fold(e.CollExpr)
		return &c
	}
	return expr
}

func (f folder) all(exprs []hclsyntax.Expression) []hclsyntax.Expression {
	out := make([]hclsyntax.Expression, len(exprs))
	for i, e := range exprs {
		out[i] = f.fold(e)
	}
	return out
}

package eval

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// compiler builds nodes for one expression.
type compiler struct {
	ctx *hcl.EvalContext
	in  Input
	// constants are the values of sub-expressions that were evaluated. They are
	// needed again when the expressions around them are compiled.
	constants map[hclsyntax.Expression]constantResult
}

type constantResult struct {
	v  cty.Value
	ok bool
}

// node compiles e; an expression that it does not know becomes a plainNode.
func (c *compiler) node(e hclsyntax.Expression) node {
	if !c.depends(e) {
		return c.constant(e)
	}
	var n node
	switch e := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		return c.node(e.Expression)
	case *hclsyntax.TemplateWrapExpr:
		return c.node(e.Wrapped)
	case *hclsyntax.ScopeTraversalExpr:
		n = c.load(e)
	case *hclsyntax.TemplateExpr:
		n = templateNode{c.nodes(e.Parts)}
	case *hclsyntax.ConditionalExpr:
		n = conditionalNode{c.node(e.Condition), c.node(e.TrueResult), c.node(e.FalseResult)}
	case *hclsyntax.UnaryOpExpr:
		if e.Op == hclsyntax.OpLogicalNot {
			n = notNode{c.node(e.Val)}
		}
	case *hclsyntax.BinaryOpExpr:
		n = c.binary(e)
	case *hclsyntax.IndexExpr:
		n = c.index(e)
	case *hclsyntax.FunctionCallExpr:
		n = c.call(e)
	}
	if n != nil {
		return n
	}
	return plainNode{c.plain(e)}
}

func (c *compiler) nodes(exprs []hclsyntax.Expression) []node {
	out := make([]node, len(exprs))
	for i, e := range exprs {
		out[i] = c.node(e)
	}
	return out
}

// depends reports whether e uses the root.
func (c *compiler) depends(e hclsyntax.Expression) bool {
	for _, t := range hclsyntax.Variables(e) {
		if t.RootName() == c.in.Root {
			return true
		}
	}
	return false
}

func (c *compiler) value(e hclsyntax.Expression) (cty.Value, bool) {
	if known, ok := c.constants[e]; ok {
		return known.v, known.ok
	}
	v, diags := run(guard(e), c.ctx)
	c.constants[e] = constantResult{v, !diags.HasErrors()}
	return v, !diags.HasErrors()
}

func (c *compiler) constant(e hclsyntax.Expression) node {
	v, ok := c.value(e)
	if !ok {
		return hclNode{}
	}
	v, _ = v.UnmarkDeep()
	if p, ok := fromCty(v); ok {
		return constNode{p}
	}
	return hclNode{}
}

func (c *compiler) plain(e hclsyntax.Expression) *plain {
	refs, whole, _ := references(e, c.in)
	return newPlain(foldAndGuard(e, c), c.ctx, c.in, refs, whole)
}

func (c *compiler) load(e *hclsyntax.ScopeTraversalExpr) node {
	name, _, ok := attributeOf(e.Traversal)
	if !ok || len(e.Traversal) != 2 {
		return nil
	}
	if i := indexOf(c.in.Names, name); i >= 0 {
		return loadNode{i}
	}
	return hclNode{}
}

func (c *compiler) binary(e *hclsyntax.BinaryOpExpr) node {
	var holds func(a, b float64) bool
	switch e.Op {
	case hclsyntax.OpLogicalAnd, hclsyntax.OpLogicalOr:
		return logicNode{c.node(e.LHS), c.node(e.RHS), e.Op == hclsyntax.OpLogicalOr}
	case hclsyntax.OpEqual, hclsyntax.OpNotEqual:
		return equalNode{c.node(e.LHS), c.node(e.RHS), e.Op == hclsyntax.OpNotEqual}
	case hclsyntax.OpLessThan:
		holds = func(a, b float64) bool { return a < b }
	case hclsyntax.OpLessThanOrEqual:
		holds = func(a, b float64) bool { return a <= b }
	case hclsyntax.OpGreaterThan:
		holds = func(a, b float64) bool { return a > b }
	case hclsyntax.OpGreaterThanOrEqual:
		holds = func(a, b float64) bool { return a >= b }
	default:
		return nil
	}
	return compareNode{c.node(e.LHS), c.node(e.RHS), holds}
}

// index compiles greetings[recipient.language] where greetings is constant.
func (c *compiler) index(e *hclsyntax.IndexExpr) node {
	if c.depends(e.Collection) {
		return nil
	}
	v, ok := c.value(e.Collection)
	if !ok {
		return nil
	}
	if items, ok := stringItems(v); ok {
		return mapNode{items: items, key: c.node(e.Key)}
	}
	return nil
}

// call compiles the functions that it knows, provided that they are the language's
// own.
func (c *compiler) call(e *hclsyntax.FunctionCallExpr) node {
	if e.ExpandFinal || !c.own(e.Name) {
		return nil
	}
	switch e.Name {
	case "join":
		return c.join(e.Args)
	case "format":
		return c.format(e.Args)
	case "contains":
		return c.contains(e.Args)
	case "lookup":
		return c.lookup(e.Args)
	}
	args := c.nodes(e.Args)
	if n := variadic(e.Name, args); n != nil {
		return n
	}
	switch len(args) {
	case 1:
		return unary(e.Name, args)
	case 2:
		return binaryText(e.Name, args)
	case 3:
		if e.Name == "replace" {
			return textNode{args, replaceText}
		}
	}
	return nil
}

// own reports whether name is the language's own function in the context.
func (c *compiler) own(name string) bool {
	for ctx := c.ctx; ctx != nil; ctx = ctx.Parent() {
		if f, ok := ctx.Functions[name]; ok {
			own, known := pureFunctions[name]
			return known && f == own
		}
	}
	return false
}

func variadic(name string, args []node) node {
	if len(args) == 0 {
		return nil
	}
	switch name {
	case "coalesce":
		return coalesceNode{args}
	case "try":
		return firstNode{args[0]}
	}
	return nil
}

func unary(name string, args []node) node {
	switch name {
	case "upper":
		return caseNode{arg: args[0]}
	case "lower":
		return caseNode{arg: args[0], lower: true}
	case "title":
		return textNode{args, titleText}
	case "trimspace":
		return textNode{args, func(a []string) (string, bool) { return strings.TrimSpace(a[0]), true }}
	case "tostring":
		return tostringNode{args[0]}
	case "can":
		return canNode{args[0]}
	}
	return nil
}

func titleText(a []string) (string, bool) {
	return strings.Title(a[0]), true //nolint:staticcheck // what cty's title does
}

func binaryText(name string, args []node) node {
	switch name {
	case "trim":
		return textNode{args, func(a []string) (string, bool) { return strings.Trim(a[0], a[1]), true }}
	case "trimprefix":
		return textNode{args, func(a []string) (string, bool) { return strings.TrimPrefix(a[0], a[1]), true }}
	case "trimsuffix":
		return textNode{args, func(a []string) (string, bool) { return strings.TrimSuffix(a[0], a[1]), true }}
	case "startswith":
		return predicateNode{args, strings.HasPrefix}
	case "endswith":
		return predicateNode{args, strings.HasSuffix}
	}
	return nil
}

// replaceText leaves patterns ("/[0-9]/"), and results that could be too long, to
// the function.
func replaceText(a []string) (string, bool) {
	if isPattern(a[1]) || !replaceFits(a[0], a[1], a[2]) {
		return "", false
	}
	return strings.ReplaceAll(a[0], a[1], a[2]), true
}

// join compiles join(",", [a, b]) with the list written out.
func (c *compiler) join(args []hclsyntax.Expression) node {
	if len(args) != 2 || c.depends(args[0]) {
		return nil
	}
	list, ok := args[1].(*hclsyntax.TupleConsExpr)
	sep, isConst := c.node(args[0]).(constNode)
	if !ok || !isConst || sep.v.null() {
		return nil
	}
	var parts []node
	for i, item := range list.Exprs {
		if i > 0 && sep.v.text != "" {
			parts = append(parts, sep)
		}
		parts = append(parts, c.node(item))
	}
	return templateNode{parts}
}

// format compiles format("…%s…", a, b) with a constant text and no other verb.
func (c *compiler) format(args []hclsyntax.Expression) node {
	if len(args) < 2 || c.depends(args[0]) {
		return nil
	}
	spec, ok := c.node(args[0]).(constNode)
	if !ok || spec.v.kind != kindString {
		return nil
	}
	texts := strings.Split(spec.v.text, "%s")
	if len(texts) != len(args) {
		return nil
	}
	var parts []node
	for i, t := range texts {
		if strings.Contains(t, "%") {
			return nil
		}
		if i > 0 {
			parts = append(parts, c.node(args[i]))
		}
		if t != "" {
			parts = append(parts, constNode{val{kindString, t}})
		}
	}
	return templateNode{parts}
}

// contains compiles contains(["DE", "AT"], recipient.country).
func (c *compiler) contains(args []hclsyntax.Expression) node {
	if len(args) != 2 || c.depends(args[0]) {
		return nil
	}
	v, ok := c.value(args[0])
	if !ok {
		return nil
	}
	v, _ = v.UnmarkDeep()
	if v.IsNull() || !v.IsWhollyKnown() || !v.CanIterateElements() || v.Type().IsMapType() || v.Type().IsObjectType() {
		return nil
	}
	items := map[string]bool{}
	for it := v.ElementIterator(); it.Next(); {
		_, item := it.Element()
		s, ok := fromCty(item)
		if !ok || s.kind != kindString {
			return nil
		}
		items[s.text] = true
	}
	if len(items) == 0 {
		return nil
	}
	return memberNode{items, c.node(args[1])}
}

func (c *compiler) lookup(args []hclsyntax.Expression) node {
	if len(args) != 3 || c.depends(args[0]) {
		return nil
	}
	v, ok := c.value(args[0])
	if !ok {
		return nil
	}
	if items, ok := stringItems(v); ok && len(items) > 0 {
		return mapNode{items: items, key: c.node(args[1]), fallback: c.node(args[2])}
	}
	return nil
}

// program is the compiled form of a sub-expression, for Parts.
func (c *compiler) program(e hclsyntax.Expression, n node, sensitive bool) *Program {
	refs, whole, _ := references(e, c.in)
	return &Program{
		rng: e.Range(), source: sourceOf(e.Range(), c.in.Source), sensitive: sensitive,
		refs: refs, node: n, plain: newPlain(foldAndGuard(e, c), c.ctx, c.in, refs, whole),
	}
}

// pieces are the parts of a template; nil for anything else.
func (c *compiler) pieces(e hclsyntax.Expression, n node) []Piece {
	template, ok := e.(*hclsyntax.TemplateExpr)
	parts, okNode := n.(templateNode)
	if !ok || !okNode {
		return nil
	}
	var out []Piece
	for i, part := range template.Parts {
		if k, ok := parts.parts[i].(constNode); ok && !k.v.null() {
			if last := len(out) - 1; last >= 0 && out[last].Program == nil {
				out[last].Text += k.v.text
				continue
			}
			out = append(out, Piece{Text: k.v.text})
			continue
		}
		sub := c.program(part, parts.parts[i], c.marked(part))
		sub.pieces = []Piece{{Program: sub}}
		out = append(out, Piece{Program: sub})
	}
	return out
}

// marked reports whether anything sensitive is used in e.
func (c *compiler) marked(e hcl.Expression) bool {
	v, diags := run(guard(e), probeContext(c.ctx, c.in))
	return diags.HasErrors() || hasMarks(v) || c.mayHide(e)
}

// mayHide reports whether e has both a try and something sensitive: while attributes
// are unknown, try returns an unknown value without marks.
func (c *compiler) mayHide(e hcl.Expression) bool {
	native, ok := e.(hclsyntax.Expression)
	if !ok {
		return false
	}
	var tries, sensitive bool
	_ = hclsyntax.VisitAll(native, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.FunctionCallExpr:
			tries = tries || n.Name == "try"
			sensitive = sensitive || n.Name == "env" || n.Name == "sensitive"
		case *hclsyntax.ScopeTraversalExpr:
			if v, diags := n.Traversal.TraverseAbs(c.ctx); !diags.HasErrors() {
				sensitive = sensitive || hasMarks(v)
			}
		}
		return nil
	})
	return tries && sensitive
}

func hasMarks(v cty.Value) bool {
	_, marks := v.UnmarkDeep()
	return len(marks) > 0
}

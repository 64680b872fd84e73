package eval

import (
	"fmt"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Compile prepares expr for evaluation over values vectors. Variables other than
// the root, and functions, are those of ctx. Its diagnostics report references to
// attributes that in.Names lacks, and everything that fails for every recipient.
// The program is nil if there are errors.
func Compile(expr hcl.Expression, ctx *hcl.EvalContext, in Input) (*Program, hcl.Diagnostics) {
	if ctx == nil {
		ctx = &hcl.EvalContext{}
	}
	lowered, diags := lower(expr)
	if diags.HasErrors() {
		return nil, diags
	}
	refs, whole, diags := references(lowered, in)
	if diags.HasErrors() {
		return nil, diags
	}
	v, diags := run(guard(lowered), probeContext(ctx, in))
	if diags.HasErrors() {
		return nil, clean(diags)
	}
	c := &compiler{ctx: ctx, in: in, constants: map[hclsyntax.Expression]constantResult{}}
	p := &Program{rng: expr.Range(), refs: refs, in: in, sensitive: hasMarks(v) || c.mayHide(lowered)}
	p.source = sourceOf(p.rng, in.Source)
	if len(refs) == 0 && !whole {
		p.isConst, p.constant = true, v
		lowered = &hclsyntax.LiteralValueExpr{Val: v, SrcRange: p.rng}
	}
	c.build(p, lowered, whole)
	return p, nil
}

// build fills in how p is evaluated.
func (c *compiler) build(p *Program, lowered hcl.Expression, whole bool) {
	native, ok := lowered.(hclsyntax.Expression)
	if !ok {
		p.node, p.plain = hclNode{}, newPlain(lowered, c.ctx, c.in, p.refs, whole)
		p.pieces = []Piece{{Program: p}}
		return
	}
	p.plain = newPlain(foldAndGuard(native, c), c.ctx, c.in, p.refs, whole)
	p.node = c.node(native)
	p.shares = shares(p.node)
	if p.pieces = c.pieces(native, p.node); p.pieces == nil {
		p.pieces = []Piece{{Program: p}}
	}
	if k, ok := p.node.(constNode); ok && k.v.kind == kindString {
		p.pieces = []Piece{{Text: k.v.text}}
	}
}

// probeContext makes every attribute of the root unknown: what fails then fails for
// every recipient.
func probeContext(ctx *hcl.EvalContext, in Input) *hcl.EvalContext {
	child := ctx.NewChild()
	root := cty.DynamicVal
	if in.Names != nil {
		attrs := make(map[string]cty.Value, len(in.Names))
		for _, name := range in.Names {
			attrs[name] = cty.DynamicVal
		}
		root = cty.ObjectVal(attrs)
	}
	child.Variables = map[string]cty.Value{in.Root: root}
	return child
}

func newPlain(expr hcl.Expression, ctx *hcl.EvalContext, in Input, refs []Ref, whole bool) *plain {
	p := &plain{expr: expr, ctx: ctx, root: in.Root, known: in.Names != nil, uses: whole || len(refs) > 0}
	if p.uses {
		p.need = len(in.Names)
	}
	if whole {
		for i, name := range in.Names {
			p.names, p.index = append(p.names, name), append(p.index, i)
		}
		return p
	}
	for _, ref := range refs {
		p.names, p.index = append(p.names, ref.Name), append(p.index, ref.Index)
	}
	return p
}

// references collects the attributes of the root that expr uses. whole is
// true when it uses the root as a value, or an attribute whose name is
// computed.
func references(expr hcl.Expression, in Input) (refs []Ref, whole bool, diags hcl.Diagnostics) {
	seen := map[string]bool{}
	for _, t := range expr.Variables() {
		if t.RootName() != in.Root {
			continue
		}
		name, rng, ok := attributeOf(t)
		if !ok {
			whole = true
			continue
		}
		index := indexOf(in.Names, name)
		if index < 0 && in.Names != nil {
			diags = append(diags, unknownAttribute(in, name, rng))
			continue
		}
		if !seen[name] {
			seen[name] = true
			refs = append(refs, Ref{Index: index, Name: name, Range: t.SourceRange()})
		}
	}
	return refs, whole, diags
}

// attributeOf returns the attribute to which root.name or root["name"] refers.
func attributeOf(t hcl.Traversal) (string, hcl.Range, bool) {
	if len(t) < 2 {
		return "", hcl.Range{}, false
	}
	switch step := t[1].(type) {
	case hcl.TraverseAttr:
		return step.Name, step.SrcRange, true
	case hcl.TraverseIndex:
		if step.Key.Type() == cty.String && step.Key.IsKnown() && !step.Key.IsNull() {
			return step.Key.AsString(), step.SrcRange, true
		}
	}
	return "", hcl.Range{}, false
}

func indexOf(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

func unknownAttribute(in Input, name string, rng hcl.Range) *hcl.Diagnostic {
	detail := fmt.Sprintf("%s has no attribute named %q.", in.Root, name)
	if near := nearest(name, in.Names); near != "" {
		detail += fmt.Sprintf(" Did you mean %q?", near)
	}
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Unknown attribute", Detail: detail, Subject: &rng}
}

// nearest returns the name most like given; "" if none is like it.
func nearest(given string, names []string) string {
	best, bestDistance := "", 3
	for _, name := range names {
		if d := levenshtein.Distance(given, name, nil); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

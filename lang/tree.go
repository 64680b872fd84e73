package lang

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/handbill/handbill/lang/eval"
)

// treeAttribute is an argument as the plan compares it: a constant's value, a
// reference's address, or the source.
func (d *decoder) treeAttribute(a *argument) Attribute {
	out := Attribute{Name: a.name}
	if t, ok := a.reference(); ok {
		if address, ok := d.ev.addressOf(t); ok {
			out.Value, out.Reference = address, true
			return out
		}
	}
	if list := d.referenceList(a); list != "" {
		out.Value, out.Reference = list, true
		return out
	}
	if isProduct(a.expr) {
		return Attribute{Name: a.name, Value: sourceOf(unwrap(a.expr)), Reference: true}
	}
	if uses(a.expr, scopedRoots...) {
		return d.sourceAttribute(a)
	}
	var quiet diagList
	v, ok := d.ev.constant(a.expr, &quiet)
	switch {
	case ok && eval.IsSensitive(v):
		out.Sensitive = true
	case ok:
		out.Value = jsonOf(v, a.expr)
	default:
		return d.sourceAttribute(a)
	}
	return out
}

// sourceAttribute is the source of an argument that has no value yet: a template
// as a text, any other expression as it is written.
func (d *decoder) sourceAttribute(a *argument) Attribute {
	e := d.folded(a.expr)
	if tmpl, ok := e.(*hclsyntax.TemplateExpr); ok {
		return Attribute{Name: a.name, Value: jsonText(templateOf(tmpl))}
	}
	return Attribute{Name: a.name, Value: sourceOf(unwrap(e)), Reference: true}
}

// folded returns e with known values in place of names, so that a change of a
// variable changes every text that uses it.
func (d *decoder) folded(e hclsyntax.Expression) hclsyntax.Expression {
	if tmpl, ok := e.(*hclsyntax.TemplateExpr); ok {
		out := &hclsyntax.TemplateExpr{SrcRange: tmpl.SrcRange}
		for _, part := range tmpl.Parts {
			out.Parts = append(out.Parts, d.foldedPart(part))
		}
		return out
	}
	return substitute(e, func(ref *hclsyntax.ScopeTraversalExpr) hclsyntax.Expression {
		switch rootKind(ref.Traversal) {
		case rootVar, rootLocal, rootCatalog, rootModule:
			return d.literalOf(ref)
		}
		return nil
	})
}

func (d *decoder) foldedPart(part hclsyntax.Expression) hclsyntax.Expression {
	if !uses(part, scopedRoots...) {
		if lit := d.literalOf(part); lit != nil {
			return lit
		}
	}
	return d.folded(part)
}

// literalOf is the known primitive value of e; nil for anything else.
func (d *decoder) literalOf(e hclsyntax.Expression) hclsyntax.Expression {
	var quiet diagList
	v, ok := d.ev.constant(e, &quiet)
	if !ok || v.IsNull() || !v.Type().IsPrimitiveType() {
		return nil
	}
	return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: e.Range()}
}

// isProduct reports whether e is a product of a catalog, which is shown as a
// reference.
func isProduct(e hclsyntax.Expression) bool {
	t, ok := asTraversal(e)
	if !ok || rootKind(t) != rootCatalog || len(t) < 4 {
		return false
	}
	list, _ := stepName(t, len(t)-2)
	return list == "products"
}

// referenceList is "[audience.a, audience.b]" for a list of references.
func (d *decoder) referenceList(a *argument) string {
	list, ok := unwrap(a.expr).(*hclsyntax.TupleConsExpr)
	if !ok || len(list.Exprs) == 0 {
		return ""
	}
	var addresses []string
	for _, item := range list.Exprs {
		t, ok := a.in.reference(item)
		if !ok {
			return ""
		}
		address, ok := d.ev.addressOf(t)
		if !ok {
			return ""
		}
		addresses = append(addresses, address)
	}
	return "[" + strings.Join(addresses, ", ") + "]"
}

// addressOf is the address of the resource that t refers to as a whole.
func (ev *evaluator) addressOf(t hcl.Traversal) (string, bool) {
	address, ok := ev.writtenAddress(t)
	if !ok {
		return "", false
	}
	base, key, hasKey := cutKey(address)
	keys, repeated := ev.keys[base]
	return address, hasKey == repeated && (!hasKey || keys == nil || slices.Contains(keys, key))
}

func jsonOf(v cty.Value, e hclsyntax.Expression) string {
	v, _ = v.UnmarkDeep()
	js, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return jsonText(templateOf(e))
	}
	return string(js)
}

func jsonText(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("lang: a string has no JSON form: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

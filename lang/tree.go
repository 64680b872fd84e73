package lang

import (
	"encoding/json"
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
	if t, ok := asTraversal(a.expr); ok {
		if address, ok := d.ev.addressOf(t); ok {
			out.Value, out.Reference = address, true
			return out
		}
	}
	if list := d.referenceList(a.expr); list != "" {
		out.Value, out.Reference = list, true
		return out
	}
	if uses(a.expr, scopedRoots...) {
		return sourceAttribute(a)
	}
	var quiet diagList
	v, ok := d.ev.constant(a.expr, &quiet)
	switch {
	case ok && eval.IsSensitive(v):
		out.Sensitive = true
	case ok:
		out.Value = jsonOf(v, a.expr)
	default:
		return sourceAttribute(a)
	}
	return out
}

// sourceAttribute is an argument that has no value yet: the source of a
// template as a text, that of any other expression as it stands.
func sourceAttribute(a *argument) Attribute {
	if tmpl, ok := a.expr.(*hclsyntax.TemplateExpr); ok {
		return Attribute{Name: a.name, Value: jsonText(templateOf(tmpl))}
	}
	return Attribute{Name: a.name, Value: sourceOf(unwrap(a.expr)), Reference: true}
}

// referenceList is "[audience.a, audience.b]" for a list of references.
func (d *decoder) referenceList(e hclsyntax.Expression) string {
	list, ok := unwrap(e).(*hclsyntax.TupleConsExpr)
	if !ok || len(list.Exprs) == 0 {
		return ""
	}
	var addresses []string
	for _, item := range list.Exprs {
		t, ok := asTraversal(item)
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
	root := t.RootName()
	want := 2
	if root == rootProvider {
		want = 3
	}
	if _, ok := ev.values[root]; !ok || len(t) != want || root == rootVar || root == rootLocal || root == rootPath {
		return "", false
	}
	parts := []string{root}
	for i := 1; i < want; i++ {
		name, ok := stepName(t, i)
		if !ok {
			return "", false
		}
		parts = append(parts, name)
	}
	return strings.Join(parts, "."), true
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

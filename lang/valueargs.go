package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// valueArgs are the arguments that a campaign or reply rule passes to its
// messages in values.
type valueArgs struct {
	owner   string // address of the campaign or rule
	rng     hcl.Range
	all     hclsyntax.Expression            // nil where there is no values argument
	items   map[string]hclsyntax.Expression // nil where the names are not known before evaluation
	ranges  map[string]hcl.Range
	used    map[string]bool
	missing map[string]hcl.Range
}

func newValueArgs(all hclsyntax.Expression, owner string, rng hcl.Range) *valueArgs {
	v := &valueArgs{
		owner: owner, rng: rng, all: all, items: map[string]hclsyntax.Expression{}, ranges: map[string]hcl.Range{},
		used: map[string]bool{}, missing: map[string]hcl.Range{},
	}
	if all == nil {
		return v
	}
	obj, ok := unwrap(all).(*hclsyntax.ObjectConsExpr)
	if !ok {
		v.items = nil
		return v
	}
	for _, item := range obj.Items {
		name, ok := itemName(item)
		if !ok {
			v.items = nil
			return v
		}
		v.items[name], v.ranges[name] = item.ValueExpr, item.KeyExpr.Range()
	}
	return v
}

// itemName is the constant key of an object's item.
func itemName(item hclsyntax.ObjectConsItem) (string, bool) {
	if word := hcl.ExprAsKeyword(item.KeyExpr); word != "" {
		return word, true
	}
	key, diags := item.KeyExpr.Value(nil)
	if diags.HasErrors() || key.Type() != cty.String || !key.IsKnown() || key.IsNull() {
		return "", false
	}
	return key.AsString(), true
}

// replace is what value.NAME stands for.
func (v *valueArgs) replace(ref *hclsyntax.ScopeTraversalExpr) hclsyntax.Expression {
	name, ok := stepName(ref.Traversal, 1)
	if v.items == nil || !ok {
		if v.all == nil {
			return &hclsyntax.ObjectConsExpr{SrcRange: ref.SrcRange, OpenRange: ref.SrcRange}
		}
		for name := range v.items {
			v.used[name] = true
		}
		return follow(parenthesised(v.all), ref.Traversal[1:], ref.SrcRange)
	}
	e, ok := v.items[name]
	if !ok {
		if _, known := v.missing[name]; !known {
			v.missing[name] = ref.SrcRange
		}
		return &hclsyntax.LiteralValueExpr{Val: cty.DynamicVal, SrcRange: ref.SrcRange}
	}
	v.used[name] = true
	return follow(parenthesised(e), ref.Traversal[2:], ref.SrcRange)
}

// parenthesised keeps an expression together when it becomes part of another.
func parenthesised(e hclsyntax.Expression) hclsyntax.Expression {
	switch e.(type) {
	case *hclsyntax.BinaryOpExpr, *hclsyntax.ConditionalExpr, *hclsyntax.UnaryOpExpr:
		return &hclsyntax.ParenthesesExpr{Expression: e, SrcRange: e.Range()}
	}
	return e
}

// missingOf reports the names that a resource uses and that no campaign passes.
func (v *valueArgs) missingOf(address string, diags *diagList) {
	for _, name := range sortedKeys(v.missing) {
		diags.err("missing_message_value", v.rng, "%s uses value.%s at %s, and %s does not give it: add %s to values.%s",
			address, name, v.missing[name], v.owner, name, didYouMean(name, sortedKeys(v.items)))
	}
	v.missing = map[string]hcl.Range{}
}

// unused warns of names that no message uses.
func (v *valueArgs) unused(diags *diagList) {
	for _, name := range sortedKeys(v.items) {
		if !v.used[name] {
			diags.warn("unused_value", v.ranges[name], "No message of %s uses value.%s.", v.owner, name)
		}
	}
}

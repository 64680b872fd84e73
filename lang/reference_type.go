package lang

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/message"
)

// referenceType says where in a variable's type reference(...) stands, which hcl's
// types do not have: there the type is any, and the value is checked.
type referenceType struct {
	kind  string         // "provider", "message", …; "" for a collection
	each  *referenceType // of a collection's elements
	attrs map[string]*referenceType
	items []*referenceType
}

// referenceKinds are what a reference may be to, besides each kind of message.
var referenceKinds = []string{rootProvider, rootAudience, rootCatalog, rootTemplate, rootData, rootLink, rootCampaign, rootReplyRule, "message"}

// withReferences returns a type with any in place of each reference(...), and where
// these stand; nil for a type without one.
func withReferences(raw hcl.Expression) (hcl.Expression, *referenceType, string) {
	e, native := raw.(hclsyntax.Expression)
	if !native { // JSON has it in a string
		v, diags := raw.Value(nil)
		if diags.HasErrors() || v.Type() != cty.String || v.IsNull() {
			return raw, nil, ""
		}
		e, diags = hclsyntax.ParseExpression([]byte(v.AsString()), raw.Range().Filename, raw.Range().Start)
		if diags.HasErrors() {
			return raw, nil, ""
		}
	}
	out, refs, problem := typeReferences(e)
	if refs == nil {
		return raw, nil, problem
	}
	return out, refs, problem
}

func typeReferences(e hclsyntax.Expression) (out hclsyntax.Expression, refs *referenceType, problem string) {
	switch e := e.(type) {
	case *hclsyntax.FunctionCallExpr:
		if e.Name != "reference" {
			return collectionReferences(e)
		}
		kind := ""
		if len(e.Args) == 1 {
			kind = hcl.ExprAsKeyword(e.Args[0])
		}
		if !slices.Contains(referenceKinds, kind) && !isKind(kind) {
			return e, nil, "A reference is to one kind of block, as in reference(provider) or reference(list_message): " + listOf(referenceKinds) +
				" for any kind, or a kind of message." + didYouMean(kind, referenceKinds)
		}
		anything := hcl.Traversal{hcl.TraverseRoot{Name: "any", SrcRange: e.Range()}}
		return &hclsyntax.ScopeTraversalExpr{Traversal: anything, SrcRange: e.Range()}, &referenceType{kind: kind}, ""
	case *hclsyntax.ObjectConsExpr:
		c, refs := *e, &referenceType{attrs: map[string]*referenceType{}}
		c.Items = slices.Clone(e.Items)
		for i, item := range c.Items {
			inner, ref, problem := typeReferences(item.ValueExpr)
			if problem != "" {
				return e, nil, problem
			}
			if name, ok := itemName(item); ok && ref != nil {
				c.Items[i].ValueExpr, refs.attrs[name] = inner, ref
			}
		}
		if len(refs.attrs) == 0 {
			return e, nil, ""
		}
		return &c, refs, ""
	case *hclsyntax.TupleConsExpr:
		return tupleReferences(e)
	}
	return e, nil, ""
}

func tupleReferences(e *hclsyntax.TupleConsExpr) (out hclsyntax.Expression, refs *referenceType, problem string) {
	c, found := *e, false
	c.Exprs, refs = slices.Clone(e.Exprs), &referenceType{items: make([]*referenceType, len(e.Exprs))}
	for i, item := range e.Exprs {
		if c.Exprs[i], refs.items[i], problem = typeReferences(item); problem != "" {
			return e, nil, problem
		}
		found = found || refs.items[i] != nil
	}
	if !found {
		return e, nil, ""
	}
	return &c, refs, ""
}

// collectionReferences reads list(…), map(…), object(…), optional(…) and the like.
func collectionReferences(e *hclsyntax.FunctionCallExpr) (out hclsyntax.Expression, refs *referenceType, problem string) {
	if len(e.Args) == 0 {
		return e, nil, ""
	}
	inner, ref, problem := typeReferences(e.Args[0])
	if problem != "" || ref == nil {
		return e, nil, problem
	}
	c := *e
	c.Args = slices.Clone(e.Args)
	c.Args[0] = inner
	if slices.Contains([]string{"list", "set", "map"}, e.Name) {
		ref = &referenceType{each: ref}
	}
	return &c, ref, ""
}

// check says what is wrong with a value where the type says reference; "" for nothing.
func (r *referenceType) check(v cty.Value) string {
	v = unmarked(v)
	if r == nil || !v.IsKnown() || v.IsNull() {
		return ""
	}
	if r.kind != "" {
		address, ok := objectText(v, "address")
		if ok && r.allows(message.AddressType(address)) {
			return ""
		}
		example := r.kind + ".NAME"
		switch r.kind {
		case rootProvider:
			example = "provider.TYPE.NAME"
		case "message":
			example = "list_message.NAME"
		}
		return "is no reference to a " + r.kind + ", such as " + example
	}
	at := 0
	for it := v.ElementIterator(); it.Next(); at++ {
		key, item := it.Element()
		of := r.each
		switch {
		case r.items != nil:
			of = r.items[at]
		case r.attrs != nil:
			of = r.attrs[key.AsString()]
		}
		if problem := of.check(item); problem != "" {
			return problem
		}
	}
	return ""
}

func (r *referenceType) allows(kind string) bool {
	return kind == r.kind || r.kind == "message" && isKind(kind) || r.kind == rootTemplate && kind == rootData
}

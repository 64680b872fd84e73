package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/handbill/handbill/lang/eval"
)

// Limits on what dynamic blocks make: in a block as a whole, and in a message,
// which is decoded for each campaign that sends it.
const (
	maxDynamicBlocks = 10000
	maxMessageBlocks = 1000
)

var dynamicSchema = schema("for_each! iterator labels", blockOf("content"))

// dynamic expands a dynamic block. hcl's ext/dynblock is not used, because there
// an element stays hidden in a wrapped expression; here it becomes a constant,
// which is compiled and compared like any other.
func (d *decoder) dynamic(c *content, hb *hcl.Block, s *hcl.BodySchema) {
	i := slices.IndexFunc(s.Blocks, func(b hcl.BlockHeaderSchema) bool { return b.Type == hb.Labels[0] })
	if i < 0 {
		d.diags.err("unsupported_block", hb.LabelRanges[0], "No block of type %q may stand here.%s", hb.Labels[0], didYouMean(hb.Labels[0], blockTypes(s)))
		return
	}
	got, diags := hb.Body.Content(dynamicSchema)
	d.diags.take(diags)
	if diags.HasErrors() {
		return
	}
	if len(got.Blocks) != 1 {
		d.diags.err("invalid_dynamic", hb.DefRange, "A dynamic block needs exactly one content block: what each of the blocks it makes holds.")
		return
	}
	dyn := &dynamicBlock{header: s.Blocks[i], content: got.Blocks[0], env: c.block.env, hb: hb}
	if dyn.iterator = d.iterator(got, hb); dyn.iterator == "" {
		return
	}
	if attr := got.Attributes["labels"]; attr != nil {
		dyn.labels, diags = toSyntax(attr.Expr)
		d.diags.take(diags)
		dyn.labels = c.block.env.in().rename(dyn.labels)
	}
	d.expand(c, dyn, d.argument(got.Attributes["for_each"], c.block.env))
}

type dynamicBlock struct {
	header   hcl.BlockHeaderSchema
	hb       *hcl.Block
	content  *hcl.Block
	env      *env
	iterator string
	labels   hclsyntax.Expression // nil for none
}

func blockTypes(s *hcl.BodySchema) []string {
	var out []string
	for _, b := range s.Blocks {
		out = append(out, b.Type)
	}
	return out
}

func (d *decoder) iterator(got *hcl.BodyContent, hb *hcl.Block) string {
	attr := got.Attributes["iterator"]
	if attr == nil {
		return hb.Labels[0]
	}
	name := hcl.ExprAsKeyword(attr.Expr)
	if name == "" {
		if v, diags := attr.Expr.Value(nil); !diags.HasErrors() && v.Type() == cty.String && !v.IsNull() {
			name = v.AsString()
		}
	}
	switch {
	case !hclsyntax.ValidIdentifier(name):
		d.diags.err("invalid_dynamic", attr.Expr.Range(), "The iterator is a single name, such as item.")
		return ""
	case name == rootRecipient || name == rootValue || slices.Contains(globalRoots(), name):
		d.diags.err("reserved_name", attr.Expr.Range(), "The name %q has a meaning of its own, so that an iterator cannot have it.", name)
		return ""
	}
	return name
}

func (d *decoder) expand(c *content, dyn *dynamicBlock, forEach *argument) {
	if uses(forEach.expr, rootRecipient, rootRow, rootInbound, rootMatch, rootLookup) {
		d.diags.err("shape_depends", forEach.expr.Range(),
			"for_each may not depend on the recipient: everyone gets a message of the same shape, and only its texts differ. "+
				"Use an audience and a campaign for each shape.")
		return
	}
	if uses(forEach.expr, rootValue) {
		d.unexpanded(c, dyn, forEach) // known once a campaign gives the value
		return
	}
	v, ok := d.ev.constant(forEach.expr, d.diags)
	if !ok {
		d.unexpanded(c, dyn, forEach)
		return
	}
	elements, problem := elementsOf(v, d.productOrder(forEach.expr))
	if problem != "" {
		d.diags.err("invalid_dynamic", forEach.expr.Range(), "%s", problem)
		return
	}
	for _, el := range elements {
		if d.expanded++; d.expanded > maxDynamicBlocks {
			d.diags.err("too_complex", forEach.expr.Range(), "Dynamic blocks may make %d blocks in all, and those of one message %d.", maxDynamicBlocks, maxMessageBlocks)
			return
		}
		d.one(c, dyn, el)
	}
}

// unexpanded keeps a dynamic block whose elements are not known yet in the tree.
func (d *decoder) unexpanded(c *content, dyn *dynamicBlock, forEach *argument) {
	n := &node{kind: "dynamic", labels: []string{dyn.hb.Labels[0]}}
	n.attributes = append(n.attributes, d.treeAttribute(forEach))
	c.block.tree.children = append(c.block.tree.children, n)
}

// elementsOf lists the elements of a collection as objects with key and value, in
// the given order, or in the order of the keys if order is nil.
func elementsOf(v cty.Value, order []string) ([]cty.Value, string) {
	if eval.IsSensitive(v) {
		return nil, "for_each may not be sensitive: the blocks it makes are shown."
	}
	v, _ = v.UnmarkDeep()
	if v.IsNull() || !v.CanIterateElements() {
		return nil, "for_each must be a list, a set, a map or an object."
	}
	var out []cty.Value
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if v.Type().IsSetType() {
			key = value
		}
		out = append(out, cty.ObjectVal(map[string]cty.Value{"key": key, "value": value}))
	}
	if order != nil {
		at := func(e cty.Value) int { return slices.Index(order, e.GetAttr("key").AsString()) }
		slices.SortStableFunc(out, func(a, b cty.Value) int { return at(a) - at(b) })
	}
	return out, ""
}

// productOrder returns the order in which a catalog declares its products, if e is
// just catalog.NAME.products. It is needed since attributes of an object have none.
func (d *decoder) productOrder(e hclsyntax.Expression) []string {
	t, ok := asTraversal(e)
	if !ok || rootKind(t) != rootCatalog {
		return nil
	}
	address, steps := d.ev.catalogAddress(t)
	if last, _ := stepName(t, steps); last != "products" || len(t) != steps+1 {
		return nil
	}
	return d.ev.productOrder[address]
}

func (d *decoder) one(c *content, dyn *dynamicBlock, element cty.Value) {
	b := &block{
		kind: dyn.header.Type, defRange: dyn.hb.DefRange, body: dyn.content.Body, env: dyn.env.with(dyn.iterator, element),
		labelExprs: map[int]hclsyntax.Expression{},
	}
	if !d.dynamicLabels(dyn, b) {
		return
	}
	b.tree = &node{kind: b.kind, labels: b.labels}
	c.add(b)
}

// dynamicLabels gives b the labels of one element.
func (d *decoder) dynamicLabels(dyn *dynamicBlock, b *block) bool {
	want := len(dyn.header.LabelNames)
	if dyn.labels == nil {
		if want > 0 {
			d.diags.err("invalid_dynamic", dyn.hb.DefRange, "The blocks need %s: add labels = [...] with %d element.", strings.Join(dyn.header.LabelNames, " and "), want)
		}
		return want == 0
	}
	resolved := d.resolve(dyn.labels, b.env)
	list, ok := unwrap(resolved).(*hclsyntax.TupleConsExpr)
	if !ok || len(list.Exprs) != want {
		d.diags.err("invalid_dynamic", dyn.labels.Range(), "labels must be a list of %s.", plural(want, "text"))
		return false
	}
	for i, item := range list.Exprs {
		b.labelRanges = append(b.labelRanges, item.Range())
		if _, personal := d.scope[rootRecipient]; personal && uses(item, scopedRoots...) {
			b.labels = append(b.labels, templateOf(item))
			b.labelExprs[i] = item
			continue
		}
		label, ok := d.dynamicLabel(item)
		if !ok {
			return false
		}
		b.labels = append(b.labels, label)
	}
	return true
}

func (d *decoder) dynamicLabel(e hclsyntax.Expression) (string, bool) {
	v, ok := d.ev.constant(e, d.diags)
	if !ok {
		return "", false
	}
	s, err := convert.Convert(unmarked(v), cty.String)
	if err != nil || s.IsNull() || eval.IsSensitive(v) {
		d.diags.err("invalid_dynamic", e.Range(), "A label must be a text, which may not be null or sensitive.")
		return "", false
	}
	return s.AsString(), true
}

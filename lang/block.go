package lang

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/handbill/handbill/lang/eval"
)

// Bounds of what dynamic blocks may make: in a block as a whole, and in a
// message, which is decoded for each campaign that sends it.
const (
	maxDynamicBlocks = 10000
	maxMessageBlocks = 1000
)

// env is what replaces references while a block is decoded: the elements of
// the dynamic blocks around it, and the values that a campaign passes.
type env struct {
	elements map[string]cty.Value
	values   *valueArgs // nil while a message is looked at without a campaign
}

// with is the environment inside a dynamic block's content.
func (e *env) with(iterator string, element cty.Value) *env {
	inner := env{elements: map[string]cty.Value{iterator: element}}
	if e != nil {
		inner.values = e.values
		for name, v := range e.elements {
			if name != iterator {
				inner.elements[name] = v
			}
		}
	}
	return &inner
}

// block is one block after dynamic blocks are expanded.
type block struct {
	kind        string
	labels      []string
	labelRanges []hcl.Range
	// labelExprs are labels that depend on the recipient, by position: only a
	// dynamic block in a message can have them.
	labelExprs map[int]hclsyntax.Expression
	defRange   hcl.Range
	body       hcl.Body
	env        *env
	tree       *node
}

// label is the block's i-th label.
func (b *block) label(i int) string {
	if i < len(b.labels) {
		return b.labels[i]
	}
	return ""
}

func (b *block) labelRange(i int) hcl.Range {
	if i < len(b.labelRanges) {
		return b.labelRanges[i]
	}
	return b.defRange
}

func fromHCL(hb *hcl.Block) *block {
	return &block{
		kind: hb.Type, labels: hb.Labels, labelRanges: hb.LabelRanges, defRange: hb.DefRange, body: hb.Body,
		tree: &node{kind: hb.Type, labels: hb.Labels},
	}
}

// node is a Tree while it grows.
type node struct {
	kind       string
	labels     []string
	attributes []Attribute
	children   []*node
}

func (n *node) asTree() Tree {
	t := Tree{Attributes: n.attributes}
	for _, c := range n.children {
		t.Blocks = append(t.Blocks, Block{Type: c.kind, Labels: c.labels, Tree: c.asTree()})
	}
	return t
}

// argument is one argument of a block, its expression in native form with the
// environment's references replaced.
type argument struct {
	name string
	rng  hcl.Range // of the whole argument
	raw  hcl.Expression
	expr hclsyntax.Expression
}

// content is a block's arguments and nested blocks.
type content struct {
	block  *block
	args   map[string]*argument
	blocks []*block
}

// rangeOf is the place of the argument, or else that of the block.
func (c *content) rangeOf(name string) hcl.Range {
	if a := c.args[name]; a != nil {
		return a.expr.Range()
	}
	return c.block.defRange
}

// ofKind are the nested blocks of a kind.
func (c *content) ofKind(kind string) []*block {
	var out []*block
	for _, b := range c.blocks {
		if b.kind == kind {
			out = append(out, b)
		}
	}
	return out
}

// schema makes a body schema from names; "!" marks required arguments.
func schema(args string, blocks ...hcl.BlockHeaderSchema) *hcl.BodySchema {
	s := &hcl.BodySchema{Blocks: blocks}
	for _, name := range strings.Fields(args) {
		bare := strings.TrimSuffix(name, "!")
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: bare, Required: bare != name})
	}
	return s
}

func blockOf(kind string, labels ...string) hcl.BlockHeaderSchema {
	return hcl.BlockHeaderSchema{Type: kind, LabelNames: labels}
}

// decoder turns blocks into declarations. Its methods report what is wrong and
// return what could be made of the rest.
type decoder struct {
	ev    *evaluator
	diags *diagList
	// scope is what the texts of the block being decoded may refer to.
	scope scope
	// expanded counts blocks that dynamic blocks made.
	expanded int
}

// content reads a block by its schema, expands dynamic blocks, and records the
// block's tree.
func (d *decoder) content(b *block, s *hcl.BodySchema) *content {
	s = forJSON(b.body, s)
	full := *s
	if len(s.Blocks) > 0 {
		full.Blocks = append(slices.Clone(s.Blocks), blockOf("dynamic", "type"))
	}
	got, diags := b.body.Content(&full)
	d.diags.take(diags)
	c := &content{block: b, args: map[string]*argument{}}
	for _, as := range s.Attributes {
		if attr := got.Attributes[as.Name]; attr != nil {
			c.args[as.Name] = d.argument(attr, b.env)
			b.tree.attributes = append(b.tree.attributes, d.treeAttribute(c.args[as.Name]))
		}
	}
	for _, hb := range got.Blocks {
		d.nested(c, hb, s)
	}
	return c
}

// forJSON resolves a name that is an argument or a block, such as header: in
// JSON only the value tells which.
func forJSON(body hcl.Body, s *hcl.BodySchema) *hcl.BodySchema {
	if _, native := body.(*hclsyntax.Body); native {
		return s
	}
	out := &hcl.BodySchema{Blocks: slices.Clone(s.Blocks)}
	attrs, _ := body.JustAttributes()
	for _, as := range s.Attributes {
		i := slices.IndexFunc(out.Blocks, func(b hcl.BlockHeaderSchema) bool { return b.Type == as.Name })
		if i >= 0 {
			if attr := attrs[as.Name]; attr != nil && isJSONBlock(attr.Expr) {
				continue
			}
			out.Blocks = slices.Delete(out.Blocks, i, i+1)
		}
		out.Attributes = append(out.Attributes, as)
	}
	return out
}

func isJSONBlock(e hcl.Expression) bool {
	if _, diags := hcl.ExprMap(e); !diags.HasErrors() {
		return true
	}
	list, diags := hcl.ExprList(e)
	if diags.HasErrors() || len(list) == 0 {
		return false
	}
	_, diags = hcl.ExprMap(list[0])
	return !diags.HasErrors()
}

func (d *decoder) argument(attr *hcl.Attribute, in *env) *argument {
	e, diags := toSyntax(attr.Expr)
	d.diags.take(diags)
	return &argument{name: attr.Name, rng: attr.Range, raw: attr.Expr, expr: d.resolve(e, in)}
}

// resolve replaces what the environment knows.
func (d *decoder) resolve(e hclsyntax.Expression, in *env) hclsyntax.Expression {
	if in == nil {
		return e
	}
	return substitute(e, func(ref *hclsyntax.ScopeTraversalExpr) hclsyntax.Expression {
		root := ref.Traversal.RootName()
		if element, ok := in.elements[root]; ok {
			return d.element(ref, element)
		}
		if root == rootValue && in.values != nil {
			return in.values.replace(ref)
		}
		return nil
	})
}

func (d *decoder) element(ref *hclsyntax.ScopeTraversalExpr, element cty.Value) hclsyntax.Expression {
	v, diags := ref.Traversal[1:].TraverseRel(element)
	d.diags.take(diags)
	return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: ref.SrcRange}
}

func (d *decoder) nested(c *content, hb *hcl.Block, s *hcl.BodySchema) {
	if hb.Type == "dynamic" {
		d.dynamic(c, hb, s)
		return
	}
	b := fromHCL(hb)
	b.env = c.block.env
	c.add(b)
}

func (c *content) add(b *block) {
	c.blocks = append(c.blocks, b)
	c.block.tree.children = append(c.block.tree.children, b.tree)
}

var dynamicSchema = schema("for_each! iterator labels", blockOf("content"))

// dynamic expands a dynamic block. It does by hand what hcl's ext/dynblock
// does, since there an element stays hidden in a wrapped expression; here it
// becomes a constant, which is then compiled and compared like any other.
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

// unexpanded keeps a dynamic block in the tree whose elements are not known
// yet.
func (d *decoder) unexpanded(c *content, dyn *dynamicBlock, forEach *argument) {
	n := &node{kind: "dynamic", labels: []string{dyn.hb.Labels[0]}}
	n.attributes = append(n.attributes, d.treeAttribute(forEach))
	c.block.tree.children = append(c.block.tree.children, n)
}

// elementsOf are the elements of a collection in order, as objects with key
// and value. order, where not nil, is that of the keys.
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

// productOrder is the order in which a catalog declares its products, when e
// is just catalog.NAME.products: an object's attributes have none.
func (d *decoder) productOrder(e hclsyntax.Expression) []string {
	t, ok := asTraversal(e)
	if !ok || len(t) != 3 || t.RootName() != rootCatalog {
		return nil
	}
	if last, _ := stepName(t, 2); last != "products" {
		return nil
	}
	name, _ := stepName(t, 1)
	return d.ev.productOrder[name]
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

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}

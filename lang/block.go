package lang

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// env is what replaces references while a block is decoded: the elements of
// the dynamic blocks around it, and the values that a campaign passes.
type env struct {
	module   *module // in which the block stands; nil for the configuration itself
	elements map[string]cty.Value
	values   *valueArgs // nil while a message is checked without a campaign
}

// in is the module of the block; nil for the configuration itself.
func (e *env) in() *module {
	if e == nil {
		return nil
	}
	return e.module
}

// with returns the environment inside a dynamic block's content.
func (e *env) with(iterator string, element cty.Value) *env {
	inner := env{module: e.in(), elements: map[string]cty.Value{iterator: element}}
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

// passing returns the environment of a message to which values are passed.
func (e *env) passing(values *valueArgs) *env {
	inner := env{module: e.in(), values: values}
	if e != nil {
		inner.elements = e.elements
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

// module is the address of the module in which the block stands; "" for none.
func (b *block) module() string { return b.env.in().path() }

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
	in   *module
	name string
	rng  hcl.Range // of the whole argument
	raw  hcl.Expression
	expr hclsyntax.Expression
}

// content holds a block's arguments and nested blocks.
type content struct {
	block  *block
	args   map[string]*argument
	blocks []*block
}

// rangeOf returns the place of the argument, or of the block if it is missing.
func (c *content) rangeOf(name string) hcl.Range {
	if a := c.args[name]; a != nil {
		return a.expr.Range()
	}
	return c.block.defRange
}

// ofKind returns the nested blocks of a kind.
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
	// expanded counts the blocks that dynamic blocks made.
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

// forJSON decides whether a name is an argument or a block, such as header: in
// JSON only the value shows which.
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
	return &argument{in: in.in(), name: attr.Name, rng: attr.Range, raw: attr.Expr, expr: d.expression(attr, in)}
}

// expression is an argument's expression with the environment's references replaced.
func (d *decoder) expression(attr *hcl.Attribute, in *env) hclsyntax.Expression {
	e, diags := toSyntax(attr.Expr)
	d.diags.take(diags)
	return d.resolve(in.in().rename(e), in)
}

// reference returns the reference that the argument is; ok is false for anything else.
func (a *argument) reference() (t hcl.Traversal, ok bool) { return a.in.reference(a.expr) }

// resolve replaces references to what the environment knows, the keys in
// references where they are known, and what stands for a resource of another module.
func (d *decoder) resolve(e hclsyntax.Expression, in *env) hclsyntax.Expression {
	return d.ev.passed(d.ev.foldKeys(d.substituted(e, in)))
}

func (d *decoder) substituted(e hclsyntax.Expression, in *env) hclsyntax.Expression {
	if in == nil || len(in.elements) == 0 && in.values == nil {
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
	if step, _ := stepName(ref.Traversal, 1); step == "value" {
		if e := d.ev.referenceIn(element.GetAttr("value"), ref.Traversal[2:], ref.SrcRange); e != nil {
			return e
		}
	}
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

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}

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
	elements map[string]cty.Value
	values   *valueArgs // nil while a message is checked without a campaign
}

// with returns the environment inside a dynamic block's content.
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

// passing returns the environment of a message to which values are passed.
func (e *env) passing(values *valueArgs) *env {
	inner := env{values: values}
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
	e, diags := toSyntax(attr.Expr)
	d.diags.take(diags)
	return &argument{name: attr.Name, rng: attr.Range, raw: attr.Expr, expr: d.resolve(e, in)}
}

// resolve replaces references to what the environment knows, and the keys in
// references where they are known.
func (d *decoder) resolve(e hclsyntax.Expression, in *env) hclsyntax.Expression {
	if in == nil {
		return d.ev.foldKeys(e)
	}
	e = substitute(e, func(ref *hclsyntax.ScopeTraversalExpr) hclsyntax.Expression {
		root := ref.Traversal.RootName()
		if element, ok := in.elements[root]; ok {
			return d.element(ref, element)
		}
		if root == rootValue && in.values != nil {
			return in.values.replace(ref)
		}
		return nil
	})
	return d.ev.foldKeys(e)
}

func (d *decoder) element(ref *hclsyntax.ScopeTraversalExpr, element cty.Value) hclsyntax.Expression {
	if step, _ := stepName(ref.Traversal, 1); step == "value" {
		if whole, ok := d.ev.asReference(element.GetAttr("value"), ref.SrcRange); ok {
			return follow(whole, ref.Traversal[2:], ref.SrcRange)
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

package lang

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// maxInstances is how many blocks for_each may make in a configuration.
const maxInstances = 2000

// maxKeyLength is how long a key of for_each may be, in bytes.
const maxKeyLength = 128

// argForEach is the argument that makes several blocks of one.
const argForEach = "for_each"

var forEachSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: argForEach}}}

// numberKey is the pattern for keys of provider blocks, since a key becomes part of
// the path of the number's webhook.
var numberKey = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// repeats reports whether blocks with this root may have for_each: those that have
// an address and are not settings.
func repeats(root string) bool {
	switch root {
	case rootVar, rootLocal, rootStopWords, "check", rootOutput:
		return false
	}
	return true
}

// takeForEach separates for_each from the rest of a block.
func (l *loader) takeForEach(decl *declaration) {
	if decl.block == nil || !repeats(decl.root) {
		return
	}
	got, rest, _ := decl.block.body.PartialContent(forEachSchema) // errors in the rest are reported when that is decoded
	if attr := got.Attributes[argForEach]; attr != nil {
		decl.forEach, decl.block.body = l.argument(attr, decl.block.env), rest
	}
}

// expand replaces a block that has for_each by one block a key, in the order of
// the keys.
func (l *loader) expand(decl *declaration, inCycle bool) []*declaration {
	delete(l.byAddress, decl.address)
	at := slices.Index(l.list, decl)
	instances, ok := l.instances(decl, inCycle)
	l.list = slices.Replace(l.list, at, at+1, instances...)
	if !ok { // references to it are not reported as well
		l.ev.keys[decl.address] = nil
		l.setNamed(decl, cty.DynamicVal)
		return nil
	}
	keys, values := make([]string, 0, len(instances)), map[string]cty.Value{}
	for _, in := range instances {
		l.byAddress[in.address] = in
		keys = append(keys, in.key)
		values[in.key] = in.reference()
	}
	l.ev.keys[decl.address] = keys
	l.setNamed(decl, cty.ObjectVal(values))
	return instances
}

// expandCatalogs gives the catalogs of a for_each their values; it does nothing
// for other blocks, whose values are references.
func (l *loader) expandCatalogs(decl *declaration, instances []*declaration, catalogs map[string]*Catalog) {
	if decl.root != rootCatalog || l.ev.keys[decl.address] == nil {
		return
	}
	values := map[string]cty.Value{}
	for _, in := range instances {
		catalogs[in.address] = l.decodeCatalog(in.block)
		values[in.key] = catalogs[in.address].value()
	}
	l.setNamed(decl, cty.ObjectVal(values))
}

// graphOfInstances builds the graph of everything after every for_each is expanded
// and every module called.
func (l *loader) graphOfInstances() {
	again := len(l.ev.keys) > 0 || len(l.ev.outputs) > 0
	refs := map[string][]string{}
	for _, decl := range l.list {
		if again && (decl.root != rootVar || decl.passed != nil) {
			decl.refs = l.refsOf(decl)
		}
		refs[decl.address] = decl.refs
	}
	l.cfg.Graph = newGraph(refs)
}

// instances returns the blocks that decl stands for; ok is false if they are not
// known.
func (l *loader) instances(decl *declaration, inCycle bool) (list []*declaration, ok bool) {
	rng := decl.forEach.expr.Range()
	if inCycle {
		return nil, false
	}
	v, ok := l.ev.constant(decl.forEach.expr, l.diags)
	if !ok {
		if l.diags.errors() == 0 { // else the cause was reported
			l.diags.err("invalid_for_each", rng, "The keys and values of for_each must be known before the plan is made.")
		}
		return nil, false
	}
	elements, problem := forEachElements(v)
	if problem != "" {
		l.diags.err("invalid_for_each", rng, "%s", problem)
		return nil, false
	}
	if l.expanded += len(elements); l.expanded > maxInstances {
		l.diags.err("too_complex", rng, "for_each may make %d blocks in all.", maxInstances)
		return nil, false
	}
	for _, el := range elements {
		key := el.GetAttr("key").AsString()
		if why := badKey(decl.root, key); why != "" {
			l.diags.err("invalid_for_each", rng, "The key %q %s.", key, why)
			return nil, false
		}
		list = append(list, decl.instance(key, el))
	}
	return list, true
}

// forEachElements are the elements of a map, object or set of strings, as
// objects with key and value.
func forEachElements(v cty.Value) ([]cty.Value, string) {
	const takes = "for_each takes a map, an object or a set of strings"
	if v.IsMarked() {
		return nil, "for_each may not be sensitive: its keys stand in addresses. Make the keys of something else; the values of a map may be sensitive."
	}
	ty := v.Type()
	switch {
	case v.IsNull():
		return nil, takes + ", and this is null. An empty map, {}, makes no block."
	case ty.IsSetType() && ty.ElementType() != cty.String && v.LengthInt() > 0:
		return nil, takes + ", and this is a set of " + ty.ElementType().FriendlyName() + "."
	case ty.IsTupleType(), ty.IsListType():
		return nil, takes + ", and this is a list: its keys would be positions, which change when an element is removed. Write toset(...) around a list of strings, or make a map with { for x in ... : KEY => x }."
	case !ty.IsMapType() && !ty.IsObjectType() && !ty.IsSetType():
		return nil, takes + ", and this is a " + ty.FriendlyName() + "."
	}
	var out []cty.Value
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if ty.IsSetType() {
			key = value
		}
		if key.IsNull() {
			return nil, "A key of for_each may not be null."
		}
		out = append(out, cty.ObjectVal(map[string]cty.Value{"key": key, "value": value}))
	}
	return out, ""
}

// badKey says why a key cannot be part of an address; "" if it can.
func badKey(root, key string) string {
	switch {
	case key == "" || len(key) > maxKeyLength:
		return "must have from 1 to " + strconv.Itoa(maxKeyLength) + " bytes"
	case root == rootProvider && !numberKey.MatchString(key):
		return "stands in the path of the number's webhook: it may have letters, digits, dots, underscores and dashes"
	case strconv.Quote(key) != quotedKey(key) || strings.Contains(key, "${") || strings.Contains(key, "%{"):
		return "stands in addresses: it may have no quotes, backslashes, ${, %{ or characters that cannot be seen"
	}
	return ""
}

func quotedKey(key string) string { return `"` + key + `"` }

// keyed is an address or a name with a key: campaign.spring["de"].
func keyed(name, key string) string { return name + "[" + quotedKey(key) + "]" }

// instance returns the block for one key.
func (decl *declaration) instance(key string, each cty.Value) *declaration {
	b := *decl.block
	b.labels = slices.Clone(b.labels)
	b.labels[len(b.labels)-1] = keyed(b.labels[len(b.labels)-1], key)
	b.env = b.env.with(rootEach, each)
	b.tree = &node{kind: b.kind, labels: b.labels}
	return &declaration{address: keyed(decl.address, key), module: decl.module, root: decl.root, name: keyed(decl.name, key), key: key, block: &b}
}

// reference returns what a reference to the declaration is in expressions, before
// the declaration is decoded.
func (decl *declaration) reference() cty.Value {
	switch decl.root {
	case rootCatalog, rootModule:
		return cty.DynamicVal
	case rootData, rootTemplate, rootLink: // its name must not be taken for a text
		return cty.ObjectVal(map[string]cty.Value{"address": cty.StringVal(decl.address)})
	}
	return reference(decl.address, decl.block.label(len(decl.block.labels)-1))
}

// setNamed gives a declaration's name its value.
func (l *loader) setNamed(decl *declaration, v cty.Value) {
	if !typed(decl.root) {
		l.ev.set(decl.space(), decl.name, v)
		return
	}
	kind, name := decl.block.label(0), decl.block.label(1)
	attrs := map[string]cty.Value{}
	if old, ok := l.ev.values[decl.space()][kind]; ok {
		attrs = old.AsValueMap()
	}
	attrs[name] = v
	l.ev.set(decl.space(), kind, cty.ObjectVal(attrs))
}

// baseOf returns the address in a reference without its key, and its number of steps.
func baseOf(t hcl.Traversal) (address string, steps int, ok bool) {
	steps = 2
	if typed(rootKind(t)) {
		steps = 3
	}
	parts := []string{t.RootName()}
	for i := 1; i < steps; i++ {
		name, ok := stepName(t, i)
		if !ok {
			return "", 0, false
		}
		parts = append(parts, name)
	}
	return strings.Join(parts, "."), steps, true
}

// writtenAddress returns the address in a reference, with its key if it has one,
// whether or not that is declared.
func (ev *evaluator) writtenAddress(t hcl.Traversal) (string, bool) {
	if kind := rootKind(t); !globalRoot[kind] || kind == rootVar || kind == rootLocal || kind == rootPath {
		return "", false
	}
	address, steps, ok := baseOf(t)
	switch {
	case !ok || len(t) > steps+1:
		return "", false
	case len(t) == steps:
		return address, true
	}
	index, isIndex := t[steps].(hcl.TraverseIndex)
	if !isIndex || index.Key.Type() != cty.String {
		return "", false
	}
	return keyed(address, index.Key.AsString()), true
}

// checkKey reports a key that a block's for_each does not have.
func (ev *evaluator) checkKey(t hcl.Traversal, diags *diagList) bool {
	base, steps, ok := baseOf(t)
	if !ok {
		return true
	}
	keys, repeated := ev.keys[base]
	key, ok := stepName(t, steps)
	if !repeated || keys == nil || !ok || slices.Contains(keys, key) {
		return true
	}
	diags.err("unknown_reference", stepRange(t, steps), "%s has no key %q.%s Its for_each has: %s.", base, key, didYouMean(key, keys), listOf(quoteAll(keys)))
	return false
}

// foldKeys turns audience.market[local.x] into audience.market["de"], and does the
// same for the key of a product, so that later code knows one form of a reference.
func (ev *evaluator) foldKeys(e hclsyntax.Expression) hclsyntax.Expression {
	if len(ev.keys) == 0 {
		return e
	}
	return fold(e, func(index *hclsyntax.IndexExpr) hclsyntax.Expression {
		ref, ok := index.Collection.(*hclsyntax.ScopeTraversalExpr)
		if !ok || uses(index.Key, scopedRoots...) {
			return nil
		}
		base, steps, ok := baseOf(ref.Traversal)
		_, repeated := ev.keys[base]
		if product := rootKind(ref.Traversal) == rootCatalog && len(ref.Traversal) > steps; !ok || !product && (!repeated || len(ref.Traversal) != steps) {
			return nil
		}
		var quiet diagList
		v, ok := ev.constant(index.Key, &quiet)
		if !ok || v.IsMarked() || v.IsNull() || v.Type() != cty.String {
			return nil
		}
		step := hcl.TraverseIndex{Key: v, SrcRange: index.Key.Range()}
		return &hclsyntax.ScopeTraversalExpr{Traversal: append(slices.Clone(ref.Traversal), step), SrcRange: index.SrcRange}
	})
}

// refsOf returns the addresses that a declaration refers to, after every for_each
// is expanded.
func (l *loader) refsOf(decl *declaration) []string {
	quiet := &decoder{ev: l.ev, diags: &diagList{}}
	switch {
	case decl.local != nil:
		return l.addressesOf(quiet.resolve(decl.local.expr, nil), decl.module)
	case decl.passed != nil: // a variable of a module
		return l.addressesOf(quiet.resolve(decl.passed.expr, nil), decl.passed.in)
	}
	var out []string
	for _, e := range expressionsOf(decl.block.body, decl.key != "") {
		out = append(out, l.addressesOf(quiet.resolve(decl.module.rename(e), decl.block.env), decl.module)...)
	}
	return out
}

// addressesOf returns the declared addresses in an expression of a module.
func (l *loader) addressesOf(e hclsyntax.Expression, in *module) []string {
	var out []string
	for _, t := range e.Variables() {
		out = append(out, l.addressesAt(t)...)
	}
	return append(out, l.addressesWithin(e, in)...)
}

// addressesAt returns the declared addresses that a reference leads to: all blocks
// of a for_each if it names no key.
func (l *loader) addressesAt(t hcl.Traversal) []string {
	if rootKind(t) == rootModule {
		return l.outputsAt(t)
	}
	base, steps, ok := baseOf(t)
	if !ok {
		return nil
	}
	if l.byAddress[base] != nil {
		return []string{base}
	}
	var out []string
	only, one := stepName(t, steps)
	for _, key := range l.ev.keys[base] {
		if !one || key == only {
			out = append(out, keyed(base, key))
		}
	}
	return out
}

// addressesWithin returns the declared addresses in the constants of e: references
// that came from each.value, and those that JSON syntax writes as strings.
func (l *loader) addressesWithin(e hclsyntax.Expression, in *module) []string {
	var out []string
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.LiteralValueExpr:
			if address, ok := objectText(n.Val, "address"); ok && l.byAddress[address] != nil {
				out = append(out, address)
			}
		case *hclsyntax.TemplateExpr:
			if t, ok := jsonTraversal(n); ok {
				out = append(out, l.addressesAt(in.traversal(t))...)
			}
		}
		return nil
	})
	return out
}

// expressionsOf returns all arguments in a body of either syntax. With instance it
// leaves out the body's own for_each, whose element is in each already.
func expressionsOf(body hcl.Body, instance bool) []hclsyntax.Expression {
	var out []hclsyntax.Expression
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		attrs, _ := body.JustAttributes()
		for _, name := range sortedKeys(attrs) {
			e, _ := toSyntax(attrs[name].Expr)
			out = append(out, e)
		}
		return out
	}
	for _, name := range sortedKeys(native.Attributes) {
		if name != argForEach || !instance {
			out = append(out, native.Attributes[name].Expr)
		}
	}
	for _, b := range native.Blocks {
		out = append(out, expressionsOf(b.Body, false)...)
	}
	return out
}

// wholeOf reports a reference to all blocks of a for_each where one block is needed.
func (ev *evaluator) wholeOf(t hcl.Traversal, rng hcl.Range, diags *diagList) bool {
	base, steps, ok := baseOf(t)
	keys, repeated := ev.keys[base]
	if !ok || !repeated || len(t) != steps {
		return false
	}
	if keys != nil {
		diags.err("unsuitable_value", rng, "%s has for_each and stands for %s: name one of them, as in %s[KEY].", base, plural(len(keys), "block"), base)
	}
	return true
}

// catalogAddress returns the address of the catalog that a reference begins with, with
// its key if it has one, and the number of steps that it takes.
func (ev *evaluator) catalogAddress(t hcl.Traversal) (address string, steps int) {
	address, steps, _ = baseOf(t)
	if _, repeated := ev.keys[address]; !repeated {
		return address, steps
	}
	key, _ := stepName(t, steps)
	return keyed(address, key), steps + 1
}

// asReference returns the reference to the resource whose value is v.
func (ev *evaluator) asReference(v cty.Value, rng hcl.Range) (hclsyntax.Expression, bool) {
	address, ok := objectText(v, "address")
	if !ok || !ev.declared(address) {
		return nil, false
	}
	t, diags := hclsyntax.ParseTraversalAbs([]byte(address), rng.Filename, rng.Start)
	if diags.HasErrors() {
		return nil, false
	}
	return &hclsyntax.ScopeTraversalExpr{Traversal: intoModules(t), SrcRange: rng}, true
}

// cutKey separates the key from a name or address.
func cutKey(s string) (base, key string, ok bool) {
	rest, closed := strings.CutSuffix(s, `"]`)
	at := strings.LastIndex(rest, `["`)
	if !closed || at < 0 {
		return s, "", false
	}
	return rest[:at], rest[at+len(`["`):], true
}

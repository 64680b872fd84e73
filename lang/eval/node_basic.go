package eval

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/message"
)

// constNode is a value that does not depend on the recipient.
type constNode struct{ v val }

func (n constNode) eval([]message.Value) (val, bool) { return n.v, true }
func (n constNode) static() (kind, bool)             { return n.v.kind, !n.v.null() }
func (n constNode) append(dst []byte, _ []message.Value) ([]byte, bool) {
	return append(dst, n.v.text...), !n.v.null()
}

// loadNode is root.attribute.
type loadNode struct{ index int }

func (n loadNode) eval(vals []message.Value) (val, bool) { return fromValue(vals[n.index]) }
func (n loadNode) static() (kind, bool)                  { return 0, false }
func (n loadNode) append(dst []byte, vals []message.Value) ([]byte, bool) {
	if v := &vals[n.index]; v.Kind == message.String && ascii(v.Text) {
		return append(dst, v.Text...), true
	}
	return appendVal(n, dst, vals)
}

// hclNode leaves every value to hcl, which then evaluates the whole expression. It
// stands for constants that are not primitive and for those with errors.
type hclNode struct{}

func (hclNode) eval([]message.Value) (val, bool)                    { return val{}, false }
func (hclNode) append(dst []byte, _ []message.Value) ([]byte, bool) { return dst, false }
func (hclNode) static() (kind, bool)                                { return 0, false }

// plainNode evaluates one sub-expression with hcl.
type plainNode struct{ p *plain }

func (n plainNode) eval(vals []message.Value) (val, bool) {
	v, err := n.p.value(vals)
	if err != nil {
		return val{}, false
	}
	return fromCty(v)
}
func (n plainNode) static() (kind, bool) { return 0, false }
func (n plainNode) append(dst []byte, vals []message.Value) ([]byte, bool) {
	return appendVal(n, dst, vals)
}

// templateNode is a template of several parts.
type templateNode struct{ parts []node }

func (n templateNode) static() (kind, bool) { return kindString, true }

func (n templateNode) eval(vals []message.Value) (val, bool) {
	var buf [256]byte
	out, ok := n.append(buf[:0], vals)
	if !ok {
		return val{}, false
	}
	return val{kindString, string(out)}, true
}

func (n templateNode) append(dst []byte, vals []message.Value) ([]byte, bool) {
	start, ok := len(dst), true
	for _, part := range n.parts {
		if dst, ok = part.append(dst, vals); !ok {
			return dst[:start], false
		}
	}
	if len(dst)-start > maxString {
		return dst[:start], false
	}
	return normalizeTail(dst, start), true
}

// notNode is !x.
type notNode struct{ x node }

func (n notNode) eval(vals []message.Value) (val, bool) {
	b, ok := truth(n.x, vals)
	return boolVal(!b), ok
}
func (n notNode) static() (kind, bool) { return kindBool, true }
func (n notNode) append(dst []byte, vals []message.Value) ([]byte, bool) {
	return appendVal(n, dst, vals)
}

// logicNode is a && b, or a || b. hcl evaluates both operands: an operand that is not
// a truth value is an error even if the other one decides. So the right one may be
// skipped only if its type is certain.
type logicNode struct {
	a, b node
	or   bool
}

func (n logicNode) static() (kind, bool) { return kindBool, true }
func (n logicNode) append(dst []byte, vals []message.Value) ([]byte, bool) {
	return appendVal(n, dst, vals)
}

func (n logicNode) eval(vals []message.Value) (val, bool) {
	a, ok := truth(n.a, vals)
	if !ok {
		return val{}, false
	}
	if k, known := n.b.static(); a == n.or && known && k == kindBool {
		return boolVal(a), true
	}
	b, ok := truth(n.b, vals)
	if !ok {
		return val{}, false
	}
	if n.or {
		return boolVal(a || b), true
	}
	return boolVal(a && b), true
}

// equalNode is a == b, or a != b. Values of different types are never equal; nulls
// of any types are.
type equalNode struct {
	a, b node
	not  bool
}

func (n equalNode) static() (kind, bool) { return kindBool, true }
func (n equalNode) append(dst []byte, vals []message.Value) ([]byte, bool) {
	return appendVal(n, dst, vals)
}

func (n equalNode) eval(vals []message.Value) (val, bool) {
	a, ok := n.a.eval(vals)
	if !ok {
		return val{}, false
	}
	b, ok := n.b.eval(vals)
	if !ok {
		return val{}, false
	}
	equal := a.null() && b.null() || a == b
	return boolVal(equal != n.not), true
}

// compareNode is <, <=, > or >=.
type compareNode struct {
	a, b  node
	holds func(a, b float64) bool
}

func (n compareNode) static() (kind, bool) { return kindBool, true }
func (n compareNode) append(dst []byte, vals []message.Value) ([]byte, bool) {
	return appendVal(n, dst, vals)
}

func (n compareNode) eval(vals []message.Value) (val, bool) {
	a, ok := n.a.eval(vals)
	if !ok {
		return val{}, false
	}
	b, ok := n.b.eval(vals)
	if !ok {
		return val{}, false
	}
	x, ok := a.number()
	if !ok {
		return val{}, false
	}
	y, ok := b.number()
	return boolVal(n.holds(x, y)), ok
}

// conditionalNode is cond ? a : b. hcl evaluates both results, and converts the
// chosen one to a type that fits both.
type conditionalNode struct{ cond, a, b node }

func (n conditionalNode) static() (kind, bool) {
	a, okA := n.a.static()
	b, okB := n.b.static()
	return a, okA && okB && a == b
}

func (n conditionalNode) choose(vals []message.Value) (chosen, other node, ok bool) {
	cond, ok := truth(n.cond, vals)
	if cond {
		return n.a, n.b, ok
	}
	return n.b, n.a, ok
}

func (n conditionalNode) eval(vals []message.Value) (val, bool) {
	chosen, other, ok := n.choose(vals)
	if !ok {
		return val{}, false
	}
	v, ok := chosen.eval(vals)
	if !ok {
		return val{}, false
	}
	if k, known := other.static(); known && k == v.kind {
		return v, true
	}
	o, ok := other.eval(vals)
	if !ok {
		return val{}, false
	}
	return unified(v, o)
}

// unified returns v converted to the common type of v and o.
func unified(v, o val) (val, bool) {
	switch {
	case v.kind == o.kind || o.kind == kindNull:
		return v, v.kind != kindTypedNull
	case v.kind == kindNull && o.kind != kindTypedNull:
		return val{kind: kindTypedNull}, true
	case v.null() || o.null():
		return val{}, false
	case v.kind == kindString || o.kind == kindString:
		return val{kindString, v.text}, true
	}
	return val{}, false // a bool and a number have no common type
}

func (n conditionalNode) append(dst []byte, vals []message.Value) ([]byte, bool) {
	chosen, other, ok := n.choose(vals)
	if !ok {
		return dst, false
	}
	// A string beside any primitive gives a string, and the text of the
	// chosen one is the same whether or not it was converted.
	if k, known := other.static(); known && k == kindString {
		if ck, known := chosen.static(); known && ck >= kindString || isLoad(chosen) {
			return chosen.append(dst, vals)
		}
	}
	return appendVal(n, dst, vals)
}

// isLoad reports whether n is a loadNode, which gives a primitive or reports false.
func isLoad(n node) bool { _, ok := n.(loadNode); return ok }

// mapNode is an index into, or a lookup in, a constant map or object of
// strings.
type mapNode struct {
	items    map[string]val
	key      node
	fallback node // nil for an index
}

func (n mapNode) static() (kind, bool) { return kindString, true }
func (n mapNode) append(dst []byte, vals []message.Value) ([]byte, bool) {
	return appendVal(n, dst, vals)
}

func (n mapNode) eval(vals []message.Value) (val, bool) {
	key, ok := n.key.eval(vals)
	if !ok || key.kind != kindString {
		return val{}, false
	}
	v, found := n.items[key.text]
	if n.fallback == nil {
		return v, found
	}
	// hcl evaluates the default even where it is not needed.
	d, ok := n.fallback.eval(vals)
	if !found {
		v = d
	}
	return v, ok && d.kind == kindString
}

// stringItems are the elements of a constant map or object, all strings.
func stringItems(v cty.Value) (map[string]val, bool) {
	v, _ = v.UnmarkDeep()
	if !v.IsWhollyKnown() || v.IsNull() || !v.Type().IsMapType() && !v.Type().IsObjectType() {
		return nil, false
	}
	items := map[string]val{}
	for it := v.ElementIterator(); it.Next(); {
		key, item := it.Element()
		s, ok := fromCty(item)
		if !ok || s.kind != kindString {
			return nil, false
		}
		items[key.AsString()] = s
	}
	return items, true
}

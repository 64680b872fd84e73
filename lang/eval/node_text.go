package eval

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/handbill/handbill/message"
)

// textNode is a function from strings to a string; fn reports false to leave the
// result to hcl.
type textNode struct {
	args []node
	fn   func(args []string) (string, bool)
}

// maxTextArgs bounds the arguments that a textNode takes without allocating.
const maxTextArgs = 4

func (n textNode) static() (kind, bool) { return kindString, true }
func (n textNode) append(dst []byte, vals []message.Value) ([]byte, bool) {
	return appendVal(n, dst, vals)
}

func (n textNode) eval(vals []message.Value) (val, bool) {
	var args [maxTextArgs]string
	for i, arg := range n.args {
		s, ok := text(arg, vals)
		if !ok {
			return val{}, false
		}
		args[i] = s
	}
	s, ok := n.fn(args[:len(n.args)])
	return val{kindString, normalize(s)}, ok && len(s) <= maxString
}

// caseNode is upper or lower: for ASCII it makes no string.
type caseNode struct {
	arg   node
	lower bool
}

func (n caseNode) static() (kind, bool) { return kindString, true }

func (n caseNode) eval(vals []message.Value) (val, bool) {
	s, ok := text(n.arg, vals)
	if !ok {
		return val{}, false
	}
	return val{kindString, normalize(n.convert(s))}, true
}

func (n caseNode) convert(s string) string {
	if n.lower {
		return strings.ToLower(s)
	}
	return strings.ToUpper(s)
}

func (n caseNode) append(dst []byte, vals []message.Value) ([]byte, bool) {
	start := len(dst)
	dst, ok := n.arg.append(dst, vals)
	if !ok {
		return dst[:start], false
	}
	if tail := dst[start:]; ascii(tail) {
		n.convertASCII(tail)
		return dst, true
	}
	converted := len(dst)
	dst = n.convertRunes(dst, start)
	size := copy(dst[start:], dst[converted:])
	return normalizeTail(dst[:start+size], start), true
}

// convertRunes appends what strings.ToUpper or ToLower makes of dst from start on.
func (n caseNode) convertRunes(dst []byte, start int) []byte {
	for i, end := start, len(dst); i < end; {
		r, size := rune(dst[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(dst[i:end])
		}
		if n.lower {
			r = unicode.ToLower(r)
		} else {
			r = unicode.ToUpper(r)
		}
		dst = utf8.AppendRune(dst, r)
		i += size
	}
	return dst
}

func (n caseNode) convertASCII(s []byte) {
	from, to := byte('a'), byte('z')
	if n.lower {
		from, to = 'A', 'Z'
	}
	for i, c := range s {
		if from <= c && c <= to {
			s[i] = c ^ 0x20
		}
	}
}

// predicateNode is a function from strings to bool.
type predicateNode struct {
	args []node
	fn   func(a, b string) bool
}

func (n predicateNode) static() (kind, bool) { return kindBool, true }
func (n predicateNode) append(dst []byte, vals []message.Value) ([]byte, bool) {
	return appendVal(n, dst, vals)
}

func (n predicateNode) eval(vals []message.Value) (val, bool) {
	a, ok := text(n.args[0], vals)
	if !ok {
		return val{}, false
	}
	b, ok := text(n.args[1], vals)
	return boolVal(n.fn(a, b)), ok
}

// memberNode is contains(LIST, x) of a constant list of strings.
type memberNode struct {
	items map[string]bool
	x     node
}

func (n memberNode) static() (kind, bool) { return kindBool, true }
func (n memberNode) append(dst []byte, vals []message.Value) ([]byte, bool) {
	return appendVal(n, dst, vals)
}

func (n memberNode) eval(vals []message.Value) (val, bool) {
	x, ok := n.x.eval(vals)
	return boolVal(n.items[x.text]), ok && x.kind == kindString
}

// tostringNode is tostring(x).
type tostringNode struct{ x node }

func (n tostringNode) static() (kind, bool) { return kindString, true }
func (n tostringNode) append(dst []byte, vals []message.Value) ([]byte, bool) {
	return n.x.append(dst, vals)
}

func (n tostringNode) eval(vals []message.Value) (val, bool) {
	s, ok := text(n.x, vals)
	return val{kindString, s}, ok
}

// coalesceNode is coalesce(…): the first argument that is neither null nor an empty
// string, converted to the common type of all arguments.
type coalesceNode struct{ args []node }

func (n coalesceNode) static() (kind, bool) {
	for _, arg := range n.args {
		if k, known := arg.static(); !known || k != kindString {
			return 0, false
		}
	}
	return kindString, true
}

func (n coalesceNode) append(dst []byte, vals []message.Value) ([]byte, bool) {
	return appendVal(n, dst, vals)
}

func (n coalesceNode) eval(vals []message.Value) (val, bool) {
	var found val
	var kinds [kindBool + 1]bool
	for _, arg := range n.args {
		v, ok := arg.eval(vals)
		if !ok || v.kind == kindTypedNull {
			return val{}, false
		}
		kinds[v.kind] = true
		if found.kind == kindNull && !(v.kind == kindString && v.text == "") {
			found = v
		}
	}
	switch {
	case found.kind == kindNull:
		return val{}, false // an error, which hcl words
	case kinds[kindString]:
		found.kind = kindString
	case kinds[kindNumber] && kinds[kindBool]:
		return val{}, false
	}
	return found, true
}

// firstNode is try(…) with a compiled first argument: if that succeeds, nothing else
// is evaluated, and if it may not, hcl decides.
type firstNode struct{ x node }

func (n firstNode) eval(vals []message.Value) (val, bool) { return n.x.eval(vals) }
func (n firstNode) static() (kind, bool)                  { return 0, false }
func (n firstNode) append(dst []byte, vals []message.Value) ([]byte, bool) {
	return n.x.append(dst, vals)
}

// canNode is can(x).
type canNode struct{ x node }

func (n canNode) static() (kind, bool) { return kindBool, true }
func (n canNode) append(dst []byte, vals []message.Value) ([]byte, bool) {
	return appendVal(n, dst, vals)
}

func (n canNode) eval(vals []message.Value) (val, bool) {
	_, ok := n.x.eval(vals)
	return valTrue, ok
}

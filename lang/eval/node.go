package eval

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/text/unicode/norm"

	"github.com/handbill/handbill/message"
)

// kind is what a val holds.
type kind uint8

const (
	kindNull      kind = iota // a null without a type: an attribute of the recipient, or the keyword
	kindTypedNull             // a null that a conditional has given a type
	kindString
	kindNumber
	kindBool
)

// val is a primitive value of a compiled expression. text is what hcl would convert
// it to: normalised, and numbers in canonical decimal form.
type val struct {
	kind kind
	text string
}

var (
	valTrue  = val{kindBool, "true"}
	valFalse = val{kindBool, "false"}
)

func boolVal(b bool) val {
	if b {
		return valTrue
	}
	return valFalse
}

func (v val) null() bool { return v.kind == kindNull || v.kind == kindTypedNull }

// node is a compiled expression. Its methods report false if they are not certain to
// give hcl's result; hcl then evaluates the whole expression, and reports its
// errors.
type node interface {
	eval(vals []message.Value) (val, bool)
	// append appends the value as text.
	append(dst []byte, vals []message.Value) ([]byte, bool)
	// static returns the kind that every value of the node has unless it is null.
	static() (kind, bool)
}

// appendVal is append for nodes that have no faster way than eval.
func appendVal(n node, dst []byte, vals []message.Value) ([]byte, bool) {
	v, ok := n.eval(vals)
	if !ok || v.null() {
		return dst, false
	}
	return append(dst, v.text...), true
}

// text returns a node's value converted to a string parameter.
func text(n node, vals []message.Value) (string, bool) {
	v, ok := n.eval(vals)
	return v.text, ok && !v.null()
}

// shares reports whether a node's texts are those of values or constants, so that
// eval returns them without a copy.
func shares(n node) bool {
	switch n := n.(type) {
	case constNode, loadNode, mapNode:
		return true
	case conditionalNode:
		return shares(n.a) && shares(n.b)
	case coalesceNode:
		return !slices.ContainsFunc(n.args, func(arg node) bool { return !shares(arg) })
	case firstNode:
		return shares(n.x)
	case tostringNode:
		return shares(n.x)
	}
	return false
}

// truth returns a node's value converted to bool as hcl converts it.
func truth(n node, vals []message.Value) (value, ok bool) {
	v, ok := n.eval(vals)
	if !ok {
		return false, false
	}
	return v.truth()
}

func (v val) truth() (value, ok bool) {
	switch {
	case v.kind == kindBool:
		return v.text == "true", true
	case v.kind != kindString:
		return false, false
	case v.text == "true" || v.text == "1":
		return true, true
	case v.text == "false" || v.text == "0":
		return false, true
	}
	return false, false
}

// number returns the float64 of a number, or of a string that hcl converts to one.
// Decimals of at most 15 digits keep their order in float64.
func (v val) number() (float64, bool) {
	if v.kind != kindNumber && (v.kind != kindString || !canonicalNumber(v.text)) {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.text, 64)
	return f, err == nil && !math.IsInf(f, 0)
}

// fromValue converts one attribute of a recipient.
func fromValue(v message.Value) (val, bool) {
	switch v.Kind {
	case message.String:
		return val{kindString, normalize(v.Text)}, true
	case message.Number:
		return val{kindNumber, v.Text}, canonicalNumber(v.Text)
	case message.Bool:
		return boolVal(v.Text == "true"), true
	case message.Null:
		return val{}, true
	}
	return val{}, false
}

// fromCty converts a primitive value without marks.
func fromCty(v cty.Value) (val, bool) {
	switch {
	case !v.IsKnown():
		return val{}, false
	case v.IsNull():
		if v.Type() == cty.DynamicPseudoType {
			return val{}, true
		}
		return val{kind: kindTypedNull}, true
	case v.Type() == cty.String:
		return val{kindString, v.AsString()}, true
	case v.Type() == cty.Bool:
		return boolVal(v.True()), true
	case v.Type() == cty.Number && numberInRange(v):
		s := v.AsBigFloat().Text('f', -1)
		return val{kindNumber, s}, canonicalNumber(s)
	}
	return val{}, false
}

func (v val) value() message.Value {
	switch v.kind {
	case kindString:
		return message.Value{Kind: message.String, Text: v.text}
	case kindNumber:
		return message.Value{Kind: message.Number, Text: v.text}
	case kindBool:
		return message.Value{Kind: message.Bool, Text: v.text}
	}
	return message.Value{}
}

// canonicalNumber reports whether s is a decimal of at most 15 digits in the form
// that hcl prints: no leading or trailing zeros, no exponent. Two such numbers are
// equal exactly if their texts are.
func canonicalNumber(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	whole, fraction, hasFraction := strings.Cut(digits, ".")
	switch {
	case len(digits) > 16 || whole == "" || !allDigits(whole) || !allDigits(fraction):
		return false
	case len(whole)+len(fraction) > 15 || len(whole) > 1 && whole[0] == '0':
		return false
	case hasFraction:
		return fraction != "" && fraction[len(fraction)-1] != '0'
	}
	return s != "-0"
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// asciiPrefix returns how many of the first bytes of s are certainly ASCII, checking
// eight at a time.
func asciiPrefix[T string | []byte](s T) (n int) {
	for n+8 <= len(s) && binary.LittleEndian.Uint64([]byte(s[n:n+8]))&0x8080808080808080 == 0 {
		n += 8
	}
	return n
}

// ascii reports whether s has only ASCII bytes.
func ascii[T string | []byte](s T) bool {
	for i := asciiPrefix(s); i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// normalize is cty's normalisation of strings (NFC), without its cost for strings
// that are certainly normal.
func normalize(s string) string {
	if normal(s) {
		return s
	}
	return cty.NormalizeString(s)
}

// normalizeTail normalises what was appended to dst from start on: characters may
// combine where parts meet.
func normalizeTail(dst []byte, start int) []byte {
	tail := dst[start:]
	if normal(tail) || norm.NFC.IsNormal(tail) {
		return dst
	}
	return norm.NFC.Append(dst[:start], []byte(string(tail))...)
}

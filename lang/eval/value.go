package eval

import (
	"errors"
	"math/big"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/handbill/handbill/message"
)

// maxExponent bounds the size of numbers: above it, writing a number out in
// decimal could cost more memory than the machine has. It is that of float64.
const maxExponent = 308

// ToCty returns the value that expressions see for v. A null has no type, so that it
// takes the type of its context. Text that its kind does not allow (not a number, a
// number out of range, broken JSON) becomes a string.
func ToCty(v message.Value) cty.Value {
	switch v.Kind {
	case message.Null:
		return cty.NullVal(cty.DynamicPseudoType)
	case message.Number:
		if n, err := cty.ParseNumberVal(v.Text); err == nil && numberInRange(n) {
			return n
		}
	case message.Bool:
		return cty.BoolVal(v.Text == "true")
	case message.JSON:
		if n, ok := jsonToCty(v.Text); ok {
			return n
		}
	}
	return cty.StringVal(v.Text)
}

// jsonToCty decodes a JSON array or object within the limits of ScanJSON.
func jsonToCty(text string) (cty.Value, bool) {
	src := []byte(text)
	if scanJSONValue(src) != nil {
		return cty.NilVal, false
	}
	ty, err := ctyjson.ImpliedType(src)
	if err != nil {
		return cty.NilVal, false
	}
	v, err := ctyjson.Unmarshal(src, ty)
	return v, err == nil
}

// FromCty is the inverse of ToCty: a string, number, bool or null as itself, anything
// else as JSON. Marks are dropped; Program.Sensitive still reports them. Unknown
// values have no message.Value and are an error.
func FromCty(v cty.Value) (message.Value, error) {
	v, _ = v.UnmarkDeep()
	switch {
	case v == cty.NilVal || v.IsNull():
		return message.Value{}, nil
	case !v.IsWhollyKnown():
		return message.Value{}, errUnknown
	case v.Type() == cty.String:
		return message.Str(v.AsString()), nil
	case v.Type() == cty.Bool:
		return boolValue(v.True()), nil
	case v.Type() == cty.Number:
		return message.Value{Kind: message.Number, Text: v.AsBigFloat().Text('f', -1)}, nil
	case v.Type().IsCapsuleType():
		return message.Value{}, errors.New("this value has no written form")
	}
	js, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return message.Value{}, errors.New("this value has no written form")
	}
	return message.Value{Kind: message.JSON, Text: string(js)}, nil
}

var errUnknown = errors.New("the value is not known yet")

func boolValue(b bool) message.Value {
	if b {
		return message.Value{Kind: message.Bool, Text: "true"}
	}
	return message.Value{Kind: message.Bool, Text: "false"}
}

// numberInRange reports whether a known, unmarked, non-null number can be
// written out without harm.
func numberInRange(v cty.Value) bool { return floatInRange(v.AsBigFloat()) }

// NumbersInRange reports whether every number in v can be written out without harm.
// Conversions from text, such as those of variables, do not check this.
func NumbersInRange(v cty.Value) bool {
	ok := true
	v, _ = v.UnmarkDeep()
	_ = cty.Walk(v, func(_ cty.Path, e cty.Value) (bool, error) { // no error is given
		if e.Type() == cty.Number && e.IsKnown() && !e.IsNull() && !numberInRange(e) {
			ok = false
		}
		return ok, nil
	})
	return ok
}

// log2of10 is log2(10) rounded up: the exponents of big.Float are binary.
const log2of10 = 3.33

func floatInRange(f *big.Float) bool {
	if f.IsInf() {
		return true // division by zero; written as "+Inf"
	}
	exp := float64(f.MantExp(nil))
	return exp <= maxExponent*log2of10 && exp >= -4*maxExponent*log2of10
}

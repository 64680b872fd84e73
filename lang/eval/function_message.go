package eval

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// messageFunctions are handbill's own, for the texts of messages.
func messageFunctions() []definition {
	return []definition{
		{name: "plural", fn: pluralFunc},
		{name: "money", fn: moneyFunc},
		{name: "truncate", fn: truncateFunc},
		{name: "media_id", fn: mediaIDFunc},
	}
}

var pluralFunc = function.New(&function.Spec{
	Description: "Returns one when n is 1 or -1, else other: \"${n} ${plural(n, \"item\", \"items\")}\".",
	Params: []function.Parameter{
		{Name: "n", Description: "How many.", Type: cty.Number},
		stringParam("one", "The word for one."),
		stringParam("other", "The word for any other number."),
	},
	Type: function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if args[0].Absolute().RawEquals(cty.NumberIntVal(1)) {
			return args[1], nil
		}
		return args[2], nil
	},
})

var truncateFunc = function.New(&function.Spec{
	Description: "Shortens a text to at most n characters as WhatsApp counts them (Unicode code points), at the end of a word, and puts … where it was cut.",
	Params: []function.Parameter{
		stringParam("str", "The text."),
		{Name: "n", Description: "The largest number of characters, the … included.", Type: cty.Number},
	},
	Type: function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		n, accuracy := args[1].AsBigFloat().Int64()
		if accuracy != 0 || n < 1 {
			return cty.NilVal, function.NewArgError(1, &safeError{"The number of characters must be a whole number, at least 1."})
		}
		return cty.StringVal(truncate(args[0].AsString(), int(n))), nil
	},
})

// truncate cuts s to at most n code points. It cuts inside a word only if the word is
// longer than half of what is left. Characters joined by marks or joiners stay whole.
func truncate(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	cut := n - 1
	for cut > 0 && joined(runes[cut-1], runes[cut]) {
		cut--
	}
	if !unicode.IsSpace(runes[cut]) {
		word := cut
		for word > 0 && !unicode.IsSpace(runes[word-1]) {
			word--
		}
		if word > n/2 {
			cut = word
		}
	}
	return strings.TrimRightFunc(string(runes[:cut]), func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(",;:–—-", r)
	}) + "…"
}

const zeroWidthJoiner = '\u200d'

// joined reports whether b belongs to the same character as a before it.
func joined(a, b rune) bool {
	return a == zeroWidthJoiner || b == zeroWidthJoiner || unicode.Is(unicode.M, b) ||
		b >= 0x1F3FB && b <= 0x1F3FF || // skin tones
		isFlag(a) && isFlag(b)
}

func isFlag(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }

// mediaIDAttribute is the only attribute of media_id's result.
const mediaIDAttribute = "media_id"

var mediaIDFunc = function.New(&function.Spec{
	Description: "Names media that was uploaded to the provider before, in place of a link.",
	Params:      []function.Parameter{stringParam("id", "The id that the provider gave.")},
	Type:        function.StaticReturnType(cty.Object(map[string]cty.Type{mediaIDAttribute: cty.String})),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		return cty.ObjectVal(map[string]cty.Value{mediaIDAttribute: args[0]}), nil
	},
})

// MediaID returns the id in a value that media_id returned: an object
// {media_id = ID}. Program.Eval returns it as JSON, {"media_id":"ID"}.
func MediaID(v cty.Value) (string, bool) {
	v, _ = v.UnmarkDeep()
	if v == cty.NilVal || !v.IsWhollyKnown() || v.IsNull() || !v.Type().IsObjectType() || !v.Type().HasAttribute(mediaIDAttribute) {
		return "", false
	}
	id := v.GetAttr(mediaIDAttribute)
	if id.Type() != cty.String || id.IsNull() {
		return "", false
	}
	return id.AsString(), true
}

var moneyFunc = function.New(&function.Spec{
	Description: "Writes an amount of money with as many decimals as its currency has (ISO 4217): \"19.90 EUR\", or as people of a locale write it: money(19.9, \"EUR\", \"de\") is \"19,90 €\".",
	Params: []function.Parameter{
		{Name: "amount", Description: "The amount, in units of the currency; halves are rounded away from zero.", Type: cty.Number},
		stringParam("currency", "The currency's code, such as \"EUR\"."),
	},
	VarParam: &function.Parameter{Name: "locale", Description: "One locale: " + localeNames() + ".", Type: cty.String},
	Type:     function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		currency := args[1].AsString()
		decimals, ok := currencyDecimals(currency)
		if !ok {
			return cty.NilVal, function.NewArgError(1, &safeError{"This is not the code of a currency (ISO 4217), such as \"EUR\"."})
		}
		if len(args) > 3 {
			return cty.NilVal, &safeError{"The function money takes one locale."}
		}
		digits := fixed(args[0].AsBigFloat(), decimals)
		if len(args) == 2 {
			return cty.StringVal(digits + " " + currency), nil
		}
		style, ok := localeStyle(args[2].AsString())
		if !ok {
			return cty.NilVal, function.NewArgError(2, &safeError{fmt.Sprintf("The locale must be one of %s.", localeNames())})
		}
		return cty.StringVal(style.write(digits, currency)), nil
	},
})

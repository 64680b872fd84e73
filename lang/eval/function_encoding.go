package eval

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"github.com/handbill/handbill/message"
)

func encodingFunctions() []definition {
	return []definition{
		{name: "csvdecode", fn: stdlib.CSVDecodeFunc},
		{name: "jsonencode", fn: stdlib.JSONEncodeFunc, check: checkEncode},
		{name: "jsondecode", fn: stdlib.JSONDecodeFunc, check: checkDecode},
		{name: "base64encode", fn: encoding("Encodes a string as Base64.", func(s string) (string, error) {
			return base64.StdEncoding.EncodeToString([]byte(s)), nil
		})},
		{name: "base64decode", fn: encoding("Decodes a string from Base64; the result must be UTF-8 text.", decodeBase64)},
		{name: "urlencode", fn: encoding("Encodes a string for the query of a URL.", func(s string) (string, error) {
			return url.QueryEscape(s), nil
		})},
		{name: "unescape", fn: encoding("Replaces HTML entities, such as &amp; and &#39;, by their characters.", func(s string) (string, error) {
			return message.UnescapeHTML(s), nil
		})},
		{name: "sha256", fn: encoding("Returns the SHA-256 of a string, in hexadecimal digits.", func(s string) (string, error) {
			sum := sha256.Sum256([]byte(s))
			return hex.EncodeToString(sum[:]), nil
		})},
	}
}

// encoding makes a function from one string to another.
func encoding(description string, fn func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{stringParam("str", "The string to convert.")},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := fn(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.StringVal(s), nil
		},
	})
}

func decodeBase64(s string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", &safeError{"This is not Base64."}
	}
	if !utf8.Valid(raw) {
		return "", &safeError{"What is encoded here is not UTF-8 text."}
	}
	return string(raw), nil
}

func checkEncode(args []cty.Value) error {
	v, ok := arg[cty.Value](args, 0)
	if !ok {
		return nil
	}
	if elements, bytes := weight(v, maxElements); elements+bytes > maxString {
		return &safeError{stringTooLongDetail}
	}
	return nil
}

// checkDecode keeps deeply nested JSON from the decoder, which is recursive.
func checkDecode(args []cty.Value) error {
	s, ok := arg[string](args, 0)
	if ok && scanJSONValue([]byte(s)) != nil {
		return function.NewArgError(0, &safeError{"The JSON is nested too deeply, or holds a number that is out of range."})
	}
	return nil
}

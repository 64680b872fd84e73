package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"unicode"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

// attributeValue returns an argument's value as a person would write it in a file.
func attributeValue(a *lang.Attribute) string {
	switch {
	case a == nil:
		return "null"
	case a.Sensitive:
		return "(sensitive value)"
	case a.Reference:
		return message.SafeText(a.Value)
	}
	return jsonValue(a.Value)
}

// jsonValue returns a JSON value in HCL's syntax, on one line.
func jsonValue(src string) string {
	dec := json.NewDecoder(strings.NewReader(src))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return message.SafeText(src)
	}
	return hclValue(v)
}

func hclValue(v any) string {
	switch v := v.(type) {
	case string:
		return quote(v)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = hclValue(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok && len(v) == 1 {
			return message.SafeText(ref)
		}
		names := make([]string, 0, len(v))
		for k := range v {
			names = append(names, k)
		}
		sort.Strings(names)
		parts := make([]string, len(names))
		for i, k := range names {
			parts[i] = message.SafeText(k) + " = " + hclValue(v[k])
		}
		if len(parts) == 0 {
			return "{}"
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	case nil:
		return "null"
	}
	out, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return string(out)
}

// quote returns s as a quoted template. Line breaks and quotes are escaped, except
// in interpolations, which are expressions. Characters that could disturb a
// terminal are shown as text.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	depth := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		opens := depth == 0 && (c == '$' || c == '%') && strings.HasPrefix(s[i+1:], "{") && (i == 0 || s[i-1] != c)
		switch {
		case opens:
			b.WriteString(s[i : i+2])
			depth, i = 1, i+1
		case depth > 0:
			depth += map[byte]int{'{': 1, '}': -1}[c]
			b.WriteByte(c)
		default:
			b.WriteString(escapeByte(c))
		}
	}
	return message.SafeText(b.String() + `"`)
}

func escapeByte(c byte) string {
	switch c {
	case '\\':
		return `\\`
	case '"':
		return `\"`
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	}
	return string([]byte{c})
}

// text is the string that a JSON value holds, and whether it is one.
func text(a *lang.Attribute) (string, bool) {
	if a == nil || a.Sensitive || a.Reference {
		return "", false
	}
	var s string
	if err := json.Unmarshal([]byte(a.Value), &s); err != nil {
		return "", false
	}
	return s, true
}

// encode returns v as JSON without HTML escaping, with a line break at the end.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return escapeUnseen(b.Bytes()), nil
}

// escapeUnseen writes characters that change the direction of text, or that a
// terminal interprets, as JSON escapes. The document stays equivalent and is safe
// to look at.
func escapeUnseen(document []byte) []byte {
	if !bytes.ContainsFunc(document, unseen) {
		return document
	}
	var b bytes.Buffer
	for _, r := range string(document) {
		if unseen(r) {
			fmt.Fprintf(&b, "\\u%04x", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.Bytes()
}

func unseen(r rune) bool {
	return r >= 0x7f && r <= 0x9f || unicode.Is(unicode.Bidi_Control, r)
}

// Value formats a value of the language as a person would write it; sensitive
// values are not shown.
func Value(v cty.Value) string {
	if v.ContainsMarked() {
		return "(sensitive value)"
	}
	if !v.IsWhollyKnown() {
		return "(known at apply)"
	}
	data, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return "(" + v.Type().FriendlyName() + ")"
	}
	return jsonValue(string(data))
}

package audience

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/big"
	"strconv"
	"strings"

	"github.com/handbill/handbill/message"
)

// eachMember calls f with every key and value of the object in s, which must
// be valid JSON. Strings without escapes share the memory of s.
func eachMember(s string, f func(key string, v message.Value) error) error {
	c := cursor{s: s, i: 1}
	for c.space(); c.s[c.i] != '}'; c.space() {
		if c.s[c.i] == ',' {
			c.i++
			c.space()
		}
		key, err := c.text()
		if err != nil {
			return err
		}
		c.space()
		c.i++ // the colon
		c.space()
		v, err := c.value()
		if err != nil {
			return err
		}
		if err := f(key, v); err != nil {
			return err
		}
	}
	return nil
}

// cursor walks over JSON that is known to be valid.
type cursor struct {
	s string
	i int
}

func (c *cursor) space() {
	for c.i < len(c.s) && strings.IndexByte(" \t\r\n", c.s[c.i]) >= 0 {
		c.i++
	}
}

// end moves past the string literal at i and reports whether it has escapes.
func (c *cursor) end() (escaped bool) {
	for c.i++; c.s[c.i] != '"'; c.i++ {
		if c.s[c.i] == '\\' {
			escaped = true
			c.i++
		}
	}
	c.i++
	return escaped
}

// text is the string literal at i.
func (c *cursor) text() (string, error) {
	from := c.i
	if !c.end() {
		return c.s[from+1 : c.i-1], nil
	}
	var out string
	if err := json.Unmarshal([]byte(c.s[from:c.i]), &out); err != nil {
		return "", errors.New("a string cannot be read")
	}
	if strings.IndexByte(out, 0) >= 0 {
		return "", errors.New("a string holds a NUL character")
	}
	return out, nil
}

func (c *cursor) value() (message.Value, error) {
	from := c.i
	switch c.s[c.i] {
	case '"':
		s, err := c.text()
		return message.Str(s), err
	case '{', '[':
		return c.nested()
	}
	for c.i < len(c.s) && strings.IndexByte(",}] \t\r\n", c.s[c.i]) < 0 {
		c.i++
	}
	switch word := c.s[from:c.i]; word {
	case "null":
		return message.Value{}, nil
	case "true", "false":
		return message.Value{Kind: message.Bool, Text: word}, nil
	default:
		return number(word)
	}
}

// nested is the array or object at i, without spaces.
func (c *cursor) nested() (message.Value, error) {
	from, depth := c.i, 1 // the record itself
	for {
		switch c.s[c.i] {
		case '"':
			c.end()
			continue
		case '{', '[':
			if depth++; depth > maxDepth {
				return message.Value{}, errors.New(sprintf("nested deeper than %d", maxDepth))
			}
		case '}', ']':
			depth--
		}
		c.i++
		if depth == 1 {
			break
		}
	}
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(c.s[from:c.i])); err != nil {
		return message.Value{}, errors.New("a value cannot be read")
	}
	return message.Value{Kind: message.JSON, Text: b.String()}, nil
}

// number is the value of a decimal number, in the form that HCL prints:
// without exponent and trailing zeros.
func number(s string) (message.Value, error) {
	const maxLen, maxExponent, precision = 100, 308, 512 // precision: as cty parses numbers
	v := message.Value{Kind: message.Number, Text: s}
	if len(s) > maxLen {
		return v, errors.New(sprintf("a number of more than %d characters", maxLen))
	}
	if s != "-0" && !strings.ContainsAny(s, ".eE") {
		return v, nil
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if e, err := strconv.Atoi(s[i+1:]); err != nil || e > maxExponent || e < -maxExponent {
			return v, errors.New(sprintf("a number with an exponent beyond %d", maxExponent))
		}
	}
	f, _, err := big.ParseFloat(s, 10, precision, big.ToNearestEven)
	if err != nil || f.IsInf() {
		return v, errors.New("a number that cannot be read")
	}
	if v.Text = f.Text('f', -1); v.Text == "-0" {
		v.Text = "0"
	}
	return v, nil
}

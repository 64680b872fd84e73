package providers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Writer writes JSON in the order of its calls, so that equal messages become
// equal bytes. It escapes only what JSON requires. It keeps the first failure that
// its caller reports. The zero value is ready to use.
type Writer struct {
	buf []byte
	err error
}

// Bytes returns the JSON written so far.
func (w *Writer) Bytes() []byte { return w.buf }

// Fail records that something cannot be written; Err returns the first of these.
func (w *Writer) Fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}

// Err returns the first failure, or nil.
func (w *Writer) Err() error { return w.err }

// Open begins an object ('{') or an array ('[').
func (w *Writer) Open(c byte) {
	w.comma()
	w.buf = append(w.buf, c)
}

// Close ends an object ('}') or an array (']').
func (w *Writer) Close(c byte) { w.buf = append(w.buf, c) }

// Key writes the name of an object's next value.
func (w *Writer) Key(name string) {
	w.comma()
	w.buf = AppendString(w.buf, name)
	w.buf = append(w.buf, ':')
}

// Begin writes a key and opens its value, '{' or '['.
func (w *Writer) Begin(name string, c byte) {
	w.Key(name)
	w.Open(c)
}

// String writes a string as the next element or value.
func (w *Writer) String(s string) {
	w.comma()
	w.buf = AppendString(w.buf, s)
}

// Object writes a key and text, which must be a JSON object, as the configuration
// gives it. Anything else is a failure.
func (w *Writer) Object(key, text string) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil || compact.Bytes()[0] != '{' {
		w.Fail("%s: expected a JSON object", key)
		return
	}
	w.Key(key)
	w.Raw(compact.String())
}

// Raw writes JSON as it is.
func (w *Writer) Raw(text string) {
	w.comma()
	w.buf = append(w.buf, text...)
}

// Field writes a key and a string.
func (w *Writer) Field(name, s string) {
	w.Key(name)
	w.String(s)
}

// Optional writes a key and a string, or nothing where the string is empty.
func (w *Writer) Optional(name, s string) {
	if s != "" {
		w.Field(name, s)
	}
}

// comma writes a comma where one is needed: not at the start, and not after a
// colon or an opening bracket. A string always ends in '"'.
func (w *Writer) comma() {
	if len(w.buf) == 0 {
		return
	}
	switch w.buf[len(w.buf)-1] {
	case '{', '[', ':':
	default:
		w.buf = append(w.buf, ',')
	}
}

const hexDigits = "0123456789abcdef"

// AppendString appends s to dst as a JSON string with its quotes. Bytes that
// are not UTF-8 become U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, s)
	return append(dst, '"')
}

func appendEscaped(dst []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, s[start:i]...)
				dst = append(dst, "\ufffd"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, c)
		i++
		start = i
	}
	return append(dst, s[start:]...)
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

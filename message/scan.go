package message

import (
	"unicode"
	"unicode/utf8"
)

// traits is what a text holds, as a set of bits.
type traits uint8

const (
	visible     traits = 1 << iota // a character that a reader can see
	invalid                        // a byte that is not UTF-8
	control                        // a control character but for line breaks and tabs
	lineBreak                      // \n, \r or \t
	space                          // any white space
	doubleSpace                    // two spaces in a row
	leftover                       // "${" or "%{"
)

// summary is what the rules want to know of a text. Those of the parts of a
// text add up to that of the whole, but for characters that are cut in two:
// then both parts are invalid.
type summary struct {
	runes, utf16 int
	has          traits
	first, last  byte
}

// scan summarises s.
func scan(s string) summary {
	if s == "" {
		return summary{}
	}
	sum := summary{runes: len(s), utf16: len(s), first: s[0], last: s[len(s)-1]}
	var prev byte
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			return scanRunes(s)
		case c == '{':
			sum.has |= visible
			if prev == '$' || prev == '%' {
				sum.has |= leftover
			}
		case c > ' ' && c < 0x7f:
			sum.has |= visible
		case c == ' ':
			sum.has |= space
			if prev == ' ' {
				sum.has |= doubleSpace
			}
		default:
			sum.has |= controlTraits(rune(c))
		}
		prev = c
	}
	return sum
}

func scanRunes(s string) summary {
	sum := summary{first: s[0], last: s[len(s)-1]}
	var prev rune
	for i, r := range s {
		sum.runes++
		sum.utf16++
		if r > 0xFFFF {
			sum.utf16++
		}
		switch {
		case r == utf8.RuneError:
			if _, size := utf8.DecodeRuneInString(s[i:]); size < 2 {
				sum.has |= invalid
			}
			sum.has |= visible
		case unicode.IsControl(r):
			sum.has |= controlTraits(r)
		case unicode.IsSpace(r):
			sum.has |= space
			if r == ' ' && prev == ' ' {
				sum.has |= doubleSpace
			}
		case r == '{' && (prev == '$' || prev == '%'):
			sum.has |= leftover | visible
		case !ignorable(r):
			sum.has |= visible
		}
		prev = r
	}
	return sum
}

func controlTraits(r rune) traits {
	if r == '\n' || r == '\r' || r == '\t' {
		return lineBreak | space
	}
	return control
}

// ignorable reports whether r is drawn as nothing at all.
func ignorable(r rune) bool {
	return r == 0x200B || r == 0x2060 || r == 0xFEFF || unicode.Is(unicode.Bidi_Control, r)
}

// join is the summary of a text a followed by a text b.
func join(a, b summary) summary {
	if a.runes == 0 {
		return b
	}
	if b.runes == 0 {
		return a
	}
	has := a.has | b.has
	if a.last == ' ' && b.first == ' ' {
		has |= doubleSpace
	}
	if b.first == '{' && (a.last == '$' || a.last == '%') {
		has |= leftover
	}
	return summary{runes: a.runes + b.runes, utf16: a.utf16 + b.utf16, has: has, first: a.first, last: b.last}
}

package message

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// traits is a set of bits that say what a text contains.
type traits uint16

const (
	visible     traits = 1 << iota // a character that a reader can see
	invalid                        // a byte that is not UTF-8
	control                        // a control character but for line breaks and tabs
	lineBreak                      // \n, \r or \t
	space                          // any white space
	doubleSpace                    // two spaces in a row
	leftover                       // "${" or "%{"
	foreign                        // a character outside ASCII
	ampersand                      // "&", with which HTML's entities begin
)

// summary is what the rules need to know about a text. The summaries of a text's
// parts add up to the summary of the whole, unless a character is split between two
// parts: then both parts are invalid.
type summary struct {
	runes, utf16 int
	has          traits
	first, last  byte
}

// ascii has the traits of each ASCII character.
var ascii = func() (table [utf8.RuneSelf]traits) {
	for c := range table {
		switch {
		case c == ' ':
			table[c] = space
		case c == '&':
			table[c] = visible | ampersand
		case c > ' ' && c < 0x7f:
			table[c] = visible
		default:
			table[c] = controlTraits(rune(c))
		}
	}
	return table
}()

// scan summarises s. Every value of a recipient passes through it.
func scan(s string) summary {
	if s == "" {
		return summary{}
	}
	has, braces := traits(0), false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			return scanRunes(s)
		}
		has |= ascii[c]
		braces = braces || c == '{'
		if c == ' ' && i > 0 && s[i-1] == ' ' {
			has |= doubleSpace
		}
	}
	return summary{
		runes: len(s), utf16: len(s), has: has | slots(s, braces),
		first: s[0], last: s[len(s)-1],
	}
}

// slots finds text that looks like an unfilled slot.
func slots(s string, braces bool) traits {
	if braces && (strings.Contains(s, "${") || strings.Contains(s, "%{")) {
		return leftover
	}
	return 0
}

func scanRunes(s string) summary {
	sum := summary{first: s[0], last: s[len(s)-1]}
	braces, last := false, rune(0)
	for i, r := range s {
		sum.runes++
		if r < utf8.RuneSelf {
			sum.has |= ascii[r]
			braces = braces || r == '{'
			if r == ' ' && last == ' ' {
				sum.has |= doubleSpace
			}
			last = r
			continue
		}
		last = r
		if r > 0xFFFF {
			sum.utf16++
		}
		sum.has |= runeTraits(r) | foreign
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)) {
			sum.has |= invalid
		}
	}
	sum.utf16 += sum.runes
	sum.has |= slots(s, braces)
	return sum
}

// runeTraits returns the traits of a character outside ASCII.
func runeTraits(r rune) traits {
	// Most texts are in these ranges, which contain no control characters, spaces
	// or invisible characters (TestRuneTraits).
	switch {
	case r >= 0xC0 && r < 0x34F, r > 0x34F && r < 0x600, // letters of Europe and the Near East
		r >= 0x620 && r < 0x115F, r > 0x1160 && r < 0x1680, // of the Near East, India, South East Asia, Georgia and Ethiopia
		r > 0x3000 && r < 0x3164, r > 0x3164 && r < 0xD7A4, // of China, Japan and Korea
		r >= 0x1F000 && r < 0x20000: // emoji
		return visible
	case unicode.IsControl(r):
		return control
	case unicode.IsSpace(r):
		return space
	case ignorable(r):
		return 0
	}
	return visible
}

func controlTraits(r rune) traits {
	if r == '\n' || r == '\r' || r == '\t' {
		return lineBreak | space
	}
	return control
}

// ignorable reports whether r is drawn as nothing.
func ignorable(r rune) bool {
	switch r {
	case 0x00AD, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, // blank letters and the soft hyphen
		0x034F, 0xFEFF:
		return true
	}
	// Default_Ignorable_Code_Point. Source: Unicode 15.0, DerivedCoreProperties.
	return r >= 0x180B && r <= 0x180F || r >= 0x200B && r <= 0x200F || r >= 0x202A && r <= 0x202E || r >= 0x2060 && r <= 0x206F ||
		r >= 0xFE00 && r <= 0xFE0F || r >= 0x1BCA0 && r <= 0x1BCA3 || r >= 0x1D173 && r <= 0x1D17A || r >= 0xE0000 && r <= 0xE0FFF ||
		unicode.Is(unicode.Bidi_Control, r)
}

// add appends: a becomes the summary of its text followed by the text of b.
func (a *summary) add(b *summary) {
	if b.runes == 0 {
		return
	}
	if a.runes == 0 {
		*a = *b
		return
	}
	if a.last == ' ' && b.first == ' ' {
		a.has |= doubleSpace
	}
	if b.first == '{' && (a.last == '$' || a.last == '%') {
		a.has |= leftover
	}
	a.runes += b.runes
	a.utf16 += b.utf16
	a.has |= b.has
	a.last = b.last
}

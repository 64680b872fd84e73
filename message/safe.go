package message

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SafeText makes a foreign text fit to be shown on a terminal, in a log or on
// a page: nothing in it can move the cursor, break a line, reverse the order
// of what is read, or hide. Control characters become "\n", "\x1b" and the
// like, invalid bytes "\xff", and invisible characters "<U+202E>". A joiner
// inside an emoji stays. Text without any of these is returned as it is.
// The result is for reading only: it can't be turned back.
func SafeText(s string) string {
	if isSafe(s) {
		return s
	}
	var out strings.Builder
	out.Grow(len(s) + 16)
	var prev rune
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		next, _ := utf8.DecodeRuneInString(s[i+size:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, s[i])
		case unicode.IsControl(r):
			out.WriteString(escapeControl(r))
		case r == zeroWidthJoiner && joinsEmoji(prev, next), !hides(r):
			out.WriteString(s[i : i+size])
		default:
			fmt.Fprintf(&out, "<U+%04X>", r)
		}
		prev = r
		i += size
	}
	return out.String()
}

const (
	zeroWidthJoiner   = 0x200D
	textSelector      = 0xFE0E
	variationSelector = 0xFE0F
)

func isSafe(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

func escapeControl(r rune) string {
	switch r {
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	}
	return fmt.Sprintf(`\x%02x`, r)
}

// hides reports whether r is invisible and changes how its surroundings are read:
// bidirectional controls, zero-width characters, line and paragraph separators,
// tags, fillers and other format characters. The two variation selectors that emoji
// use are allowed; all others can smuggle data and are not.
func hides(r rune) bool {
	switch r {
	case 0x2028, 0x2029, 0x034F, 0x115F, 0x1160, 0x3164, 0xFFA0:
		return true
	}
	if unicode.Is(unicode.Variation_Selector, r) {
		return r != variationSelector && r != textSelector
	}
	return unicode.Is(unicode.Cf, r)
}

// joinsEmoji reports whether a joiner between the two belongs to an emoji:
// after a symbol, a skin tone or a variation selector, and before a symbol.
func joinsEmoji(prev, next rune) bool {
	return (isPictograph(prev) || prev == variationSelector || prev >= 0x1F3FB && prev <= 0x1F3FF) && isPictograph(next)
}

func isPictograph(r rune) bool { return r > 0xFF && r != utf8.RuneError && unicode.Is(unicode.So, r) }

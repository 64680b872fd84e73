package message

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// masked replaces what Mask hides. Its length is always the same.
const masked = "•••••"

// Mask hides most of a recipient's key, a phone number or a user id, for everything
// that people or logs may read: "+49151•••••89". It shows at most the first five
// and the last two characters, and of short keys only a third or nothing. There are
// always five dots. Anything that is not a key is hidden completely.
func Mask(key string) string {
	plus := strings.HasPrefix(key, "+")
	rest := strings.TrimPrefix(key, "+")
	n := len(rest)
	if !plain(rest) {
		return masked
	}
	head, tail := n/3, 0
	if n >= 9 {
		head, tail = min(5, (n-2)/2), 2
	}
	out := rest[:head] + masked + rest[n-tail:]
	if plus {
		return "+" + out
	}
	return out
}

// plain reports whether s has only characters of numbers and user ids.
func plain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c != '.' {
			return false
		}
	}
	return true
}

// MaskName hides a person's name except for its first letter: "A•••".
func MaskName(name string) string {
	name = strings.TrimSpace(name)
	r, size := utf8.DecodeRuneInString(name)
	if size == len(name) || !unicode.IsLetter(r) {
		return "•••"
	}
	return name[:size] + "•••"
}

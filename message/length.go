package message

import "unicode/utf8"

// CodePoints counts s in Unicode code points, the unit of limits. A byte that is
// not UTF-8 counts as one.
//
// No page of Meta says what a "character" is. Code points are the strictest count
// that never refuses a text which WhatsApp is known to accept; if only the UTF-16
// count exceeds a limit, Check warns. Nothing is ever cut.
// Source: Meta, the message pages, all of which say "characters" only, read
// 2026-11-20.
func CodePoints(s string) int {
	if isASCII(s) {
		return len(s)
	}
	return utf8.RuneCountInString(s)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

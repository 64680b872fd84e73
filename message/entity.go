package message

import (
	"html"
	"regexp"
	"strings"
	"sync"
)

// entityShape is an HTML entity as web shops write it into exports, with its
// semicolon: HTML's own old ones without would make ¬ of "R&nothing".
var entityShape = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});`)
})

// UnescapeHTML replaces the HTML entities of s, such as "&amp;" and "&#39;", by
// their characters, once. What looks like one and is none stays.
func UnescapeHTML(s string) string {
	if !strings.Contains(s, "&") {
		return s
	}
	return entityShape().ReplaceAllStringFunc(s, html.UnescapeString)
}

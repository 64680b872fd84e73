package message

import (
	"html"
	"regexp"
	"strings"
	"sync"
)

// entityShape matches an HTML entity with its semicolon, as web shops export it.
// HTML also has old entities without one, but they would turn "R&nothing" into
// "R¬hing".
var entityShape = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});`)
})

// UnescapeHTML replaces the HTML entities of s, such as "&amp;" and "&#39;", by
// their characters, once. Anything that only looks like an entity is kept.
func UnescapeHTML(s string) string {
	if !strings.Contains(s, "&") {
		return s
	}
	return entityShape().ReplaceAllStringFunc(s, html.UnescapeString)
}

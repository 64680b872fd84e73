package eval

import (
	"github.com/zclconf/go-cty/cty"
)

// mark is the type of Sensitive, so that no other package's mark equals it.
type mark string

// Sensitive is the mark of values that must never be shown: those of env(), those of
// sensitive variables, and everything made from them.
const Sensitive = mark("sensitive")

// IsSensitive reports whether v or anything within it is sensitive.
func IsSensitive(v cty.Value) bool {
	_, marks := v.UnmarkDeep()
	_, ok := marks[Sensitive]
	return ok
}

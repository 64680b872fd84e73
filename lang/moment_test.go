package lang

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever the short way reads, time.Parse reads as the same moment.
func TestParseUTC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(
			rapid.StringMatching(`[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z`),
			rapid.StringMatching(`[0-9x]{4}.[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}[:.][0-9]{2}[Zz+]`),
		).Draw(t, "text")
		got, ok := parseUTC(s)
		if want, err := time.Parse(time.RFC3339, s); ok && (err != nil || got != want) {
			t.Fatalf("%q: %v, not %v %v", s, got, want, err)
		}
	})
	if _, ok := parseUTC("2026-03-01T09:00:00Z"); !ok {
		t.Error("the usual form is left to time.Parse")
	}
}

package message

import (
	"testing"
	"unicode"
)

// TestRuneTraits checks that the fast path for common scripts agrees with
// Unicode.
func TestRuneTraits(t *testing.T) {
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		want := visible
		switch {
		case unicode.IsControl(r):
			want = control
		case unicode.IsSpace(r):
			want = space
		case ignorable(r):
			want = 0
		}
		if got := runeTraits(r); got != want {
			t.Errorf("%U holds %b, want %b", r, got, want)
		}
	}
}

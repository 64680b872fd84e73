package eval

import (
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// TestComposed asks Unicode's tables about every character that is taken for
// composed: NFC must leave it alone, and it must not join what stands before.
func TestComposed(t *testing.T) {
	found := 0
	for r := rune(0x80); r <= utf8.MaxRune; r++ {
		s := string(r)
		if !composed(s) {
			continue
		}
		found++
		if !norm.NFC.IsNormalString(s) || !norm.NFC.PropertiesString(s).BoundaryBefore() || norm.NFC.PropertiesString(s).CCC() != 0 {
			t.Errorf("%U is taken for composed", r)
		}
	}
	if found < 20_000 {
		t.Errorf("only %d characters are taken for composed", found)
	}
}

// TestComposedStrings holds whole strings, broken ones among them, against the
// library.
func TestComposedStrings(t *testing.T) {
	pieces := []string{"a", "é", "Ω", "Ж", "ب", "李", "한", "e", "\u0301", "\u0653", "ا", "\u1161", "\u1100", "가", "\u11a8", "\xe5", "\xc3", "\x80", "\u0387", "😀"}
	rapid.Check(t, func(t *rapid.T) {
		s := ""
		for _, p := range rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 8).Draw(t, "pieces") {
			s += p
		}
		if composed(s) && (!norm.NFC.IsNormalString(s) || !utf8.ValidString(s)) {
			t.Fatalf("%q is taken for composed", s)
		}
	})
}

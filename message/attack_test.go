package message

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/handbill/handbill/internal/attack"
)

// TestAttacksAreHarmless runs safe text and the masks on the whole corpus.
func TestAttacksAreHarmless(t *testing.T) {
	for _, s := range attack.Texts() {
		for what, got := range map[string]string{"SafeText": SafeText("a" + s + "b"), "Mask": Mask(s), "MaskName": MaskName(s)} {
			if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool {
				return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
			}) {
				t.Errorf("%s of %q is %q", what, s, got)
			}
		}
	}
}

package message

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestUnescapeHTML(t *testing.T) {
	for in, want := range map[string]string{
		"Ann &amp; Bob": "Ann & Bob", "L&#39;Oréal": "L'Oréal", "&#x1F600;": "😀", "&quot;x&quot; &lt;3": "\"x\" <3", "Caf&eacute;": "Café",
		"&amp;amp;": "&amp;", "R&D; x": "R&D; x", "AT&T": "AT&T", "R&nothing": "R&nothing", "a & b; c": "a & b; c", "&;": "&;", "": "",
	} {
		if got := UnescapeHTML(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// TestEntityWarning checks that a text with an entity gives a warning, wherever
// the entity is split into parts, and that a text without one does not.
func TestEntityWarning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.SampledFrom([]string{"Ann ", "&", "amp", ";", "#39;", "&lt;", "12345678", "é"}), 1, 8).Draw(t, "pieces")
		whole := strings.Join(text, "")
		cut := rapid.IntRange(0, len(text)).Draw(t, "cut")
		d := &Draft{Message: &Text{}, Slots: []string{"a", "b"}, Bindings: []Binding{{Path: "body", Parts: []Part{{Slot: 0}, {Slot: 1}}}}}
		warned := false
		NewChecker(d, Limits{}).Check([]string{strings.Join(text[:cut], ""), strings.Join(text[cut:], "")}, func(v Violation) {
			warned = warned || v.Rule == "text.html_entity" && v.Severity == Warning
		})
		if want := UnescapeHTML(whole) != whole; warned != want {
			t.Fatalf("%q: warned %t, want %t", whole, warned, want)
		}
	})
}

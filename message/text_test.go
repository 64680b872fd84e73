package message

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestLengthUnits(t *testing.T) {
	cases := []struct {
		text            string
		runes, utf16len int
	}{
		{"", 0, 0},
		{"Aloe", 4, 4},
		{"Fußgänger", 9, 9},
		{"😀", 1, 2},
		{"👨‍👩‍👧", 5, 8},
		{"नमस्ते", 6, 6},
		{"a\xffb", 3, 3},
	}
	for _, c := range cases {
		if got := CodePoints(c.text); got != c.runes {
			t.Errorf("CodePoints(%q) = %d, want %d", c.text, got, c.runes)
		}
		if got := scan(c.text).utf16; got != c.utf16len {
			t.Errorf("%q has %d code units of UTF-16, want %d", c.text, got, c.utf16len)
		}
	}
}

// For every text, the lengths agree with the standard library's, and the single
// scan of the checks agrees with them.
func TestLengthsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawText(t, "text") + rapid.String().Draw(t, "more")
		sum := scan(s)
		if n := utf8.RuneCountInString(s); CodePoints(s) != n || sum.runes != n {
			t.Fatalf("%d code points, not %d or %d", n, CodePoints(s), sum.runes)
		}
		if n := len(utf16.Encode([]rune(s))); sum.utf16 != n {
			t.Fatalf("%d code units, not %d", n, sum.utf16)
		}
		if utf8.ValidString(s) == (sum.has&invalid != 0) {
			t.Fatal("the scan is wrong about UTF-8")
		}
	})
}

// Scanning a text eight characters at a time gives the same result as one by one.
func TestScanAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alphabet := rapid.SampledFrom([]rune("ab ${%\n\r\t\x00\x1f\x7f~é李가\u200b\u00a0😀"))
		s := rapid.StringOfN(alphabet, 0, 40, -1).Draw(t, "text") + drawText(t, "more")
		var want summary
		for i := 0; i < len(s); {
			_, size := utf8.DecodeRuneInString(s[i:])
			next := scan(s[i : i+size])
			want.add(&next)
			i += size
		}
		if got := scan(s); got != want {
			t.Fatalf("%q: %+v, by characters %+v", s, got, want)
		}
	})
}

func TestMask(t *testing.T) {
	cases := map[string]string{
		"+4915112345689":               "+49151•••••89",
		"+15550001111":                 "+1555•••••11",
		"+4912345":                     "+49•••••",
		"112":                          "1•••••",
		"+":                            "+•••••",
		"":                             "•••••",
		"US.13491208655302741918":      "US.13•••••18",
		"Ana Diaz":                     "•••••",
		"+49 151 12345689":             "•••••",
		"\x1b[31m":                     "•••••",
		"+491511234568949151123456789": "+49151•••••89",
	}
	for key, want := range cases {
		if got := Mask(key); got != want {
			t.Errorf("Mask(%q) = %q, want %q", key, got, want)
		}
	}
}

func FuzzMask(f *testing.F) {
	for _, s := range []string{"", "+", "+4915112345689", "US.13491208655302741918", "Ana", "+1\x00", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, key string) {
		got := Mask(key)
		shown := strings.TrimPrefix(strings.ReplaceAll(got, masked, ""), "+")
		if len(shown) > 7 || 3*len(shown) > 2*len(key) {
			t.Fatalf("Mask(%q) = %q shows too much", key, got)
		}
		if !strings.Contains(got, masked) || SafeText(got) != got {
			t.Fatalf("Mask(%q) = %q", key, got)
		}
		if name := MaskName(key); utf8.RuneCountInString(name) > 4 || SafeText(name) != name {
			t.Fatalf("MaskName(%q) = %q", key, name)
		}
	})
}

func TestMaskName(t *testing.T) {
	for name, want := range map[string]string{"Ana Diaz": "A•••", " émile": "é•••", "A": "•••", "": "•••", "😀x": "•••", "\x1b[0m": "•••"} {
		if got := MaskName(name); got != want {
			t.Errorf("MaskName(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestSafeText(t *testing.T) {
	cases := map[string]string{
		"Grüße 👍🏽 an «Ana» — नमस्ते": "Grüße 👍🏽 an «Ana» — नमस्ते",
		"two\nlines\tand\rmore":      `two\nlines\tand\rmore`,
		"\x1b[31mred\x7f":            `\x1b[31mred\x7f`,
		"\u0085\u009b31m":            `\x85\x9b31m`,
		"a\u2028b\u2029c":            "a<U+2028>b<U+2029>c",
		"user\u202egpj.exe":          "user<U+202E>gpj.exe",
		"\u2066x\u2069\u200e\u061c":  "<U+2066>x<U+2069><U+200E><U+061C>",
		"pass\u200bword\ufeff\u00ad": "pass<U+200B>word<U+FEFF><U+00AD>",
		"👨‍👩‍👧 ❤️‍🔥 👩🏽‍🚀":            "👨‍👩‍👧 ❤️‍🔥 👩🏽‍🚀",
		"a\u200db":     "a<U+200D>b",
		"👍\u200d":      "👍<U+200D>",
		"a\U000E0100b": "a<U+E0100>b",
		"\xff\xe2\x82": `\xff\xe2\x82`,
		"\ufffd":       "\ufffd",
		"":             "",
	}
	for text, want := range cases {
		if got := SafeText(text); got != want {
			t.Errorf("SafeText(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzSafeText(f *testing.F) {
	for _, s := range []string{"", "a\x00b", "\u202e", "👩🏽‍🚀", "\xff", "👍\u200d👍", "a\u200d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := SafeText(s)
		if !utf8.ValidString(got) {
			t.Fatalf("%q is not UTF-8", got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
				t.Fatalf("%q holds %U", got, r)
			}
		}
		if SafeText(got) != got {
			t.Fatalf("%q is escaped twice", got)
		}
	})
}

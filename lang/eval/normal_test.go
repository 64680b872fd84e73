package eval

import (
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// TestNormalCharacters asks the library about every character. A character that
// counts as normal must be unchanged by it, and must not combine with the one
// before it.
func TestNormalCharacters(t *testing.T) {
	found := 0
	for r := rune(0x80); r <= utf8.MaxRune; r++ {
		s := string(r)
		if !norm.NFC.IsNormalString(s) && normal(s) {
			t.Errorf("%U is taken for normal", r)
		}
		if normal(s) && r != utf8.RuneError {
			found++
		}
		apart := norm.NFD.String(s)
		last, size := utf8.DecodeLastRuneInString(apart)
		if size < len(apart) && norm.NFC.String(apart) == s && normalClass(last) != notNormal {
			t.Errorf("%U joins what stands before it, and is taken for normal", last)
		}
	}
	if found < 1_000_000 { // most code points are not assigned
		t.Errorf("only %d characters are taken for normal", found)
	}
}

// TestNormal compares whole strings, including broken ones, with the library.
// Ordinary names take the fast path.
func TestNormal(t *testing.T) {
	pieces := []string{"a", "é", "Ω", "Ж", "ب", "李", "한", "e", "\u0301", "\u0653", "ا", "\u1161", "\u1100", "가", "\u11a8", "\xe5", "\xc3", "\x80", "\u0387", "😀",
		"\u0323", "\u0345", "\u094d", "\u093c", "क", "ख़", "\u09be", "\u09c7", "\u0e38", "\u200d", "\ufffd", "か", "\u3099", "\U00011099", "\U000110ba"}
	rapid.Check(t, func(t *rapid.T) {
		s := ""
		for _, p := range rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 8).Draw(t, "pieces") {
			for range rapid.SampledFrom([]int{1, 1, 1, 1, 40}).Draw(t, "times") {
				s += p
			}
		}
		if normal(s) && (!norm.NFC.IsNormalString(s) || !utf8.ValidString(s)) {
			t.Fatalf("%q is taken for normal", s)
		}
	})
	for _, name := range []string{"Zoë", "Βασίλης", "Ольга", "فاطمة", "דוד", "प्रिया", "রহিম", "ਗੁਰਪ੍ਰੀਤ", "தமிழ்", "ಲಕ್ಷ್ಮಿ", "สมชาย", "မောင်", "ខ្មែរ", "ნინო", "Արամ", "አበበ", "李雷", "さくら", "김민준", "Kim 👩‍👩‍👧", "Nguyễn"} {
		if !normal(name) {
			t.Errorf("%q does not take the fast path", name)
		}
	}
}

func BenchmarkNormal(b *testing.B) {
	for script, s := range map[string]string{"latin": "José García", "cyrillic": "Ольга Иванова", "devanagari": "प्रिया शर्मा", "emoji": "Anna 🎉 Müller"} {
		b.Run(script, func(b *testing.B) {
			for b.Loop() {
				normal(s)
			}
		})
		b.Run(script+" by the library", func(b *testing.B) {
			for b.Loop() {
				norm.NFC.IsNormalString(s)
			}
		})
	}
}

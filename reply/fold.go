package reply

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// maxFold bounds how much of a text is compared, in bytes: no keyword is longer.
const maxFold = 4096

// fold brings a text into the form in which words are compared: it replaces
// compatibility characters, folds case, removes punctuation and invisible
// characters, and leaves single spaces. "ＳＴＯＰ!" becomes "stop".
func fold(s string) string {
	if s = strings.TrimSpace(s); len(s) > maxFold {
		s = s[:maxFold]
	}
	s = cases.Fold().String(norm.NFKC.String(s))
	s = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune("'’‘ʼ`´", r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Me, r), unicode.IsControl(r) && !unicode.IsSpace(r), isUnseen(r):
			return -1
		case unicode.IsSpace(r), unicode.IsPunct(r), unicode.IsSymbol(r):
			return ' '
		}
		return r
	}, norm.NFC.String(s))
	return strings.Join(strings.Fields(s), " ")
}

// isUnseen reports whether a character is invisible although Unicode counts it as a
// letter or a mark.
func isUnseen(r rune) bool {
	return r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF || strings.ContainsRune("\u034F\u115F\u1160\u17B4\u17B5\u3164\uFFA0", r)
}

// alike maps letters that Unicode does not decompose to those that people write
// instead.
var alike = map[rune]rune{
	'ı': 'i', 'ł': 'l', 'đ': 'd', 'ø': 'o', 'æ': 'a', 'œ': 'o',
	'ى': 'ي', 'ی': 'ي', 'ک': 'ك', 'ة': 'ه', 'ς': 'σ', 'ё': 'е',
}

// plain removes the accents of a folded text. It keeps the vowel signs of Indian and
// Thai scripts, which are not accents.
func plain(folded string) string {
	base := rune(0)
	s := strings.Map(func(r rune) rune {
		switch {
		case r == 'ـ': // lengthens an Arabic word
			return -1
		case !unicode.Is(unicode.Mn, r):
			base = r
		case unicode.In(base, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Arabic, unicode.Hebrew):
			return -1
		}
		if a, ok := alike[r]; ok {
			return a
		}
		return r
	}, norm.NFD.String(folded))
	return norm.NFC.String(s)
}

// unspaced reports whether a letter is of a script that is written without
// spaces between words.
func unspaced(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) || r == 'ー'
}

// words splits a folded text into words. In scripts without spaces, each letter is a
// word. Single letters in a row, as in "s t o p", are one word.
func words(folded string) []string {
	var out []string
	for _, f := range strings.Fields(folded) {
		from := 0
		for i, r := range f {
			if !unspaced(r) {
				continue
			}
			if from < i {
				out = append(out, f[from:i])
			}
			from = i + len(string(r))
			out = append(out, f[i:from])
		}
		if from < len(f) {
			out = append(out, f[from:])
		}
	}
	return joinLetters(out)
}

// joinLetters joins three or more single letters in a row into a word, and shortens
// letters that are drawn out, as in "stoooop".
func joinLetters(in []string) []string {
	out := in[:0:0]
	for i := 0; i < len(in); {
		j := i
		for j < len(in) && len(in[j]) == 1 && in[j][0] >= 'a' && in[j][0] <= 'z' {
			j++
		}
		if j-i >= 3 {
			out = append(out, strings.Join(in[i:j], ""))
			i = j
			continue
		}
		out = append(out, squeeze(in[i]))
		i++
	}
	return out
}

// squeeze shortens three or more of the same letter to one.
func squeeze(w string) string {
	var b strings.Builder
	rs := []rune(w)
	for i := 0; i < len(rs); {
		j := i
		for j < len(rs) && rs[j] == rs[i] {
			j++
		}
		n := j - i
		if n >= 3 && unicode.IsLetter(rs[i]) {
			n = 1
		}
		b.WriteString(string(rs[i : i+n]))
		i = j
	}
	return b.String()
}

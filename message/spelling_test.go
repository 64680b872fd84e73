package message

import (
	"testing"

	"pgregory.net/rapid"
)

func TestSpellingsOfOneAccount(t *testing.T) {
	for _, same := range [][2]string{
		{"+5551987654321", "+555187654321"},
		{"+5511987654321", "+551187654321"},
		{"+5215512345678", "+525512345678"},
		{"+5491123456789", "+541123456789"},
		{"+2290197123456", "+22997123456"},
	} {
		if a, b := Canonical(same[0]), Canonical(same[1]); a != b {
			t.Errorf("%s and %s are one account, keys %s and %s", same[0], same[1], a, b)
		}
		for i := range same {
			if got := OtherSpelling(same[i]); got != same[1-i] {
				t.Errorf("%s is also written %q, want %s", same[i], got, same[1-i])
			}
		}
	}
	for _, other := range [][2]string{
		{"+5511932345678", "+551132345678"}, // a mobile number that always had nine digits, and a landline
		{"+4915112345678", "+4915112345679"},
		{"+5215512345678", "+5215512345679"},
		{"+2290197123456", "+22997123457"},
		{"+2290297123456", "+22997123456"}, // no number of Benin begins like this
		{"+2250707123456", "+22507123456"}, // Ivory Coast's new digits depend on the operator
		{"US.13491208655302741918", "US.1"},
	} {
		if a, b := Canonical(other[0]), Canonical(other[1]); a == b {
			t.Errorf("%s and %s are two accounts, both with the key %s", other[0], other[1], a)
		}
	}
}

// Only a number and its other spelling have the same key.
func TestANumberHasTwoSpellingsAtMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.StringMatching(`\+(52|54|55|49|229|22901)[0-9]{8,13}`).Draw(t, "number")
		b := OtherSpelling(a)
		switch {
		case b == "" && Canonical(a) != a:
			t.Fatalf("%s has the key %s and no other spelling", a, Canonical(a))
		case b != "" && (b == a || Canonical(b) != Canonical(a) || OtherSpelling(b) != a):
			t.Fatalf("%s and %s are no pair", a, b)
		}
	})
}

package message

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A token is the same for the same delivery and link, another for any other, and
// another under another key.
func TestTokens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type of struct {
			key, lineage, campaign, recipient, link string
			revision, attempt                       int
		}
		draw := func() of {
			word := rapid.SampledFrom([]string{"", "a", "aa", "b", "+4915112345678"})
			return of{word.Draw(t, "key"), word.Draw(t, "lineage"), word.Draw(t, "campaign"), word.Draw(t, "recipient"), word.Draw(t, "link"),
				rapid.IntRange(1, 2).Draw(t, "revision"), rapid.IntRange(1, 2).Draw(t, "attempt")}
		}
		token := func(o of) string {
			return NewTokens([]byte(o.key), o.lineage).Of(o.campaign, o.recipient, o.revision, o.attempt, o.link)
		}
		a, b := draw(), draw()
		if got := token(a); !IsToken(got) || (got == token(b)) != (a == b) {
			t.Fatalf("%+v has %q, %+v has %q", a, got, b, token(b))
		}
	})
}

// Each letter is as likely as any other, at each place.
func TestTokensAreEven(t *testing.T) {
	const n = 62 * 400
	tokens := NewTokens([]byte("key"), "lineage")
	var seen [TokenLength]map[byte]int
	for i := range n {
		token := tokens.Of("campaign.spring", "+49151", 1, i, "link.shop")
		for at := range TokenLength {
			if seen[at] == nil {
				seen[at] = map[byte]int{}
			}
			seen[at][token[at]]++
		}
	}
	for at, counts := range seen {
		chi := 0.0
		for _, letter := range []byte(letters) {
			d := float64(counts[letter] - n/62)
			chi += d * d / (n / 62)
		}
		// 61 degrees of freedom; the chance of more than 120 is below 1 in 100,000,
		// and the tokens are the same in every run.
		if chi > 120 {
			t.Errorf("place %d: chi square is %.0f", at, chi)
		}
	}
}

func TestStandIns(t *testing.T) {
	form := regexp.MustCompile(`^TOKEN[0-9A-Za-z]{7}$`)
	seen := map[string]string{}
	for _, link := range []string{"link.shop", "link.help", `link.shop["de"]`, "module.m.link.shop"} {
		s := StandInFor(link)
		if !form.MatchString(s) || seen[s] != "" {
			t.Errorf("%s has %q, and so has %q", link, s, seen[s])
		}
		seen[s] = link
	}
}

func TestLinked(t *testing.T) {
	shop, help := StandInFor("link.shop"), StandInFor("link.help")
	d := &Draft{Message: &Text{}, Bindings: []Binding{{Path: "body", Parts: []Part{{Text: "https://go.example.com/", Slot: -1}, {Slot: 0}, {Slot: 1}}}}, Slots: []string{"link.shop", "x"},
		Links: []DraftLink{{Link: "link.shop", URL: "https://shop.example/", StandIn: shop}, {Link: "link.help", URL: "https://help.example/", StandIn: help}}}
	values := []string{shop, " or https://go.example.com/" + help + "/" + help}
	filled, tokens := d.Linked(values, func(link string) string { return strings.Repeat(link[5:6], TokenLength) })
	if got, want := d.Render(filled).(*Text).Body, "https://go.example.com/ssssssssssss or https://go.example.com/hhhhhhhhhhhh/hhhhhhhhhhhh"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(tokens) != 2 || values[0] != shop {
		t.Errorf("tokens %q, and the values are %q now", tokens, values)
	}
	if _, tokens := d.Linked([]string{shop, ""}, func(string) string { return "abcdefghijkl" }); tokens[0] != "abcdefghijkl" || tokens[1] != "" {
		t.Errorf("of a text with one of the two links: %q", tokens)
	}
	data, err := MarshalDraft(d)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := UnmarshalDraft(data); err != nil || len(again.Links) != 2 || again.Links[1] != d.Links[1] {
		t.Errorf("read back: %+v, %v", again, err)
	}
	d.Links[1].StandIn = shop
	if _, err := MarshalDraft(d); err == nil {
		t.Error("two links with one stand-in are written")
	}
}

func TestIsToken(t *testing.T) {
	for s, want := range map[string]bool{"": false, "0123456789Az": true, "0123456789A": false, "0123456789Azz": false, "0123456789A/": false, "0123456789A.": false, "0123456789é": false} {
		if IsToken(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}

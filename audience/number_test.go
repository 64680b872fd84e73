package audience

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"
)

// numbers is made once, since tests only read it.
var numbers = sync.OnceValue(NewNumbers)

func TestNumbersParse(t *testing.T) {
	for _, c := range []struct{ raw, region, want string }{
		// E.164 and international notations, whatever the region.
		{"+4915112345678", "", "+4915112345678"},
		{"+49 151 1234 5678", "BR", "+4915112345678"},
		{"0049 151 12345678", "BR", "+4915112345678"},
		{"0049 151 12345678", "US", "+4915112345678"},
		{"+0049 151 12345678", "US", "+4915112345678"},
		{"+49 (0)151 / 1234 56-78", "", "+4915112345678"},
		{"0049(0)15112345678", "", "+4915112345678"},
		{"(+49) 151.12345678", "", "+4915112345678"},
		{"[+49] 151~12345678", "", "+4915112345678"},
		{"+39 (0)6 1234 5678", "", "+390612345678"},
		{"+1 (415) 555‑2671", "DE", "+14155552671"},
		{"+44 0 7400 123456", "", "+447400123456"},
		{"+7 8 912 345 67 89", "", "+79123456789"},
		{"++91" + "09876543210", "", "+919876543210"},
		// National notations.
		{"0151 12345678", "DE", "+4915112345678"},
		{"0151 12345678", "de", "+4915112345678"},
		{"0171/3920001", "DE", "+491713920001"},
		{"(0)171 3920001", "DE", "+491713920001"},
		{"07400 123456", "UK", "+447400123456"},
		{"(415) 555-2671", "US", "+14155552671"},
		{"415.555.2671", "US", "+14155552671"},
		{"1-415-555-2671", "US", "+14155552671"},
		{"8 912 345 67 89", "RU", "+79123456789"},
		{"(11) 98765-4321", "BR", "+5511987654321"},
		{"98765 43210", "IN", "+919876543210"},
		{"011 49 151 12345678", "US", "+4915112345678"},
		// A spreadsheet dropped the zero or the plus.
		{"15112345678", "DE", "+4915112345678"},
		{"7400123456", "GB", "+447400123456"},
		{"447400123456", "GB", "+447400123456"},
		{"4915112345678", "DE", "+4915112345678"},
		{"491713920001", "DE", "+491713920001"},
		{"4915112345678", "US", "+4915112345678"},
		{"5511987654321", "BR", "+5511987654321"},
		{"55991234567", "BR", "+5555991234567"},
		{"393331234567", "IT", "+393331234567"},
		{"14155552671", "DE", "!ambiguous"},
		{"4915112345678", "", "!no_region"},
		{"0151 12345678", "", "!no_region"},
		{"0151 12345678", "Germany", "!unknown_region"},
		// Exports and people put text around a number.
		{"  +4915112345678\t", "", "+4915112345678"},
		{"'+4915112345678", "", "+4915112345678"},
		{"'0151 12345678", "DE", "+4915112345678"},
		{`="+4915112345678"`, "", "+4915112345678"},
		{`="015112345678"`, "DE", "+4915112345678"},
		{"=+4915112345678", "", "+4915112345678"},
		{`"+4915112345678"`, "", "+4915112345678"},
		{"+4915112345678;", "", "+4915112345678"},
		{"4915112345678.0", "DE", "+4915112345678"},
		{"tel:+49-151-12345678", "", "+4915112345678"},
		{"whatsapp:+4915112345678", "", "+4915112345678"},
		{"whatsapp:4915112345678", "", "+4915112345678"},
		{"4915112345678@c.us", "", "+4915112345678"},
		{"4915112345678@s.whatsapp.net", "US", "+4915112345678"},
		{"https://wa.me/4915112345678?text=hi", "", "+4915112345678"},
		{"https://api.whatsapp.com/send?phone=%2B4915112345678&text=x", "", "+4915112345678"},
		{"p:+4915112345678", "", "+4915112345678"},
		{"\u202a+49\u00a0151\u202f1234\u20115678\u202c", "", "+4915112345678"},
		{"＋４９１５１１２３４５６７８", "", "+4915112345678"},
		{"+٤٩١٥١١٢٣٤٥٦٧٨", "", "+4915112345678"},
		{"+49 151\n12345678", "", "+4915112345678"},
		// Numbering plans changed these numbers' form.
		{"+521 55 1234 5678", "", "+525512345678"},
		{"+5215512345678", "", "+525512345678"},
		{"5215512345678", "MX", "+525512345678"},
		{"5215512345678", "US", "+525512345678"},
		{"55 1234 5678", "MX", "+525512345678"},
		{"+54 11 15 2345 6789", "", "+5491123456789"},
		// These must not be sent to.
		{"", "DE", "!empty"},
		{" \u200b ", "DE", "!empty"},
		{"''", "DE", "!empty"},
		{`=""`, "DE", "!empty"},
		{"4.91512E+11", "DE", "!scientific"},
		{"4,91512E+11", "DE", "!scientific"},
		{"5E+11", "DE", "!scientific"},
		{"'4.91512e11", "DE", "!scientific"},
		{"=1+4915112345678", "DE", "!formula"},
		{`=HYPERLINK("x")`, "DE", "!formula"},
		{"#REF!", "DE", "!spreadsheet_error"},
		{"#N/A", "DE", "!spreadsheet_error"},
		{"0151 12345678 ::: 0151 12345679", "DE", "!several_numbers"},
		{"+4915112345678;+4915112345679", "DE", "!several_numbers"},
		{"+4915112345678, +4915112345679", "DE", "!several_numbers"},
		{"015112345678/015112345679", "DE", "!several_numbers"},
		{"030 1234567/68", "DE", "!several_numbers"},
		{"+4915112345678 +4915112345679", "DE", "!several_numbers"},
		{"015112345678\n015112345679", "DE", "!several_numbers"},
		{"015112345678 | 015112345679", "DE", "!several_numbers"},
		{"+1 415 555 2671 ext. 5", "US", "!extension"},
		{"+1 415 555 2671x5", "US", "!extension"},
		{"tel:+1-415-555-2671;ext=5", "US", "!extension"},
		{"+49 30 123456 #12", "DE", "!extension"},
		{"1-800-FLOWERS", "US", "!letters"},
		{"ask@example.org 12345678", "US", "!letters"},
		{"n/a", "US", "!not_a_number"},
		{"-", "US", "!not_a_number"},
		{"+", "US", "!not_a_number"},
		{"-4915112345678", "DE", "!not_a_number"},
		{"2026-03-01", "DE", "!not_a_number"},
		{"01.03.2026", "DE", "!not_a_number"},
		{"+49*151*12345678", "DE", "!not_a_number"},
		{strings.Repeat("1", 300), "DE", "!not_a_number"},
		{"+1 415 555 267", "US", "!too_short"},
		{"+1 5552671", "US", "!too_short"},
		{"4711", "DE", "!too_short"},
		{"+1 415 555 26710", "US", "!too_long"},
		{"123456789012345678901", "DE", "!too_long"},
		{"+999 1234567", "DE", "!unknown_calling_code"},
		{"+0151 12345678", "DE", "!unknown_calling_code"},
		{"US.13491208655302741918", "US", "!user_id"},
		{"@jaspersmarket", "US", "!username"},
	} {
		got, err := numbers().Parse(c.raw, c.region)
		if err != nil {
			var ne *NumberError
			if !errors.As(err, &ne) {
				t.Fatalf("Parse(%q, %q): error of type %T", c.raw, c.region, err)
			}
			got = "!" + ne.Reason
		}
		if got != c.want {
			t.Errorf("Parse(%q, %q) = %s, want %s", c.raw, c.region, got, c.want)
		}
	}
}

// Errors are in plans that others read, so they contain nothing of the cell.
func TestNumberErrorHidesTheNumber(t *testing.T) {
	_, err := numbers().Parse("4.91512E+12", "DE")
	if err == nil || strings.Contains(err.Error(), "4.91512") || !strings.Contains(err.Error(), "digits are lost") {
		t.Errorf("error %v; want what happened to the number, without the number", err)
	}
}

// TestFastPathAgrees checks that the fast path gives the same number as the
// library.
func TestFastPathAgrees(t *testing.T) {
	n := numbers()
	codes := slices.Sorted(maps.Keys(phonenumbers.GetSupportedCallingCodes()))
	taken := 0
	digits := rapid.StringMatching(`[0-9]{3,14}`)
	rapid.Check(t, func(t *rapid.T) {
		for range 200 {
			raw := fmt.Sprintf("+%d%s", rapid.SampledFrom(codes).Draw(t, "code"), digits.Draw(t, "rest"))
			if n.fast(raw) {
				taken++
				agree(t, raw)
			}
		}
	})
	if taken == 0 {
		t.Error("the fast path took none of the numbers")
	}
}

func agree(t *rapid.T, raw string) {
	num, err := phonenumbers.Parse(raw, "")
	if err != nil || !phonenumbers.IsPossibleNumber(num) {
		t.Fatalf("the fast path takes %s, the library does not (%v)", raw, err)
	}
	if got := phonenumbers.Format(num, phonenumbers.E164); got != raw {
		t.Fatalf("the fast path leaves %s, the library makes %s of it", raw, got)
	}
}

// Every country's example of a mobile number is accepted unchanged, most of
// them by the fast path.
func TestExampleNumbers(t *testing.T) {
	n, fast, all := numbers(), 0, 0
	for region := range phonenumbers.GetSupportedRegions() {
		example := phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE)
		if example == nil {
			continue
		}
		want := phonenumbers.Format(example, phonenumbers.E164)
		for _, raw := range []string{want, phonenumbers.Format(example, phonenumbers.INTERNATIONAL), phonenumbers.Format(example, phonenumbers.NATIONAL)} {
			if num, err := phonenumbers.Parse(raw, region); err != nil || phonenumbers.Format(num, phonenumbers.E164) != want {
				continue // the library does not parse its own notation of one Argentine number
			}
			if got, err := n.Parse(raw, region); got != want {
				t.Errorf("Parse(%q, %q) = %s, %v; want %s", raw, region, got, err, want)
			}
		}
		all++
		if n.fast(want) {
			fast++
		}
	}
	if fast*10 < all*8 {
		t.Errorf("the fast path takes %d of %d example numbers", fast, all)
	}
}

func TestUserID(t *testing.T) {
	for raw, want := range map[string]bool{
		"US.13491208655302741918": true, " DE.ENT.abc123 ": true, "'BR.1": true,
		"+4915112345678": false, "us.1": false, "US.": false, "US.1 2": false,
	} {
		if id, got := userID(raw); got != want || (got && strings.ContainsAny(id, " '")) {
			t.Errorf("userID(%q) = %q, %v", raw, id, got)
		}
	}
}

func FuzzNumbers(f *testing.F) {
	for _, s := range []string{"+49 (0)151 1", "=\"+1\"", "4.9E+11", "a/b", "(0)", "tel:+1;ext=2", "\u202a+1", "wa.me/1", "+", "0"} {
		f.Add(s, "DE")
	}
	n := numbers()
	f.Fuzz(func(t *testing.T, raw, region string) {
		got, err := n.Parse(raw, region)
		if err != nil {
			return
		}
		again, err := n.Parse(got, "")
		if err != nil || again != got {
			t.Errorf("Parse(%q, %q) = %s, which parses as %s, %v", raw, region, got, again, err)
		}
	})
}

func BenchmarkParseE164(b *testing.B) {
	n := numbers()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := n.Parse("+4915112345678", "DE"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseNational(b *testing.B) {
	n := numbers()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := n.Parse("0151 12345678", "DE"); err != nil {
			b.Fatal(err)
		}
	}
}

package audience

import (
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"
)

// TestTrunkZero: the regions in which a leading zero is surely a trunk prefix.
func TestTrunkZero(t *testing.T) {
	n, regions := NewNumbers(), 0
	for _, r := range n.regions {
		if r.trunk {
			regions++
		}
	}
	if !n.regions["DE"].trunk || n.regions["IT"].trunk || regions < 20 {
		t.Fatalf("%d regions have a trunk zero, Germany: %v, Italy: %v", regions, n.regions["DE"].trunk, n.regions["IT"].trunk)
	}
}

// TestQuickAgrees holds the short way against the library's, in every region and
// every form: numbers in use, numbers that are one digit away from them, and any
// digits, with separators between.
func TestQuickAgrees(t *testing.T) {
	n := NewNumbers()
	var regions []string
	for name := range n.regions {
		regions = append(regions, name)
	}
	slices.Sort(regions)
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		region := rapid.SampledFrom(regions).Draw(t, "region")
		raw := anyForm(t, n, region)
		quick, ok := n.quick(raw, region)
		if !ok {
			return
		}
		taken++
		long, err := n.slow(raw, region)
		if err != nil || long != quick {
			t.Fatalf("%q in %s: %s, and the library says %s, %v", raw, region, quick, long, err)
		}
	})
	if taken == 0 {
		t.Error("the short way took none of the numbers")
	}
}

// anyForm draws a cell that a person of the region could write.
func anyForm(t *rapid.T, n *Numbers, region string) string {
	kinds := []phonenumbers.PhoneNumberType{phonenumbers.MOBILE, phonenumbers.FIXED_LINE, phonenumbers.TOLL_FREE, phonenumbers.PREMIUM_RATE, phonenumbers.VOIP, phonenumbers.UAN}
	example := phonenumbers.GetExampleNumberForType(region, rapid.SampledFrom(kinds).Draw(t, "kind"))
	digits := rapid.StringMatching(`[0-9]{4,15}`).Draw(t, "any")
	if example != nil && rapid.IntRange(0, 9).Draw(t, "any digits") > 0 {
		national := []byte(phonenumbers.GetNationalSignificantNumber(example))
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			national[rapid.IntRange(0, len(national)-1).Draw(t, "at")] = "0123456789"[rapid.IntRange(0, 9).Draw(t, "digit")]
		}
		digits = string(national)
	}
	code := n.regions[region].code
	prefix := rapid.SampledFrom([]string{"", "", "", "0", "00" + code, "+" + code, "+" + code, code, "1", "8", "(0", "(", "'+" + code, "tel:+" + code, "tel:", "-", "+0", "(+" + code}).Draw(t, "prefix")
	var b strings.Builder
	b.WriteString(prefix)
	for i := range len(digits) {
		b.WriteString(rapid.SampledFrom([]string{"", "", "", "", "", " ", "-", ".", "(", ")", "  ", "(0)", ") "}).Draw(t, "between"))
		b.WriteByte(digits[i])
	}
	return b.String()
}

// TestQuickTakes: what people write goes the short way.
func TestQuickTakes(t *testing.T) {
	n := NewNumbers()
	for region, cells := range map[string][]string{
		"DE": {"0151 12345678", "0151-12345678", "(0151) 12345678", "+49 151 12345678", "0049 151 12345678", "+34 610 000 002", "tel:+34610000002", "'+49 151 12345678", "+49.151.12345678"},
		"US": {"(415) 555-0132", "415-555-0132", "+1 (415) 555-0132"},
		"ES": {"610 000 002", "610000002"}, "PL": {"512 345 678"}, "DK": {"32 12 34 56"}, "PT": {"912 345 678"}, "FR": {"06 12 34 56 78"},
		"GB": {"07400 123456"}, "NL": {"06-12345678"}, "IN": {"098765 43210", "81234 56789"}, "CZ": {"601 123 456"}, "NO": {"406 12 345"}, "": {"+34 610 000 002"},
	} {
		for _, raw := range cells {
			if got, ok := n.quick(raw, region); !ok {
				t.Errorf("%q in %q goes the long way", raw, region)
			} else if long, err := n.slow(raw, region); err != nil || long != got {
				t.Errorf("%q in %q: %s, and the library says %s, %v", raw, region, got, long, err)
			}
		}
	}
	for _, raw := range []string{"2012-11-30", "01.02.1999", "4915112345678.0", "+4915112345678.00", "+49 (0)151 12345678", "0151/12345678", "+49151+49151", "12 ext 3", "", "+", "- 0151 12345678", "00", "000000000"} {
		if got, ok := n.quick(raw, "DE"); ok {
			t.Errorf("%q is taken as %s", raw, got)
		}
	}
}

func BenchmarkParseSpaced(b *testing.B) {
	n := numbers()
	for name, raw := range map[string]string{"foreign": "+34 610 000 002", "national": "0151 12345678", "bare": "15112345678"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := n.Parse(raw, "DE"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

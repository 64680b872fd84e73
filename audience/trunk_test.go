package audience

import (
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"
)

// TestTrunkZero lists the regions in which a leading zero is certainly a trunk
// prefix.
func TestTrunkZero(t *testing.T) {
	n, regions := NewNumbers(), 0
	for name := range n.regions {
		if n.region(name).trunk {
			regions++
		}
	}
	if !n.region("DE").trunk || n.region("IT").trunk || regions < 20 {
		t.Fatalf("%d regions have a trunk zero, Germany: %v, Italy: %v", regions, n.region("DE").trunk, n.region("IT").trunk)
	}
}

// TestQuickAgrees compares the fast path with the library, in every region and
// notation: numbers in use, numbers that differ in one digit, and arbitrary
// digits, with separators between.
func TestQuickAgrees(t *testing.T) {
	n := NewNumbers()
	var regions []string
	for name := range n.regions {
		regions = append(regions, name)
	}
	slices.Sort(regions)
	taken, cleaned := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			region := rapid.SampledFrom(regions).Draw(t, "region")
			raw := anyForm(t, n, region)
			short, tables := quickAgrees(t, n, raw, region)
			if short {
				taken++
			}
			if tables {
				cleaned++
			}
		}
	})
	if taken == 0 || cleaned <= taken {
		t.Errorf("the fast path took %d of the numbers, and %d of cleaned cells", taken, cleaned)
	}
}

// quickAgrees compares what the fast path and the tables make of a cell with
// the library's result, and returns which of them accepted it.
func quickAgrees(t *rapid.T, n *Numbers, raw, region string) (short, tables bool) {
	cell, cellErr := cleanCell(raw)
	quick, short := n.quick(raw, region)
	switch {
	case cellErr != nil && short:
		t.Fatalf("%q in %s: %s, and the cell is refused: %v", raw, region, quick, cellErr)
	case cellErr != nil:
		return short, false
	}
	certain, tables := n.certain([]byte(cell.digits), cell.international, region)
	if !short && !tables {
		return false, false
	}
	want, err := n.library(cell, region)
	if err != nil || short && quick != want || tables && certain != want {
		t.Fatalf("%q in %s: %s, cleaned %s, and the library says %s, %v", raw, region, quick, certain, want, err)
	}
	return short, tables
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
	code := n.region(region).code
	prefix := rapid.SampledFrom([]string{"", "", "", "0", "00" + code, "+" + code, "+" + code, code, "1", "8", "(0", "(", "'+" + code, "tel:+" + code, "tel:", "-", "+0", "(+" + code, "+" + code + "(0)", "+" + code + " (0) "}).Draw(t, "prefix")
	var b strings.Builder
	b.WriteString(prefix)
	for i := range len(digits) {
		b.WriteString(rapid.SampledFrom([]string{"", "", "", "", "", " ", "-", ".", "(", ")", "  ", "(0)", ") ", "/"}).Draw(t, "between"))
		b.WriteByte(digits[i])
	}
	return b.String()
}

// libraryAlone parses a cell without the tables.
func libraryAlone(n *Numbers, raw, region string) (string, error) {
	cell, err := cleanCell(raw)
	if err != nil {
		return "", err
	}
	return n.library(cell, region)
}

// TestCommonNotationsTakeTheFastPath checks that common notations take the fast path.
func TestCommonNotationsTakeTheFastPath(t *testing.T) {
	n := NewNumbers()
	for region, cells := range map[string][]string{
		"DE": {"0151 12345678", "0151-12345678", "(0151) 12345678", "+49 151 12345678", "0049 151 12345678", "+34 610 000 002", "tel:+34610000002", "'+49 151 12345678", "+49.151.12345678", "+49 (0)151 12345678", "0151/12345678", "+49 151/12345678"},
		"US": {"(415) 555-0132", "415-555-0132", "+1 (415) 555-0132"},
		"ES": {"610 000 002", "610000002"}, "PL": {"512 345 678"}, "DK": {"32 12 34 56"}, "PT": {"912 345 678"}, "FR": {"06 12 34 56 78"},
		"GB": {"07400 123456"}, "NL": {"06-12345678"}, "IN": {"098765 43210", "81234 56789"}, "CZ": {"601 123 456"}, "NO": {"406 12 345"}, "": {"+34 610 000 002", "+55 (11) 98765-4321", "+54 9 11 2345-6789"},
	} {
		for _, raw := range cells {
			if got, ok := n.quick(raw, region); !ok {
				t.Errorf("%q in %q does not take the fast path", raw, region)
			} else if want, err := libraryAlone(n, raw, region); err != nil || want != got {
				t.Errorf("%q in %q: %s, and the library says %s, %v", raw, region, got, want, err)
			}
		}
	}
	for _, raw := range []string{"2012-11-30", "01.02.1999", "4915112345678.0", "+4915112345678.00", "+39 (0)6 12345678", "0049 (0)151 12345678", "+49 (0)151 (0)12345678", "01512345/678", "01/02/1999", "+49151+49151", "12 ext 3", "", "+", "- 0151 12345678", "00", "000000000"} {
		if got, ok := n.quick(raw, "DE"); ok {
			t.Errorf("%q is taken as %s", raw, got)
		}
	}
}

func BenchmarkParseSpaced(b *testing.B) {
	n := numbers()
	for name, raw := range map[string]string{"foreign": "+34 610 000 002", "national": "0151 12345678", "bare": "15112345678", "trunk": "+49 (0)151 12345678", "slash": "0151/12345678"} {
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

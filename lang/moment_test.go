package lang

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/lang/eval"
)

func TestParseMoment(t *testing.T) {
	ten := time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)
	for _, text := range []string{
		"2026-11-27T10:00:00Z", "2026-11-27T11:00:00+01:00", "2026-11-27T10:00:00.000Z", "2026-11-27T10:00Z", "2026-11-27T10:00:00+0000",
		"2026-11-27 10:00:00+00:00", "2026-11-27 10:00:00+00", "2026-11-27 11:00:00.000 +0100", "2026-11-27 10:00:00 UTC",
		"1795773600", "1795773600000", "Fri, 27 Nov 2026 10:00:00 GMT", "Fri, 27 Nov 2026 11:00:00 +0100", "27 Nov 2026 10:00:00 +0000",
	} {
		if got, ok := parseMoment(text); !ok || !got.Equal(ten) {
			t.Errorf("%q is read as %v, %t", text, got, ok)
		}
	}
	// A text that could mean another time is refused, and the advice is the
	// call that parses it.
	for text, want := range map[string]string{
		"2026-11-27":                    `parsetime(row.seen, "YYYY-MM-DD", "Europe/Berlin")`,
		"2026-11-27 10:00:00":           `parsetime(row.seen, "YYYY-MM-DD h:mm:ss", "Europe/Berlin")`,
		"2026-11-27T10:00":              `parsetime(row.seen, "YYYY-MM-DD'T'h:mm", "Europe/Berlin")`,
		"27/11/2026 10:00":              `Write parsetime(row.seen, "D/M/YYYY h:mm", "Europe/Berlin"), with`,
		"11/27/2026 10:00 AM":           `Write parsetime(row.seen, "M/D/YYYY H:mm AA", "Europe/Berlin"), with`,
		"11/27/2026 10:00:00pm":         `parsetime(row.seen, "M/D/YYYY H:mm:ssAA", "Europe/Berlin")`,
		"03/04/2026":                    `parsetime(row.seen, "D/M/YYYY", "Europe/Berlin") where the day comes first, or parsetime(row.seen, "M/D/YYYY", "Europe/Berlin") where the month does`,
		"27.11.2026":                    `parsetime(row.seen, "D.M.YYYY", "Europe/Berlin")`,
		"27 Oct 2026 9:05":              `parsetime(row.seen, "D MMM YYYY h:mm", "Europe/Berlin")`,
		"46353.4166":                    `parsetime(row.seen, "excel", "Europe/Berlin")`,
		"46353":                         `parsetime(row.seen, "excel", "Europe/Berlin")`,
		"20261127":                      `parsetime(row.seen, "YYYYMMDD", "Europe/Berlin")`,
		"202611271000":                  `parsetime(row.seen, "YYYYMMDDhhmm", "Europe/Berlin")`,
		"20261127100000":                `parsetime(row.seen, "YYYYMMDDhhmmss", "Europe/Berlin")`,
		"yesterday":                     `parsetime(row.seen, "DD/MM/YYYY hh:mm", "Europe/Berlin")`,
		"-5":                            "parsetime(",
		"Fri, 27 Nov 2026 10:00:00 CET": "parsetime(", // Go would take an unknown zone for UTC
	} {
		if got, ok := parseMoment(text); ok {
			t.Errorf("%q is read as %v", text, got)
		}
		advice := momentAdvice(text, "row.seen")
		if !strings.Contains(advice, want) || strings.Contains(advice, text) {
			t.Errorf("%q: %s", text, advice)
		}
	}
}

// TestMomentAdviceIsRight checks that the suggested call parses the text for
// which it is suggested.
func TestMomentAdviceIsRight(t *testing.T) {
	call := regexp.MustCompile(`parsetime\(row\.seen, "([^"]+)", "Europe/Berlin"\)`)
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(946684800, 4102444800).Draw(t, "at"), 0).UTC()
		form := rapid.SampledFrom([]string{"2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006/01/02 15:04", "02/01/2006 15:04", "1/2/2006 3:04 PM",
			"2.1.2006 15:04:05", "02-01-2006", "2 Jan 2006 15:04", "20060102", "200601021504", "20060102150405", "1/2/2006 3:04:05pm"}).Draw(t, "form")
		text := at.Format(form)
		if _, ok := parseMoment(text); ok {
			t.Fatalf("%q is read by itself", text)
		}
		read := false
		for _, found := range call.FindAllStringSubmatch(momentAdvice(text, "row.seen"), -1) {
			v, err := eval.Functions(eval.FunctionConfig{})["parsetime"].Call([]cty.Value{cty.StringVal(text), cty.StringVal(found[1]), cty.StringVal("UTC")})
			if err != nil {
				continue
			}
			want, err := time.Parse(form, text)
			if err != nil {
				t.Fatal(err)
			}
			read = read || v.AsString() == want.Format(time.RFC3339)
		}
		if !read {
			t.Fatalf("%q: %s", text, momentAdvice(text, "row.seen"))
		}
	})
}

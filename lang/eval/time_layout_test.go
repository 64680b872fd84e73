package eval

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	"pgregory.net/rapid"
)

func parsed(args ...string) (string, error) {
	values := make([]cty.Value, len(args))
	for i, a := range args {
		values[i] = cty.StringVal(a)
	}
	v, err := pureFunctions["parsetime"].Call(values)
	if err != nil {
		return "", err
	}
	return v.AsString(), nil
}

func TestParseTime(t *testing.T) {
	const berlin = "Europe/Berlin"
	for _, c := range []struct{ text, layout, zone, want string }{
		{"27/11/2026 10:00", "DD/MM/YYYY hh:mm", berlin, "2026-11-27T10:00:00+01:00"},
		{"11/27/2026 10:00 AM", "MM/DD/YYYY HH:mm AA", "America/New_York", "2026-11-27T10:00:00-05:00"},
		{"11/7/2026 12:05 pm", "M/D/YYYY H:mm AA", "UTC", "2026-11-07T12:05:00Z"},
		{"11/7/2026 12:05am", "M/D/YYYY H:mmaa", "UTC", "2026-11-07T00:05:00Z"},
		{"2026-11-27", "YYYY-MM-DD", berlin, "2026-11-27T00:00:00+01:00"},
		{" 27.11.26 ", "DD.MM.YY", "UTC", "2026-11-27T00:00:00Z"},
		{"20261127100501", "YYYYMMDDhhmmss", "UTC", "2026-11-27T10:05:01Z"},
		{"Fri, 27 Nov 2026 10:00:00.25 +0530", "EEE, D MMM YYYY hh:mm:ss ZZZZ", "UTC", "2026-11-27T10:00:00.25+05:30"},
		{"2026-11-27T10:00:00Z", "YYYY-MM-DD'T'hh:mm:ssZ", berlin, "2026-11-27T10:00:00Z"},
		{"November 7, 2026 at 9 o'clock", "MMMM D, YYYY 'at' h 'o''clock'", "UTC", "2026-11-07T09:00:00Z"},
		{"46353.4166", "excel", berlin, "2026-11-27T09:59:54+01:00"},
		{"46353,5", "excel", "UTC", "2026-11-27T12:00:00Z"},
		{"46353", "excel", "UTC", "2026-11-27T00:00:00Z"},
		// On the night when clocks go back one hour occurs twice; on the other
		// one an hour is missing.
		{"2026-10-25 02:30", "YYYY-MM-DD hh:mm", berlin, "2026-10-25T02:30:00+02:00"},
		{"2026-03-29 02:30", "YYYY-MM-DD hh:mm", berlin, "2026-03-29T01:30:00+01:00"},
		{"", "YYYY-MM-DD", berlin, ""},
	} {
		if got, err := parsed(c.text, c.layout, c.zone); err != nil || got != c.want {
			t.Errorf("parsetime(%q, %q, %q) is %q, %v; want %q", c.text, c.layout, c.zone, got, err, c.want)
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"31/02/2026", "DD/MM/YYYY", "UTC"}, `no time of the form "DD/MM/YYYY"`},
		{[]string{"27/11/2026 10:00", "DD/MM/YYYY", "UTC"}, "no time of the form"},
		{[]string{"27/11/2026 25:00", "DD/MM/YYYY hh:mm", "UTC"}, "no time of the form"},
		{[]string{"27/11/2026 13:00 AM", "DD/MM/YYYY HH:mm AA", "UTC"}, "no time of the form"},
		{[]string{"27/11/2026", "MM/DD/YYYY", "UTC"}, "no time of the form"},
		{[]string{"1e5", "excel", "UTC"}, "no time of the form"},
		{[]string{"03/04/2026", "DD/MM/YYYY", "MM/DD/YYYY", "UTC"}, `fits two of the layouts, "DD/MM/YYYY" and "MM/DD/YYYY"`},
		{[]string{"03/04/2026", "DD/MM/YYYY", "Mars/Crater"}, "a zone of the IANA database"},
		{[]string{"03/04/2026", "DD/MM/YYYY", "Local"}, "a zone of the IANA database"},
		{[]string{"03/04/2026", "DD/MM/YYYY"}, "and a zone"},
		{[]string{"03/04/2026", "dd/MM/YYYY", "UTC"}, "letters that mean no part of a time"},
		{[]string{"03/04/2026", "DD/MM/YYYYThh:mm", "UTC"}, "put text between quotation marks"},
		{[]string{"03/04/2026", "DD/MM/DD/YYYY", "UTC"}, "twice"},
		{[]string{"03/2026", "MM/YYYY", "UTC"}, "needs a year, a month and a day"},
		{[]string{"03/04/2026 1:00", "DD/MM/YYYY H:mm", "UTC"}, "go together"},
		{[]string{"03/04/2026", "DD/MM/YYYY'T", "UTC"}, "quotation mark"},
	} {
		_, err := parsed(c.args...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("parsetime(%q) says %v, want %q", c.args, err, c.want)
		} else if strings.Contains(err.Error(), c.args[0]) {
			t.Errorf("parsetime(%q) shows the value: %v", c.args, err)
		}
	}
	// Both layouts fit, and both give the same time.
	if got, err := parsed("4/4/2026", "D/M/YYYY", "M/D/YYYY", "UTC"); err != nil || got != "2026-04-04T00:00:00Z" {
		t.Errorf("the fourth of April: %q, %v", got, err)
	}
}

// goLayouts maps layouts to those of package time.
var goLayouts = map[string]string{
	"YYYY-MM-DD hh:mm:ss":         "2006-01-02 15:04:05",
	"DD/MM/YYYY hh:mm":            "02/01/2006 15:04",
	"M/D/YY H:mm AA":              "1/2/06 3:04 PM",
	"D.M.YYYY hh:m:s":             "2.1.2006 15:4:5",
	"EEEE, DD MMMM YYYY hh:mm:ss": "Monday, 02 January 2006 15:04:05",
	"EEE D MMM YYYY HH:mm:ss aa":  "Mon 2 Jan 2006 03:04:05 pm",
	"YYYY-MM-DD'T'hh:mm:ssZ":      "2006-01-02T15:04:05Z07:00",
	"YYYY-MM-DD hh:mm:ss ZZZZ":    "2006-01-02 15:04:05 -0700",
	"YYYY-MM-DD hh:mm:ss ZZZZZ":   "2006-01-02 15:04:05 -07:00",
	"YYYYMMDDhhmmss":              "20060102150405",
}

// TestParseTimeReversesFormatDate checks that parsetime reads what formatdate
// writes, and that it reads any text, even a damaged one, as the same moment as
// package time.
func TestParseTimeReversesFormatDate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		layout := rapid.SampledFrom(slices.Sorted(maps.Keys(goLayouts))).Draw(t, "layout")
		zone := time.FixedZone("", 60*15*rapid.IntRange(-48, 56).Draw(t, "offset"))
		at := time.Unix(rapid.Int64Range(0, 3_000_000_000).Draw(t, "at"), 0).In(zone)
		text := at.Format(goLayouts[layout])
		if v, err := stdlib.FormatDate(cty.StringVal(layout), cty.StringVal(at.Format(time.RFC3339))); err != nil || v.AsString() != text {
			t.Fatalf("formatdate writes %#v, %v; package time %q", v, err, text)
		}
		if damage := rapid.IntRange(0, 2).Draw(t, "damage"); damage > 0 {
			i := rapid.IntRange(0, len(text)-1).Draw(t, "where")
			put := rapid.SampledFrom([]string{"", "0", "9", "1", " ", "-", "Z", "x", ":", "٣"}).Draw(t, "put")
			text = text[:i] + put + text[i+damage-1:]
		}
		l, err := parseLayout(layout)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := l.read(text, time.UTC)
		want, err := time.ParseInLocation(goLayouts[layout], text, time.UTC)
		if ok && (err != nil || !got.Equal(want)) {
			t.Fatalf("%q by %q is %v; package time says %v, %v", text, layout, got, want, err)
		}
		if !ok && err == nil && want.Format(goLayouts[layout]) == text {
			t.Fatalf("%q is a time by %q, %v, and is not read", text, layout, want)
		}
	})
}

// TestInZone checks that the result shows the same wall clock in its zone,
// except in the hour that is skipped, and that no earlier moment does.
func TestInZone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo", "Africa/Cairo", "Pacific/Apia"}).Draw(t, "zone")
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		wall := time.Unix(60*rapid.Int64Range(20_000_000, 30_000_000).Draw(t, "minute"), 0).UTC()
		got := inZone(wall, zone)
		const form = "2006-01-02 15:04"
		shows := func(at time.Time) bool { return at.In(zone).Format(form) == wall.Format(form) }
		for _, early := range []time.Duration{30 * time.Minute, time.Hour} {
			if shows(got.Add(-early)) {
				t.Fatalf("%v in %s: %v, and an earlier one shows it too", wall, name, got)
			}
		}
		if !shows(got) && (shows(got.Add(time.Hour)) || shows(got.Add(30*time.Minute))) {
			t.Fatalf("%v in %s: %v does not show it", wall, name, got)
		}
	})
}

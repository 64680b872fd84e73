package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nyaruka/phonenumbers"

	"github.com/handbill/handbill/message"
)

func TestCountry(t *testing.T) {
	for to, want := range map[message.Address]string{
		{Phone: "+4915112345678"}:   "DE",
		{Phone: "+12025550123"}:     "US",
		{Phone: "+14165550123"}:     "CA",
		{Phone: "+17875550123"}:     "PR",
		{Phone: "+18765550123"}:     "JM",
		{Phone: "+18005550123"}:     "",
		{Phone: "+19115550123"}:     "",
		{Phone: "+12"}:              "",
		{Phone: "+79161234567"}:     "RU",
		{Phone: "+77011234567"}:     "KZ",
		{Phone: "+61412345678"}:     "AU CC CX",
		{Phone: "+5351234567"}:      "CU",
		{Phone: "+989121234567"}:    "IR",
		{Phone: "+8501921234567"}:   "KP",
		{Phone: "+963931234567"}:    "SY",
		{Phone: "+88212345678"}:     "",
		{UserID: "US.134912086553"}: "US",
		{UserID: "CU.134912086553"}: "CU",
		{UserID: "ZZ.134912086553"}: "",
		{UserID: "anything"}:        "",
	} {
		if got := country(to); got != want {
			t.Errorf("%s: %q, want %q", to.Key(), got, want)
		}
	}
}

// TestAreaCodesAgreeWithTheLibrary compares the table with the library's
// metadata, from which it was made, so that an update of the library reveals
// new area codes.
func TestAreaCodesAgreeWithTheLibrary(t *testing.T) {
	for area := 200; area < 1000; area++ {
		seen := map[string]bool{}
		for _, line := range []string{"2345678", "3334444", "4567890", "5552345", "6212345", "7778888"} {
			n, err := phonenumbers.Parse(fmt.Sprintf("+1%d%s", area, line), "")
			if err == nil {
				seen[phonenumbers.GetRegionCodeForNumber(n)] = true
			}
		}
		delete(seen, "")
		got := northAmerica(fmt.Sprintf("%d5550123", area))
		listed := slices.Sorted(maps.Keys(seen))
		if len(listed) == 0 || got == "" { // not assigned, or toll-free, which the library attributes to the US
			continue
		}
		if listed[0] != got {
			t.Errorf("area code %d is in %v by the library, and in %q by the table", area, listed, got)
		}
	}
}

func TestEveryCountryHasZonesThatExist(t *testing.T) {
	for code, countries := range countriesOf {
		for c := range strings.FieldsSeq(countries) {
			if zonesOf[c] == "" {
				t.Errorf("+%s: %s has no zones", code, c)
			}
		}
	}
	for c, zones := range zonesOf {
		for z := range strings.FieldsSeq(zones) {
			if _, err := time.LoadLocation(z); err != nil {
				t.Errorf("%s: %v", c, err)
			}
		}
	}
	for _, c := range areaCodes {
		if c != "" && zonesOf[c] == "" {
			t.Errorf("%s has no zones", c)
		}
	}
}

// TestQuietHoursOfUnknownZones checks that if neither the schedule nor the
// recipient has a time zone, sending must be allowed everywhere in the number's
// country.
func TestQuietHoursOfUnknownZones(t *testing.T) {
	plan := func(t *testing.T, at time.Time, schedule, numbers string, more ...string) (*Plan, []string) {
		t.Helper()
		config := strings.Replace(small, "message  =", "schedule {\n"+schedule+"\n}\n message =", 1)
		attributes := "attributes = { name = row.name }"
		if len(more) > 0 {
			attributes = "attributes = { name = row.name, timezone = \"" + more[0] + "\" }"
		}
		config = strings.Replace(config, "attributes = { name = row.name }", attributes, 1)
		w := open(t, map[string]string{"main.hcl": config, "contacts.csv": "phone,name\n" + numbers + ",Ada\n"})
		w.in.At = at
		p, diags := w.plan(t)
		var codes []string
		for _, d := range diags {
			codes = append(codes, DiagCode(d))
		}
		return p, codes
	}
	night := "quiet_hours = \"20:00-09:00\""
	day := func(hour int) time.Time { return time.Date(2026, 3, 2, hour, 30, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		at       time.Time
		schedule string
		number   string
		zone     []string
		deferred int
		skipped  int
	}{
		"day in Germany":                     {day(9), night, "+4915112345678", nil, 0, 0},
		"night in Germany":                   {day(7), night, "+4915112345678", nil, 1, 0},
		"evening in New York":                {day(15), night, "+12025550123", nil, 1, 0},
		"day in Hawaii and New York":         {day(19), night, "+12025550123", nil, 0, 0},
		"evening again in New York":          {day(1), night, "+12025550123", nil, 1, 0},
		"the recipient's zone is known":      {day(15), night, "+12025550123", []string{"America/New_York"}, 0, 0},
		"the schedule has one":               {day(15), night + "\n timezone = \"UTC\"", "+12025550123", nil, 0, 0},
		"a number of no country, by day":     {day(12), night, "+88216123456", nil, 0, 1},
		"a number of no country, by night":   {day(23), night, "+88216123456", nil, 0, 1},
		"Russia has an hour a day for all":   {day(7), night, "+79161234567", nil, 0, 0},
		"Russia has none with longer nights": {day(7), "quiet_hours = \"19:00-10:00\"", "+79161234567", nil, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p, codes := plan(t, c.at, c.schedule, c.number, c.zone...)
			n := p.Campaigns[0].Counts
			if n.Defer["quiet_hours"] != c.deferred || n.Skip["quiet_hours_zone_unknown"] != c.skipped {
				t.Errorf("got %+v (%v)", n, codes)
			}
			if c.skipped > 0 && !slices.Contains(codes, "quiet_hours_zone_unknown") {
				t.Errorf("no diagnostic: %v", codes)
			}
		})
	}
}

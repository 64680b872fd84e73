package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/state"
)

// TestComplianceRules are the rules of docs/compliance.md that planning
// decides, one recipient each.
func TestComplianceRules(t *testing.T) {
	const template = header + `
template_message "news" {
  template = "news"
  language = "en"
}
audience "people" {
  source "csv" { path = "contacts.csv" }
  consent = true
}
campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = template_message.news
}
`
	as := func(category string) string {
		return strings.Replace(template, `language = "en"`, "language = \"en\"\n  category = \""+category+"\"", 1)
	}
	text := strings.NewReplacer("template_message", "text_message", "  template = \"news\"\n  language = \"en\"", "  body = \"Hi\"",
		"message  =", "window = \"assume_open\"\n  message  =").Replace(template)
	const german, us, canadian = "+4915112345678", "+12025550123", "+14165550123"
	cooled := &memState{people: []state.Person{{Recipient: german, Cooldown: testAt.Add(time.Hour)}}}
	for name, c := range map[string]struct {
		config, to string
		state      *memState
		skip, says string
	}{
		"marketing to Germany":             {as("marketing"), german, nil, "", ""},
		"marketing to the United States":   {as("marketing"), us, nil, "us_marketing", "us_marketing"},
		"no category counts as marketing":  {template, us, nil, "us_marketing", "us_marketing"},
		"marketing to Canada":              {template, canadian, nil, "", ""},
		"utility to the United States":     {as("utility"), us, nil, "", ""},
		"a code to the United States":      {as("authentication"), us, nil, "", ""},
		"an answer to the United States":   {text, us, nil, "", ""},
		"Cuba":                             {as("utility"), "+5351234567", nil, "unreachable_country", ""},
		"Iran, within a window":            {text, "+989121234567", nil, "unreachable_country", ""},
		"North Korea":                      {template, "+8501921234567", nil, "unreachable_country", ""},
		"Syria":                            {template, "+963931234567", nil, "unreachable_country", ""},
		"marketing within the cool-down":   {template, german, cooled, "cooldown", ""},
		"utility within the cool-down":     {as("utility"), german, cooled, "", ""},
		"a message within it, in a window": {text, german, cooled, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, map[string]string{"main.hcl": c.config, "contacts.csv": "phone\n" + c.to + "\n"})
			if c.state != nil {
				w.in.State = c.state
			}
			p, diags := w.plan(t)
			n := p.Campaigns[0].Counts
			if c.skip == "" && n.Send != 1 || c.skip != "" && n.Skip[c.skip] != 1 {
				t.Errorf("got %+v", n)
			}
			said := slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return DiagCode(d) == c.says })
			if c.says != "" && !said || diags.HasErrors() {
				t.Errorf("it says %v", diags)
			}
		})
	}
}

// TestConsentIsRecorded: a plan holds by which expression consent is claimed.
func TestConsentIsRecorded(t *testing.T) {
	w := open(t, shopFiles())
	p, _ := w.plan(t)
	if got := p.Campaigns[0].ConsentBy; got != `row.opted_in == "yes"` {
		t.Errorf("consent is claimed by %q", got)
	}
}

// TestQuietHoursEnd: when End says that the quiet hours are over they are over
// in every zone, and before it they are not.
func TestQuietHoursEnd(t *testing.T) {
	zones := []string{"", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Europe/Berlin America/New_York", zonesOf["US"], zonesOf["RU"], zonesOf["AU"]}
	rapid.Check(t, func(t *rapid.T) {
		q := &Quiet{From: rapid.IntRange(0, 1439).Draw(t, "from"), Until: rapid.IntRange(0, 1439).Draw(t, "until"), Timezone: "UTC"}
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		at := testAt.Add(time.Duration(rapid.IntRange(0, 366*24*3600).Draw(t, "second")) * time.Second)
		var c Clock
		end, ok := q.End(&c, at, zone)
		if quiet := q.Wait(&c, at, zone) == "quiet_hours"; quiet == (ok && end.Equal(at)) {
			t.Fatalf("at %v quiet is %v, and it ends at %v, %v", at, quiet, end, ok)
		}
		if !ok {
			for m := range 24 * 60 {
				if q.Wait(&c, at.Add(time.Duration(m)*time.Minute), zone) == "" {
					t.Fatalf("it ends never, and is over after %d minutes", m)
				}
			}
			return
		}
		if reason := q.Wait(&c, end, zone); reason != "" {
			t.Fatalf("at its end %v there is %q", end, reason)
		}
	})
}

package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state"
)

// TestComplianceRules checks the rules of docs/compliance.md that planning
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
			if c.skip == "" && n.Send != 1 || c.skip != "" && n.Skip[delivery.Reason(c.skip)] != 1 {
				t.Errorf("got %+v", n)
			}
			said := slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return DiagCode(d) == c.says })
			if c.says != "" && !said || diags.HasErrors() {
				t.Errorf("it says %v", diags)
			}
		})
	}
}

// TestAuthenticationNeedsANumber checks that a person who is known only by a
// user id is not sent an authentication template, and that the plan says so,
// with the rows.
func TestAuthenticationNeedsANumber(t *testing.T) {
	const config = header + `
text_message "hello" { body = "Hi" }
template_message "code" {
  template = "code"
  language = "en"
  category = "CATEGORY"
}
audience "people" {
  source "csv" { path = "contacts.csv" }
  phone   = row.phone
  user_id = row.id
  consent = true
}
campaign "spring" {
  provider   = provider.sandbox.main
  audience   = audience.people
  message    = MESSAGE
  on_invalid = "INVALID"
}
`
	const contacts = "phone,id\n+4915112345678,DE.1A\n,DE.2B\n,DE.ENT.3C\n"
	for name, c := range map[string]struct {
		category, message, invalid string
		state                      *memState
		send, fallback, skip       int
		severity                   hcl.DiagnosticSeverity
	}{
		"a code":              {"authentication", "template_message.code", "fail", nil, 1, 0, 2, hcl.DiagError},
		"a code, left out":    {"authentication", "template_message.code", "skip", nil, 1, 0, 2, hcl.DiagWarning},
		"a utility template":  {"utility", "template_message.code", "fail", nil, 3, 0, 0, hcl.DiagInvalid},
		"a marketing message": {"marketing", "template_message.code", "fail", nil, 3, 0, 0, hcl.DiagInvalid},
		"a code as the fallback": {"authentication", "text_message.hello\n  fallback = template_message.code", "fail", &memState{windows: []state.PersonWindow{
			wrote("provider.sandbox.main", "DE.2B", 4*time.Hour)}}, 1, 1, 1, hcl.DiagError},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, map[string]string{"contacts.csv": contacts,
				"main.hcl": strings.NewReplacer("CATEGORY", c.category, "MESSAGE", c.message, "INVALID", c.invalid).Replace(config)})
			if c.state != nil {
				w.in.State = c.state
			}
			p, diags := w.plan(t)
			n := p.Campaigns[0].Counts
			if n.Send != c.send || n.Fallback != c.fallback || n.Skip["phone_needed"] != c.skip {
				t.Errorf("got %+v", n)
			}
			var said *hcl.Diagnostic
			for _, d := range diags {
				if DiagCode(d) == "phone_needed" {
					said = d
				}
			}
			switch {
			case said == nil && c.skip > 0, said != nil && said.Severity != c.severity:
				t.Errorf("it says %v", diags)
			case said != nil && c.skip == 2 && !strings.Contains(said.Detail, "contacts.csv:3, :4."):
				t.Errorf("no rows: %s", said.Detail)
			}
		})
	}
}

// TestConsentIsRecorded checks that a plan records the expression by which
// consent is claimed.
func TestConsentIsRecorded(t *testing.T) {
	w := open(t, shopFiles())
	p, _ := w.plan(t)
	if got := p.Campaigns[0].ConsentBy; got != `row.opted_in == "yes"` {
		t.Errorf("consent is claimed by %q", got)
	}
}

// TestQuietHoursEnd checks that at the time that Open returns the quiet hours
// are over in every zone, and that before it they are not.
func TestQuietHoursEnd(t *testing.T) {
	zones := []string{"", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Europe/Berlin America/New_York", zonesOf["US"], zonesOf["RU"], zonesOf["AU"]}
	rapid.Check(t, func(t *rapid.T) {
		q := &Quiet{From: rapid.IntRange(0, 1439).Draw(t, "from"), Until: rapid.IntRange(0, 1439).Draw(t, "until"), Timezone: "UTC"}
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		at := testAt.Add(time.Duration(rapid.IntRange(0, 366*24*3600).Draw(t, "second")) * time.Second)
		var c Clock
		end, ok := q.Open(&c, at, zone)
		if quiet := q.Wait(&c, at, zone) == "quiet_hours"; quiet == (ok && end.Equal(at)) {
			t.Fatalf("at %v quiet is %v, and it ends at %v, %v", at, quiet, end, ok)
		}
		if !ok {
			for m := range 24 * 60 {
				if q.Wait(&c, at.Add(time.Duration(m)*time.Minute), zone) == "" {
					t.Fatalf("it has no end, but is over after %d minutes", m)
				}
			}
			return
		}
		if reason := q.Wait(&c, end, zone); reason != "" {
			t.Fatalf("at its end %v there is %q", end, reason)
		}
	})
}

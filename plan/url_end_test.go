package plan

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// TestTheEndOfAButtonsURL checks that the plan finds a recipient's value that
// would break the link of a template's button, and names its row.
func TestTheEndOfAButtonsURL(t *testing.T) {
	const config = header + `
template_message "news" {
  template = "news"
  language = "en"
  category = "utility"
  button "0" {
    type = "url"
    text = END
  }
}
audience "people" {
  source "csv" { path = "contacts.csv" }
  consent    = true
  attributes = { page = row.page }
}
campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = template_message.news
}
`
	for name, c := range map[string]struct {
		end, page, code string
		severity        hcl.DiagnosticSeverity
	}{
		"a path":                {"recipient.page", "spring?u=7", "", 0},
		"an encoded letter":     {"recipient.page", "K%C3%B6ln", "", 0},
		"a page that has http":  {"recipient.page", "http-basics", "", 0},
		"a whole URL":           {"recipient.page", "https://shop.example/a", "message_limit_advised", hcl.DiagWarning},
		"a whole URL, capitals": {"recipient.page", "HTTP://SHOP.EXAMPLE", "message_limit_advised", hcl.DiagWarning},
		"a space":               {"recipient.page", "Aloe vera", "message_limit", hcl.DiagError},
		"an umlaut":             {`"q=${recipient.page}"`, "Köln", "message_limit", hcl.DiagError},
		"urlencode":             {`"q=${urlencode(recipient.page)}"`, "Köln am Rhein", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, map[string]string{"main.hcl": strings.Replace(config, "END", c.end, 1), "contacts.csv": "phone,page\n+4915112345678," + c.page + "\n"})
			p, diags := w.plan(t)
			if (c.code == "") != (len(diags) == 0) || c.code != "" && (DiagCode(diags[0]) != c.code || diags[0].Severity != c.severity || !strings.Contains(diags[0].Detail, "contacts.csv:2")) {
				t.Errorf("it says %v", diags)
			}
			if sent := p.Campaigns[0].Counts.Send == 1; sent != (c.severity != hcl.DiagError) {
				t.Errorf("got %+v", p.Campaigns[0].Counts)
			}
		})
	}
}

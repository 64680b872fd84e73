package cli_test

import (
	"strings"
	"testing"
)

// TestCapabilityDoubtsAreAboutFields checks that doubts are about single
// fields: 1msg no longer documents headers and footers of lists, but documents
// the rest of a list well. Validate and plan agree, and a sandbox with 1msg's
// wire format is treated like 1msg.
func TestCapabilityDoubtsAreAboutFields(t *testing.T) {
	const list = `
provider "PROVIDER" "main" {
  ARGS
}
audience "all" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}
list_message "menu" {
  TEXTS
  body   = "What would you like?"
  button = "See"
  section "Drinks" {
    row "tea" { title = "Tea" }
  }
}
campaign "menu" {
  provider = provider.PROVIDER.main
  audience = audience.all
  message  = list_message.menu
  window   = "assume_open"
}
`
	const real = "channel_id = \"ABC123\"\n  token = env(\"ONEMSG_TOKEN\")"
	tests := map[string]struct {
		provider, args, texts string
		doubted               bool
	}{
		"plain list":               {"onemsg", real, "", false},
		"header":                   {"onemsg", real, `header = "Menu"`, true},
		"footer":                   {"onemsg", real, `footer = "Thanks"`, true},
		"header of each recipient": {"onemsg", real, `header = "Hi ${recipient.name}"`, true},
		"sandbox as cloud":         {"sandbox", "", `header = "Menu"`, false},
		"sandbox as 1msg":          {"sandbox", `wire = "onemsg"`, `header = "Menu"`, true},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.env = append(d.env, "ONEMSG_TOKEN=t1")
			d.write("main.hcl", strings.NewReplacer("PROVIDER", c.provider, "ARGS", c.args, "TEXTS", c.texts).Replace(list))
			d.write("contacts.csv", "phone,name\n+4915112345671,Ada\n")
			for _, cmd := range []string{"validate", "plan"} {
				d.must(0, cmd)
				if got := strings.Contains(d.stderr.String(), "It is not certain that provider."); got != c.doubted {
					t.Errorf("%s doubts: %v, want %v\n%s", cmd, got, c.doubted, d.stderr.String())
				}
			}
		})
	}
}

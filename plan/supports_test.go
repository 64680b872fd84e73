package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

// TestRulesAskForWhatTheirNumbersCanDo checks a reply rule against every number
// that it answers from: each must support what the rule uses.
func TestRulesAskForWhatTheirNumbersCanDo(t *testing.T) {
	const config = header + `
text_message "hello" { body = "Hi" }
reply_rule "r" {
  when { text = "price" }
  reply = text_message.hello
  RULE
}
`
	for name, c := range map[string]struct {
		rule string
		can  message.Support // the number's support for everything asked
		code string
	}{
		"nothing asked":        {"", message.Yes, ""},
		"typing, carried":      {"typing = true", message.Yes, ""},
		"typing, doubted":      {"typing = true", message.Doubted, "capability_doubted"},
		"typing, not carried":  {"typing = true", message.No, "capability"},
		"mark_read":            {"mark_read = true", message.No, "capability"},
		"mark_read and typing": {"mark_read = true\n  typing = true", message.No, "capability"},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, map[string]string{"main.hcl": strings.Replace(config, "RULE", c.rule, 1)})
			var asked []string
			w.in.Supports = Supports{
				Message: func(*lang.Provider, *message.Draft) (message.Support, string) { return message.Yes, "" },
				Feature: func(_ *lang.Provider, name string) (message.Support, string) {
					asked = append(asked, name)
					return c.can, "Use another."
				},
			}
			_, diags := w.plan(t)
			found := slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return DiagCode(d) == c.code })
			if c.code == "" && len(diags) > 0 || c.code != "" && !found || len(asked) > 1 {
				t.Errorf("asked %v; it says %v", asked, diags)
			}
		})
	}
	w := open(t, map[string]string{"main.hcl": strings.Replace(config, "RULE", "", 1)})
	w.in.Supports.Message = func(*lang.Provider, *message.Draft) (message.Support, string) { return message.No, "Use another." }
	if _, diags := w.plan(t); len(diags) != 1 || DiagCode(diags[0]) != "capability" {
		t.Errorf("a rule's message that is not carried: %v", diags)
	}
}

package plan

import (
	"strings"
	"testing"
)

// TestReplaceLeavesDoubtsAndSaysSo checks that -replace does not send again to
// a person in doubt, and that the plan says how to settle the doubt.
func TestReplaceLeavesDoubtsAndSaysSo(t *testing.T) {
	cases := map[string]struct {
		replace []string
		said    bool
	}{
		"the whole campaign":      {[]string{"campaign.spring"}, true},
		"the one who is in doubt": {[]string{`campaign.spring["+4915112345611"]`}, true},
		"somebody else":           {[]string{`campaign.spring["+4915112345610"]`}, false},
		"nobody":                  {nil, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := open(t, shopFiles())
			w.in.State = shopState()
			w.in.Options.Replace = c.replace
			p, diags := w.plan(t)
			said := ""
			for _, d := range diags {
				if DiagCode(d) == "replace_in_doubt" {
					said += d.Detail
				}
			}
			if (said != "") != c.said || c.said && (!strings.Contains(said, "1 recipient: contacts.csv:") || !strings.Contains(said, "handbill resolve -as=sent")) {
				t.Errorf("said: %s", said)
			}
			if strings.Contains(said, "4915112345611") {
				t.Errorf("the number is in %s", said)
			}
			if n := p.Campaigns[0].Counts.InDoubt; n != 1 {
				t.Errorf("%d in doubt", n)
			}
		})
	}
}

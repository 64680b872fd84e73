package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/handbill/handbill/state"
)

// TestMovedInOptions: what a moved block renames is one resource under both addresses. Were
// the old one planned alone, it would be removed, and the plan after that would send to
// everybody again.
func TestMovedInOptions(t *testing.T) {
	keyed := strings.Replace(small, `campaign "spring" {`, "campaign \"spring\" {\n  for_each = toset([\"de\"])", 1)
	renamed := strings.Replace(small, `campaign "spring"`, `campaign "summer"`, 1)
	for _, c := range []struct{ name, config, from, to, options, want string }{
		{"the new one is left out", renamed, "campaign.spring", "campaign.summer", "-exclude=campaign.summer", "campaign.spring no-op"},
		{"the old one is left out", renamed, "campaign.spring", "campaign.summer", "-exclude=campaign.spring", "campaign.spring no-op"},
		{"what it reads is left out", renamed, "campaign.spring", "campaign.summer", "-exclude=audience.people", "campaign.spring no-op"},
		{"the new one is meant", renamed, "campaign.spring", "campaign.summer", "-target=campaign.summer", "campaign.summer move, sends 1"},
		{"the old one is meant", renamed, "campaign.spring", "campaign.summer", "-target=campaign.spring", "campaign.summer move, sends 1"},
		{"somebody under the old one", renamed, "campaign.spring", "campaign.summer", `-exclude=campaign.spring["` + cem + `"]`, "campaign.summer move, sends 0"},
		{"somebody again under the old one", renamed, "campaign.spring", "campaign.summer", `-replace=campaign.spring["` + anna + `"]`, "campaign.summer move, sends 2"},
		{"the key is left out", keyed, "campaign.spring", `campaign.spring["de"]`, `-exclude=campaign.spring["de"]`, "campaign.spring no-op"},
		{"all keys are left out", keyed, "campaign.spring", `campaign.spring["de"]`, `-exclude=campaign.spring`, "campaign.spring no-op"},
		{"all keys are meant", keyed, "campaign.spring", `campaign.spring["de"]`, `-target=campaign.spring`, `campaign.spring["de"] move, sends 1`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t, map[string]string{"main.hcl": c.config + "moved {\n  from = " + c.from + "\n  to = " + c.to + "\n}\n", "contacts.csv": smallContacts})
			first, diags := open(t, map[string]string{"main.hcl": small, "contacts.csv": smallContacts}).plan(t)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			had, err := first.StateResources()
			if err != nil {
				t.Fatal(err)
			}
			w.in.State = &memState{resources: had, deliveries: sent(anna, ben)}
			flag, address, _ := strings.Cut(c.options, "=")
			switch flag {
			case "-target":
				w.in.Options.Target = []string{address}
			case "-exclude":
				w.in.Options.Exclude = []string{address}
			case "-replace":
				w.in.Options.Replace = []string{address}
			}
			p, diags := w.plan(t)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if got := changesOfCampaigns(p); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// changesOfCampaigns are the changes of a plan's campaigns, and what they send.
func changesOfCampaigns(p *Plan) string {
	var out []string
	for _, r := range p.Resources {
		if r.Type != "campaign" {
			continue
		}
		line := r.Address + " " + r.Change
		for i := range p.Campaigns {
			if p.Campaigns[i].Address == r.Address {
				line += fmt.Sprintf(", sends %d", p.Campaigns[i].Counts.Sends())
			}
		}
		out = append(out, line)
	}
	return strings.Join(out, "; ")
}

// TestMovedAfterRemoval: a campaign that was removed, and comes back under another name with
// a moved block, is sent to nobody who has it.
func TestMovedAfterRemoval(t *testing.T) {
	renamed := strings.Replace(small, `campaign "spring"`, `campaign "summer"`, 1)
	chain := renamed + "moved {\n  from = campaign.spring\n  to = campaign.vernal\n}\nmoved {\n  from = campaign.vernal\n  to = campaign.summer\n}\n"
	renamed += "moved {\n  from = campaign.spring\n  to = campaign.summer\n}\n"
	newer := past(cem, state.Accepted, "")
	newer.Campaign = "campaign.summer"
	for _, c := range []struct {
		name, config string
		had          []state.Delivery
		want         string
	}{
		{"nobody has it", renamed, nil, "campaign.summer create, sends 3"},
		{"two have it", renamed, sent(anna, ben), "campaign.summer create, sends 1"},
		{"two moves ago", chain, sent(anna, ben), "campaign.summer create, sends 1"},
		{"it has a history of its own", renamed, append(sent(anna, ben), newer), "campaign.summer create, sends 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t, map[string]string{"main.hcl": c.config, "contacts.csv": smallContacts})
			w.in.State = &memState{deliveries: c.had}
			p, diags := w.plan(t)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if got := changesOfCampaigns(p); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

package plan

import (
	"strings"
	"testing"

	"github.com/handbill/handbill/state"
)

// TestBeninInPlan checks that a number of Benin as written before 2024-11-30
// and as written today is one person, who is sent to once, even if the state
// has the other spelling.
func TestBeninInPlan(t *testing.T) {
	files := shopFiles()
	files["contacts.csv"] = `phone,name,city,country,opted_in,seen
+229 97 12 34 56,Ada,Cotonou,BJ,yes,2026-03-01T09:00:00Z
+229 01 97 12 34 56,Ada,Cotonou,BJ,yes,2026-03-01T09:00:00Z
+229 01 97 12 34 57,Bea,Cotonou,BJ,yes,2026-03-01T09:00:00Z
97123458,Cleo,Cotonou,BJ,yes,2026-03-01T09:00:00Z
+229 01 97 12 34 59,Dora,Cotonou,BJ,yes,2026-03-01T09:00:00Z
+229 97 12 34 60,Efua,Cotonou,BJ,yes,2026-03-01T09:00:00Z
+229 01 97 12 34 61,Fati,Cotonou,BJ,yes,2026-03-01T09:00:00Z
`
	files["main.hcl"] = strings.Replace(files["main.hcl"], `region       = "DE"`, `region       = "BJ"`, 1)
	w := open(t, files)
	w.in.State = &memState{
		// Efua and Fati were sent to when the two spellings were still taken
		// for two people: one attempt was refused.
		deliveries: []state.Delivery{past("+22997123457", state.Accepted, ""),
			past("+22997123460", state.Rejected, ""), past("+2290197123460", state.Accepted, ""),
			past("+22997123461", state.InDoubt, ""), past("+2290197123461", state.Rejected, "")},
		people: []state.Person{{Recipient: "+2290197123458", OptedOut: true}, {Recipient: "+22997123459", OptedOut: true}},
	}
	p, diags := w.plan(t)
	c := p.Campaigns[0].Counts
	if c.Send != 1 || c.Sent != 2 || c.InDoubt != 1 || c.Skip["duplicate"] != 1 || c.Skip["opted_out"] != 2 {
		t.Errorf("%+v\n%v", c, diags)
	}
}

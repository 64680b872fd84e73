package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/state"
)

// byID is small with an audience of numbers and user ids.
var byID = strings.Replace(small, "attributes = {", "phone      = row.phone\n  user_id    = row.id\n  attributes = {", 1)

// tied ties ids to one person, who is shown by the given id.
func tied(person string, ids ...string) (out []state.Tie) {
	for _, id := range ids {
		out = append(out, state.Tie{Recipient: id, Person: person})
	}
	return out
}

// TestPeopleWithSeveralIDs makes plans for people whose ids the state knows.
func TestPeopleWithSeveralIDs(t *testing.T) {
	for _, c := range []planCase{
		{name: "one person under a number and a user id", config: byID, contacts: "phone,id,name\n" + anna + ",,Ann\n,DE.1,Ann again\n" + ben + ",,Ben\n,DE.2,Cem\n",
			state: &memState{ties: tied(anna, anna, "DE.1")}, want: "1 send, 1 skip duplicate_person, 2 send, 2 send", says: []string{"duplicate_person"}},
		{name: "who stopped under another id", config: byID, contacts: "phone,id,name\n" + anna + ",,Ann\n,DE.2,Ben\n,DE.3,Cem\n",
			state: &memState{ties: append(tied("DE.1", anna, "DE.1"), tied(ben, ben, "DE.2")...), people: []state.Person{{Recipient: "DE.1", OptedOut: true}, {Recipient: ben, Cooldown: testAt.Add(time.Hour)}}},
			want:  "1 skip opted_out, 2 send, 3 send"},
		{name: "who was sent under another id", config: byID, contacts: "phone,id,name\n,DE.1,Ann\n,DE.2,Ben\n,DE.3,Cem\n,DE.4,Dan\n",
			state: &memState{deliveries: append(sent(anna), past(ben, state.Rejected, "1"), past("DE.2", state.InDoubt, ""), past(cem, state.Accepted, "")),
				ties: append(append(tied(anna, anna, "DE.1"), tied(ben, ben, "DE.2")...), state.Tie{Recipient: cem, Person: "DE.3", Former: true}, state.Tie{Recipient: "DE.3", Person: "DE.3"})},
			want: "1 sent, 2 in_doubt, 3 sent, 4 send"},
		{name: "caps are the person's", config: strings.Replace(byID, "window ", "limit {\n per_recipient = \"1 per 24h\"\n}\n  window ", 1), contacts: "phone,id,name\n,DE.1,Ann\n,DE.2,Ben\n,DE.3,Cem\n",
			state: &memState{recent: []state.RecentSend{{Recipient: anna, At: testAt.Add(-time.Hour)}, {Recipient: cem, At: testAt.Add(-time.Hour)}},
				ties: append(tied(anna, anna, "DE.1"), state.Tie{Recipient: cem, Person: "DE.3", Former: true}, state.Tie{Recipient: "DE.3", Person: "DE.3"})},
			want: "1 skip frequency_cap, 2 send, 3 skip frequency_cap"},
		{name: "caps of a row with both", config: strings.Replace(byID, "window ", "limit {\n per_recipient = \"1 per 24h\"\n}\n  window ", 1),
			contacts: "phone,id,name\n" + anna + ",DE.1,Ann\n" + ben + ",DE.2,Ben\n",
			state:    &memState{recent: []state.RecentSend{{Recipient: "DE.1", At: testAt.Add(-time.Hour)}}}, want: "1 skip frequency_cap, 2 send"},
		{name: "windows are the person's", config: strings.Replace(byID, "assume_open", "known", 1), contacts: "phone,id,name\n,DE.1,Ann\n,DE.2,Ben\n",
			state: &memState{ties: tied(anna, anna, "DE.1"), windows: []state.PersonWindow{wrote("provider.sandbox.main", anna, time.Hour)}}, want: "1 send, 2 skip window_unknown"},
		{name: "options name a person by any id", config: byID, contacts: "phone,id,name\n,DE.1,Ann\n,DE.2,Ben\n", change: func(in *Inputs) { in.Options.Target = []string{`campaign.spring["` + anna + `"]`} },
			state: &memState{ties: tied(anna, anna, "DE.1")}, want: "1 send, 2 skip not_targeted"},
		{name: "excluded under another id", config: strings.Replace(byID, "attributes = {", "exclude    = [audience.never]\n  attributes = {", 1) +
			"audience \"never\" {\n contact \"" + anna + "\" { name = \"A\" }\n}\n", contacts: "phone,id,name\n,DE.1,Ann\n,DE.2,Ben\n",
			state: &memState{ties: tied(anna, anna, "DE.1")}, want: "1 skip excluded, 2 send"},
		{name: "an earlier revision under another id", config: strings.Replace(byID, "window ", "revision = 2\n  prevent_resend = true\n  window ", 1), contacts: "phone,id,name\n,DE.1,Ann\n",
			state: &memState{ties: tied(anna, anna, "DE.1"), deliveries: sent(anna)}, want: "1 send", says: []string{"prevent_resend"}},
		{name: "who only has the number now", config: byID, contacts: "phone,id,name\n" + anna + ",,Ann\n,DE.1,Ben\n",
			state: &memState{ties: []state.Tie{{Recipient: anna, Person: "DE.1", Former: true}, {Recipient: "DE.1", Person: "DE.1"}}, people: []state.Person{{Recipient: "DE.1", OptedOut: true}}},
			want:  "1 send, 1 skip opted_out"},
		{name: "a row with a number and a user id counts under either", config: byID, contacts: "phone,id,name\n" + anna + ",DE.1,Ann\n" + ben + ",DE.2,Ben\n" + cem + ",DE.3,Cem\n",
			state: &memState{people: []state.Person{{Recipient: "DE.1", OptedOut: true}}, deliveries: []state.Delivery{past("DE.2", state.Accepted, "")}},
			want:  "1 skip opted_out, 2 sent, 3 send"},
		{name: "windows of a row with both", config: strings.Replace(byID, "assume_open", "known", 1), contacts: "phone,id,name\n" + anna + ",DE.1,Ann\n" + ben + ",DE.2,Ben\n",
			state: &memState{windows: []state.PersonWindow{wrote("provider.sandbox.main", "DE.1", time.Hour)}}, want: "1 send, 2 skip window_unknown"},
		{name: "a row with both, and one of its ids", config: byID, contacts: "phone,id,name\n" + anna + ",DE.1,Ann\n,DE.1,Ann\n,DE.2,Ben\n" + ben + ",DE.2,Ben\n",
			state: &memState{}, want: "1 send, 1 skip duplicate, 2 send, 2 skip duplicate"},
	} {
		t.Run(c.name, c.run)
	}
}

// Both rows are named, so that a reader can look at them.
func TestADuplicatePersonIsNamedWithBothRows(t *testing.T) {
	w := open(t, map[string]string{"main.hcl": byID, "contacts.csv": "phone,id,name\n,DE.1,Ann\n" + ben + ",,Ben\n" + anna + ",,Ann\n"})
	w.in.State = &memState{ties: tied(anna, anna, "DE.1")}
	_, diags := w.plan(t)
	if len(diags) != 1 || !strings.Contains(diags[0].Detail, "contacts.csv:4 (with contacts.csv:2)") {
		t.Errorf("it says %s", summaries(diags))
	}
	for _, d := range diags {
		if strings.Contains(d.Detail, "12345601") || strings.Contains(d.Detail, "DE.1") {
			t.Errorf("an id is in %q", d.Detail)
		}
	}
}

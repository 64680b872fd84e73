package sqlite

import (
	"testing"

	"github.com/handbill/handbill/state"
)

// What a send's answer says counts also when it comes after the send was given
// up, and whoever has begun since.
func TestLateAnswer(t *testing.T) {
	refused := state.Outcome{Send: state.Rejected, Code: "131026", At: noon}
	untaken := state.Outcome{Send: state.Pending, Code: "130429", At: noon}
	cases := map[string]struct {
		resolve state.Send // what a person decided meanwhile; InDoubt for nothing
		answer  state.Outcome
		want    state.Send
		finding bool
	}{
		"accepted ends the doubt":                        {state.InDoubt, state.Outcome{Send: state.Accepted, ID: "wamid.late", Proof: state.ProofResponse, At: noon}, state.Accepted, false},
		"refused ends the doubt":                         {state.InDoubt, refused, state.Rejected, false},
		"certainly not taken ends the doubt":             {state.InDoubt, untaken, state.Pending, false},
		"unclear leaves the doubt":                       {state.InDoubt, state.Outcome{Send: state.InDoubt, Cause: "reset", At: noon}, state.InDoubt, false},
		"accepted stands against a person's not-sent":    {state.Pending, state.Outcome{Send: state.Accepted, ID: "wamid.late", Proof: state.ProofResponse, At: noon}, state.Accepted, true},
		"refused after a person's not-sent says nothing": {state.Pending, refused, state.Pending, false},
		"refused after a person's sent is a finding":     {state.Accepted, refused, state.Accepted, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s, _ := create(t)
			zombie := begin(t, s)
			v := intend(t, s, zombie, intent(s, phone(7)))[0]
			begin(t, s)
			if _, err := s.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			if c.resolve != state.InDoubt {
				if err := s.Resolve(t.Context(), state.Key{Campaign: "campaign.spring", Recipient: phone(7), Revision: 1}, c.resolve, "kim", "asked the provider"); err != nil {
					t.Fatal(err)
				}
			}
			c.answer.Attempt = v.Attempt
			if _, err := s.Turn(t.Context(), zombie, []state.Outcome{c.answer}, nil); err == nil {
				t.Error("the run is not told that it was overtaken")
			}
			d := deliveries(t, s)
			if len(d) != 1 || d[0].Send != c.want || d[0].ID != c.answer.ID {
				t.Errorf("got %+v, want %s", d, c.want)
			}
			found := 0
			if err := s.read(t.Context(), func(cn *conn) (err error) {
				n, _, err := cn.one("SELECT count(*) FROM findings")
				found = int(n)
				return err
			}); err != nil || found > 0 != c.finding {
				t.Errorf("%d findings, %v", found, err)
			}
			verify(t, s)
		})
	}
}

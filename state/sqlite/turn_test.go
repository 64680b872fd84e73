package sqlite

import (
	"errors"
	"testing"

	"github.com/handbill/handbill/state"
)

// One transaction holds what came and what goes next: the second sees the
// first, and none is written without the other.
func TestTurn(t *testing.T) {
	s, _ := create(t)
	run := begin(t, s)
	first := intend(t, s, run, intent(s, phone(1)), intent(s, phone(2)))
	stopped := accepted(first[0], "wamid.1")
	stopped.Send, stopped.ID, stopped.Proof, stopped.Code, stopped.OptOut = state.Rejected, "", "", "131050", true
	other := intent(s, phone(1))
	other.Campaign, other.Marketing = "campaign.other", true
	again := intent(s, phone(2)) // open until the same turn
	again.Attempt = 2
	taken := state.Outcome{Attempt: first[1].Attempt, Send: state.Pending, Code: "131056", At: noon}
	got, err := s.Turn(t.Context(), run, []state.Outcome{stopped, taken}, []state.Intent{other, again, intent(s, phone(3))})
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Gate != state.GateOptedOut || got[1].Attempt == 0 || got[2].Attempt == 0 {
		t.Errorf("got %+v", got)
	}

	// An intent that is none fails the whole.
	before := deliveries(t, s)
	_, err = s.Turn(t.Context(), 0, []state.Outcome{accepted(got[2], "wamid.3")}, []state.Intent{intent(s, phone(4))})
	if err == nil {
		t.Error("a reply to nothing was written")
	}
	if after := deliveries(t, s); len(after) != len(before) || after[len(after)-1].Send != state.Sending {
		t.Errorf("got %+v", after)
	}
	// Somebody else has begun: the outcome is written, the intent is not.
	begin(t, s)
	_, err = s.Turn(t.Context(), run, []state.Outcome{accepted(got[2], "wamid.3")}, []state.Intent{intent(s, phone(4))})
	if !errors.Is(err, state.ErrFenced) {
		t.Errorf("got %v", err)
	}
	if after := deliveries(t, s); len(after) != len(before) || after[len(after)-1].Send != state.Accepted {
		t.Errorf("got %+v", after)
	}
}

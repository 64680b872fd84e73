package postgres

import (
	"testing"

	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// TestVerifyKnowsPeopleWithTwoIDs checks that a delivery that goes on under the other id
// of a person is no fault, though it has no attempt before under that id.
func TestVerifyKnowsPeopleWithTwoIDs(t *testing.T) {
	s := create(t, pgtest.Shared(t))
	lane := begin(t, s)
	const phone, user = "+4915112345678", "DE.7001"
	send := func(who string, number int, as state.Send) {
		t.Helper()
		in := intent(who)
		in.To, in.Attempt, in.Retry, in.Again, in.Ref = message.AddressOf(who), number, true, true, ""
		v, err := s.Intend(t.Context(), lane, []state.Intent{in})
		if err != nil || v[0].Attempt == 0 {
			t.Fatalf("attempt %d: %+v, %v", number, v, err)
		}
		o := state.Outcome{Attempt: v[0].Attempt, Send: as, Proof: state.ProofResponse, At: noon}
		if as != state.Accepted {
			o.Proof = ""
		}
		if err := s.Settle(t.Context(), lane, []state.Outcome{o}); err != nil {
			t.Fatal(err)
		}
	}
	send(phone, 1, state.Pending)
	send(phone, 2, state.Rejected)
	send(user, 1, state.Accepted)
	both := message.Event{Kind: message.EventPreference, At: noon, From: message.Address{Phone: phone, UserID: user}}
	if err := s.Events(t.Context(), number, []message.Event{both}); err != nil {
		t.Fatal(err)
	}
	send(phone, 3, state.Accepted) // it goes on where it was accepted
	if r, err := s.Verify(t.Context()); err != nil || len(r.Problems) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

package statetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// A provider that tells the user id of whom it sent to ties it to the number.
func (u suite) TestAnAnswerTellsAUserID(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	o := accepted(intend(t, s, run, intent(s, phone(1)))[0], "x")
	o.UserID, o.Number = userOne, mainNumber
	settle(t, s, run, o)
	if v := intend(t, s, run, intent(s, userOne))[0]; v.Gate != delivery.GateSent {
		t.Errorf("under the user id that the answer told: %q", v.Gate)
	}
	told(t, s, mainNumber, from(noon, "enough", message.Address{UserID: userOne}, ""))
	if d := cmp.Diff([]string{phone(1)}, out(t, s, phone(1))); d != "" {
		t.Errorf("a stop by the user id (-want +got):\n%s", d)
	}
	// Of somebody who was erased, it brings nothing back.
	other := intend(t, s, run, intent(s, phone(2)))[0]
	if err := s.Erase(t.Context(), phone(2)); err != nil {
		t.Fatal(err)
	}
	o = accepted(other, "y")
	o.UserID, o.Number = userTwo, mainNumber
	settle(t, s, run, o)
	if n := len(tiesOf(t, s)); n != 2 {
		t.Errorf("%d ties, want those of one person", n)
	}
}

// What is known under either id counts for a row with a number and a user id, also
// where nobody knew that they are one person's.
func (u suite) TestARowWithANumberAndAUserID(t *testing.T) {
	both := func(s state.Store, campaign string) state.Intent {
		in := intent(s, phone(1))
		in.To.UserID, in.Campaign, in.Marketing = userOne, campaign, true
		in.Ref = message.NewRef(lineage(s), campaign, phone(1), 1, 1)
		return in
	}
	s, _ := u.create(t)
	run := begin(t, s)
	settle(t, s, run, accepted(intend(t, s, run, intent(s, userOne))[0], "x"))
	if v := intend(t, s, run, both(s, "campaign.spring"))[0]; v.Gate != delivery.GateSent {
		t.Errorf("what was sent to the user id: %q", v.Gate)
	}
	told(t, s, mainNumber, from(noon.Add(-time.Hour), "hello", message.Address{UserID: userOne}, ""))
	in := both(s, "campaign.window")
	in.Window = true
	if v := intend(t, s, run, in)[0]; v.Gate != delivery.GateNone {
		t.Errorf("the window of the user id: %q", v.Gate)
	}
	told(t, s, mainNumber, from(noon.Add(-time.Minute), "enough", message.Address{UserID: userOne}, ""))
	if v := intend(t, s, run, both(s, "campaign.stopped"))[0]; v.Gate != delivery.GateOptedOut {
		t.Errorf("a stop by the user id: %q", v.Gate)
	}
	if err := s.Erase(t.Context(), userOne); err != nil {
		t.Fatal(err)
	}
	if v := intend(t, s, run, both(s, "campaign.erased"))[0]; v.Gate != delivery.GateOptedOut {
		t.Errorf("erased by the user id: %q", v.Gate)
	}
}

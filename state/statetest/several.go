package statetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// A provider that reports the recipient's user id ties it to the number.
func (u suite) TestAnAnswerContainsAUserID(t *testing.T) {
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
	// It brings back nothing about somebody who was erased, and the reported id is
	// erased too.
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
	if v := intend(t, s, run, intent(s, userTwo))[0]; v.Gate != delivery.GateOptedOut {
		t.Errorf("under the user id of somebody erased: %q", v.Gate)
	}
}

// rowOfBoth returns an intent for a row with a number and a user id.
func rowOfBoth(s state.Store, campaign string) state.Intent {
	in := intent(s, phone(1))
	in.To.UserID, in.Campaign = userOne, campaign
	in.Ref = message.NewRef(lineage(s), campaign, phone(1), 1, 1)
	return in
}

// next returns the intent for the attempt after one that was not taken.
func next(s state.Store, in state.Intent, number int) state.Intent {
	in.Attempt, in.Ref = number, message.NewRef(lineage(s), in.Campaign, in.Recipient, in.Revision, number)
	return in
}

func notTaken(v state.Verdict) state.Outcome {
	return state.Outcome{Attempt: v.Attempt, Send: state.Pending, Code: "130429", At: noon}
}

// For a row with a number and a user id, caps and spacing count what went to the user
// id, even before the two are known to be one person's.
func (u suite) TestARowsCapCountsBothIDs(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	settle(t, s, run, accepted(intend(t, s, run, intent(s, userOne))[0], "x"))
	in := rowOfBoth(s, "campaign.capped")
	in.CapCount, in.CapPer = 1, time.Hour
	if v := intend(t, s, run, in)[0]; v.Gate != delivery.GateCap {
		t.Errorf("the cap: %q", v.Gate)
	}
	in = rowOfBoth(s, "campaign.soon")
	in.Spacing = time.Minute
	if v := intend(t, s, run, in)[0]; v.Gate != delivery.GateSpacing {
		t.Errorf("the spacing: %q", v.Gate)
	}
}

// A delivery that began under a row's user id continues to its number. From then on
// the two ids are one person's, so that nobody who is known by the number gets the
// same message. If WhatsApp reported another user id for the number, that one stays.
func (u suite) TestADeliveryThatGoesOnToANumber(t *testing.T) {
	for _, other := range []bool{false, true} {
		s, _ := u.create(t)
		run := begin(t, s)
		if other {
			told(t, s, mainNumber, from(noon.Add(-time.Hour), "hello", message.Address{Phone: phone(1), UserID: userTwo}, ""))
		}
		settle(t, s, run, notTaken(intend(t, s, run, intent(s, userOne))[0]))
		told(t, s, mainNumber, changed(noon.Add(-time.Minute), message.Address{Phone: phone(1)}, message.Address{Phone: phone(2)}))
		in := rowOfBoth(s, "campaign.spring")
		if v := intend(t, s, run, in)[0]; v.Gate != delivery.GateAttempt || v.Next != 2 || !v.UnderAnother {
			t.Fatalf("the row's first attempt: %+v", v)
		}
		if v := intend(t, s, run, next(s, in, 2))[0]; v.Attempt == 0 || !v.UnderAnother {
			t.Fatalf("the row's second attempt: %+v", v)
		}
		want := delivery.GateDoubt
		if other {
			want = delivery.GateNone
		}
		if v := intend(t, s, run, intent(s, phone(2)))[0]; v.Gate != want {
			t.Errorf("the number that the person changed to, with another user id %v: %q, want %q", other, v.Gate, want)
		}
	}
}

// A row may have a number that its person has left. If the user id was seen with
// another number, that one stays theirs, so that nobody gets a message twice who
// then writes under the number alone.
func (u suite) TestARowWithANumberThatWasLeft(t *testing.T) {
	s, clock := u.create(t)
	run := begin(t, s)
	told(t, s, mainNumber, from(noon.Add(-time.Hour), "hello", message.Address{Phone: phone(2), UserID: userOne}, ""))
	summer := intent(s, userOne)
	summer.Campaign, summer.Ref = "campaign.summer", message.NewRef(lineage(s), "campaign.summer", userOne, 1, 1)
	settle(t, s, run, accepted(intend(t, s, run, summer)[0], "x"), notTaken(intend(t, s, run, intent(s, userOne))[0]))
	if v := intend(t, s, run, next(s, rowOfBoth(s, "campaign.spring"), 2))[0]; v.Attempt == 0 || !v.UnderAnother {
		t.Fatalf("the row's attempt: %+v", v)
	}
	clock.now = noon.Add(time.Hour)
	told(t, s, mainNumber, from(noon.Add(time.Hour), "hello again", message.Address{Phone: phone(2)}, ""))
	summer.Recipient, summer.To = phone(2), message.Address{Phone: phone(2)}
	summer.Ref = message.NewRef(lineage(s), "campaign.summer", phone(2), 1, 1)
	if v := intend(t, s, run, summer)[0]; v.Gate != delivery.GateSent {
		t.Errorf("the number that is theirs: %q", v.Gate)
	}
}

// The attempts at one delivery have different numbers even if they were made under
// two ids before these were known to be one person's. A reference is made from the
// number, so it names one attempt.
func (u suite) TestAttemptsUnderTwoIDsAreCountedTogether(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	settle(t, s, run, notTaken(intend(t, s, run, intent(s, phone(1)))[0]))
	settle(t, s, run, notTaken(intend(t, s, run, next(s, intent(s, phone(1)), 2))[0]))
	settle(t, s, run, state.Outcome{Attempt: intend(t, s, run, intent(s, userOne))[0].Attempt, Send: state.Rejected, Code: "131026", At: noon})
	told(t, s, mainNumber, from(noon, "hello", message.Address{Phone: phone(1), UserID: userOne}, ""))
	in := next(s, intent(s, phone(1)), 2)
	in.Retry = true
	if v := intend(t, s, run, in)[0]; v.Gate != delivery.GateAttempt || v.Next != 3 || v.Was != state.Rejected || !v.UnderAnother {
		t.Errorf("%+v, want attempt 3 at what stands under the user id", v)
	}
}

// For a row with a number and a user id, what is known under either id counts, even
// if nobody knew that they are one person's.
func (u suite) TestARowWithANumberAndAUserID(t *testing.T) {
	both := func(s state.Store, campaign string) state.Intent {
		in := rowOfBoth(s, campaign)
		in.Marketing = true
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

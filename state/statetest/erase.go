package statetest

import (
	"errors"
	"testing"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state"
)

// An answer that comes after its attempt was given up and removed does not change
// another attempt.
func (u suite) TestTheLateAnswerOfARemovedAttempt(t *testing.T) {
	s, _ := u.create(t)
	zombie := begin(t, s)
	v := intend(t, s, zombie, intent(s, phone(1)))[0]
	run := begin(t, s)
	if _, err := s.Recover(t.Context(), mainNumber); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Remove(t.Context(), "campaign.spring"); n != 1 || err != nil {
		t.Fatalf("removed %d, %v", n, err)
	}
	if n, err := s.Recover(t.Context(), mainNumber); n != 0 || err != nil {
		t.Fatalf("recovered %d, %v", n, err)
	}
	settled := s.Settle(t.Context(), zombie, []state.Outcome{accepted(v, wamidOf(1))})
	intend(t, s, run, intent(s, phone(2)))
	again := s.Settle(t.Context(), zombie, []state.Outcome{accepted(v, wamidOf(1))})
	if !errors.Is(settled, state.ErrFenced) || !errors.Is(again, state.ErrFenced) {
		t.Errorf("%v, %v", settled, again)
	}
	if d := oneDelivery(t, s); d.Recipient != phone(2) || d.Send != state.Sending {
		t.Errorf("%+v", d)
	}
}

// If a recipient is erased before the answer to a send comes, nothing in the answer
// is recorded about them.
func (u suite) TestAnAnswerTellsNothingOfTheErased(t *testing.T) {
	s, clock := u.create(t)
	run := begin(t, s)
	v := intend(t, s, run, intent(s, phone(1)), intent(s, phone(2)))
	for i := range v {
		if err := s.Erase(t.Context(), phone(1+i)); err != nil {
			t.Fatal(err)
		}
	}
	settle(t, s, run, accepted(v[0], wamidOf(1)), state.Outcome{Attempt: v[1].Attempt, Send: state.Rejected, Code: "131050", OptOut: true,
		Cooldown: clock.now.Add(time.Hour), WindowShut: true, At: noon})
	for o, err := range s.OptOuts(t.Context()) {
		t.Errorf("opted out: %+v, %v", o, err)
	}
	for p, err := range snapshot(t, s).People(t.Context()) {
		t.Errorf("known: %+v, %v", p, err)
	}
	for _, d := range deliveries(t, s) {
		if d.Recipient == phone(1) || d.Recipient == phone(2) || d.ID != "" || d.Digest != [16]byte{} {
			t.Errorf("kept: %+v", d)
		}
	}
	for i := range 2 {
		if v := intend(t, s, run, intent(s, phone(1+i)))[0]; v.Gate != delivery.GateOptedOut {
			t.Errorf("somebody erased is sent to: %+v", v)
		}
	}
}

// Erases somebody who has no phone number, after a second attempt at one delivery.
func (u suite) TestEraseAfterASecondAttempt(t *testing.T) {
	s, _ := u.create(t)
	const user = "DE.7001"
	run := begin(t, s)
	settle(t, s, run, accepted(intend(t, s, run, intent(s, user))[0], wamidOf(1)))
	settle(t, s, run, accepted(intend(t, s, run, ordered(s, user, 2))[0], wamidOf(2)))
	if err := s.Erase(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	if d := oneDelivery(t, s); d.Recipient == user || d.Attempt != 2 || d.Send != state.Accepted || d.ID != "" {
		t.Errorf("%+v", d)
	}
}

package statetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state"
)

func springKey(recipient string) state.Key {
	return state.Key{Campaign: "campaign.spring", Recipient: recipient, Revision: 1}
}

func sendOf(t T, s state.Store, recipient string) state.Send {
	t.Helper()
	for _, d := range deliveries(t, s) {
		if d.Recipient == recipient {
			return d.Send
		}
	}
	t.Fatalf("no delivery to %s", recipient)
	return 0
}

// Somebody who is held out gets nothing of the campaign's revision, whatever an
// intent says, under no id of theirs, and by no decision of a person.
func (u suite) TestWhoIsHeldOutGetsNothing(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	settle(t, s, run, accepted(intend(t, s, run, intent(s, phone(2)))[0], "x"))
	if n, err := s.HoldOut(t.Context(), run, []state.Key{springKey(phone(1)), springKey(phone(2))}); n != 1 || err != nil {
		t.Fatalf("%d are held out, %v; want the one without a delivery", n, err)
	}
	if n, err := s.HoldOut(t.Context(), run, []state.Key{springKey(phone(1))}); n != 1 || err != nil {
		t.Errorf("held out again: %d, %v", n, err)
	}
	for name, change := range map[string]func(*state.Intent){
		"first":             func(*state.Intent) {},
		"as the second":     func(in *state.Intent) { in.Attempt = 2 },
		"by -retry":         func(in *state.Intent) { in.Attempt, in.Retry = 2, true },
		"by -replace":       func(in *state.Intent) { in.Attempt, in.Again = 2, true },
		"with a user id":    func(in *state.Intent) { in.To.UserID = "DE.7" },
		"under a user id":   func(in *state.Intent) { in.To.Phone, in.To.UserID, in.Recipient = phone(1), "DE.8", phone(1) },
		"of both at a time": func(in *state.Intent) { in.Retry, in.Again = true, true },
	} {
		in := intent(s, phone(1))
		change(&in)
		if v := intend(t, s, run, in)[0]; v.Gate != delivery.GateHeldOut || v.Attempt != 0 {
			t.Errorf("%s: %+v", name, v)
		}
	}
	for _, as := range []state.Send{state.Accepted, state.Pending} {
		if err := s.Resolve(t.Context(), springKey(phone(1)), as, "ada", ""); !errors.Is(err, state.ErrSettled) {
			t.Errorf("resolved as %s: %v", as, err)
		}
	}
	if got := [2]state.Send{sendOf(t, s, phone(1)), sendOf(t, s, phone(2))}; got != [2]state.Send{state.HeldOut, state.Accepted} {
		t.Errorf("%v", got)
	}
	other := intent(s, phone(1))
	other.Campaign = "campaign.autumn"
	next := intent(s, phone(1))
	next.Revision, next.Ref = 2, "next"
	if v := intend(t, s, run, other, next); v[0].Gate != "" || v[1].Gate != "" {
		t.Errorf("another campaign, and the next revision: %+v", v)
	}
}

// Who is held out stays so after a move of the campaign, and counts nowhere as
// written to.
func (u suite) TestWhoIsHeldOutIsCountedApart(t *testing.T) {
	s, clock := u.create(t)
	run := begin(t, s)
	if _, err := s.HoldOut(t.Context(), run, []state.Key{springKey(phone(1))}); err != nil {
		t.Fatal(err)
	}
	tally, err := s.Tally(t.Context(), "campaign.spring", 1)
	if want := (state.Tally{HeldOut: 1}); tally != want || err != nil {
		t.Errorf("%+v, %v", tally, err)
	}
	snap := snapshot(t, s)
	if recent := sorted(t, snap.RecentSends(t.Context(), clock.now.Add(-1))); len(recent) != 0 {
		t.Errorf("recent sends: %v", recent)
	}
	if err := snap.Close(); err != nil {
		t.Fatal(err)
	}
	in := intent(s, phone(1))
	in.Campaign, in.CapCount, in.CapPer, in.Spacing = "campaign.autumn", 1, delivery.WindowLength, delivery.Spacing
	if v := intend(t, s, run, in)[0]; v.Gate != "" {
		t.Errorf("held out of one campaign, and kept from another: %+v", v)
	}
	if err := s.Move(t.Context(), "campaign.spring", "campaign.may"); err != nil {
		t.Fatal(err)
	}
	in = intent(s, phone(1))
	in.Campaign = "campaign.may"
	if v := intend(t, s, run, in)[0]; v.Gate != delivery.GateHeldOut {
		t.Errorf("after the move: %+v", v)
	}
	later := begin(t, s)
	if n, err := s.HoldOut(t.Context(), run, []state.Key{springKey(phone(3))}); n != 0 || !errors.Is(err, state.ErrFenced) {
		t.Errorf("by a lane that was overtaken: %d, %v", n, err)
	}
	if err := s.Erase(t.Context(), phone(4)); err != nil {
		t.Fatal(err)
	}
	if n, err := s.HoldOut(t.Context(), later, []state.Key{springKey(phone(4))}); n != 0 || err != nil {
		t.Errorf("somebody erased: %d, %v", n, err)
	}
}

// An attempt keeps which text it sends. The index for planning knows the arm, and an
// erasure forgets the attributes.
func (u suite) TestChoicesAreKept(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	choices := []state.Choice{{}, {Arm: "short"}, {Variant: "de"}, {Arm: "long", Variant: "pt", Attributes: `{"name":"Ana","note":"«ü»"}`}}
	for i, c := range choices {
		in := intent(s, phone(i))
		in.Choice = c
		settle(t, s, run, accepted(intend(t, s, run, in)[0], wamidOf(i)))
	}
	if err := s.Finish(t.Context(), state.Run{ID: run.Run}); err != nil {
		t.Fatal(err)
	}
	snap := snapshot(t, s)
	index, err := snap.Compact(t.Context(), "campaign.spring", 1)
	if err := errors.Join(err, snap.Close()); err != nil {
		t.Fatal(err)
	}
	kept := map[string]state.Choice{}
	for _, d := range deliveries(t, s) {
		kept[d.Recipient] = d.Choice
	}
	for i, c := range choices {
		if diff := cmp.Diff(c, kept[phone(i)]); diff != "" {
			t.Errorf("(-written +read):\n%s", diff)
		}
		if sent, ok := index.Lookup(phone(i)); !ok || sent.Arm != c.Arm {
			t.Errorf("the index has %+v, %v; want the arm %q", sent, ok, c.Arm)
		}
	}
	if err := s.Erase(t.Context(), phone(3)); err != nil {
		t.Fatal(err)
	}
	for _, d := range deliveries(t, s) {
		if state.IsErased(d.Recipient) && d.Choice != (state.Choice{Arm: "long", Variant: "pt"}) || strings.Contains(fmt.Sprint(d), "Ana") {
			t.Errorf("after the erasure: %+v", d)
		}
	}
}

package statetest

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// autumn returns an intent of another campaign.
func autumn(s state.Store, recipient string) state.Intent {
	in := intent(s, recipient)
	in.Campaign = "campaign.autumn"
	in.Ref = message.NewRef(lineage(s), in.Campaign, recipient, 1, 1)
	return in
}

// sends returns the state of each delivery by recipient.
func sends(t T, s state.Store) map[string]state.Send {
	t.Helper()
	out := map[string]state.Send{}
	for _, d := range deliveries(t, s) {
		out[d.Recipient] = d.Send
	}
	return out
}

// Two runs with different numbers are independent: both send and both finish,
// whichever began first.
func (u suite) TestRunsSideBySide(t *testing.T) {
	s, _ := u.create(t)
	a := beginAt(t, s, mainNumber)[0]
	b := beginAt(t, s, otherNumber)[0]
	if a.Run == b.Run {
		t.Fatalf("two runs are one: %+v, %+v", a, b)
	}
	for i, lane := range []state.Lane{a, b, a, b} {
		in := intent(s, phone(i))
		if lane == b {
			in = autumn(s, phone(i))
		}
		settle(t, s, lane, accepted(intend(t, s, lane, in)[0], wamidOf(i)))
	}
	for _, run := range []int64{a.Run, b.Run} {
		if err := s.Finish(t.Context(), state.Run{ID: run}); err != nil {
			t.Errorf("run %d: %v", run, err)
		}
	}
	for _, lane := range []state.Lane{a, b} {
		if _, err := s.Turn(t.Context(), lane, nil, []state.Intent{intent(s, phone(9))}); err == nil || errors.Is(err, state.ErrFenced) {
			t.Errorf("a lane of a run that is over: %v", err)
		}
	}
	all, err := s.Runs(t.Context())
	if err != nil || len(all) != 2 || all[0].Ended.IsZero() || all[1].Ended.IsZero() || all[0].Lanes != nil {
		t.Errorf("%+v, %v", all, err)
	}
	if got := sends(t, s); len(got) != 4 {
		t.Errorf("%v", got)
	}
}

// A run that has lost one of its numbers to another run stops sending through that
// number, continues through the others, and cannot finish.
func (u suite) TestOneLaneIsFenced(t *testing.T) {
	s, _ := u.create(t)
	lanes := beginAt(t, s, mainNumber, otherNumber)
	main, other := lanes[0], lanes[1]
	v := intend(t, s, main, intent(s, phone(1)))[0]
	heir := beginAt(t, s, mainNumber)[0]
	if heir.Epoch <= main.Epoch {
		t.Errorf("epoch %d after %d", heir.Epoch, main.Epoch)
	}
	if _, err := s.Intend(t.Context(), main, []state.Intent{intent(s, phone(2))}); !errors.Is(err, state.ErrFenced) {
		t.Errorf("an intent of the lane that was overtaken: %v, want %v", err, state.ErrFenced)
	}
	_, err := s.Turn(t.Context(), main, []state.Outcome{accepted(v, "x")}, []state.Intent{intent(s, phone(2))})
	if !errors.Is(err, state.ErrFenced) {
		t.Errorf("an outcome of the lane that was overtaken: %v, want %v", err, state.ErrFenced)
	}
	settle(t, s, other, accepted(intend(t, s, other, autumn(s, phone(3)))[0], "y"))
	intend(t, s, heir, intent(s, phone(2)))
	want := map[string]state.Send{phone(1): state.Accepted, phone(2): state.Sending, phone(3): state.Accepted}
	if diff := cmp.Diff(want, sends(t, s)); diff != "" {
		t.Errorf("deliveries (-want +got):\n%s", diff)
	}
	if err := s.Finish(t.Context(), state.Run{ID: main.Run}); !errors.Is(err, state.ErrFenced) {
		t.Errorf("the run that was overtaken ends with %v, want %v", err, state.ErrFenced)
	}
	if err := s.Finish(t.Context(), state.Run{ID: heir.Run}); err != nil {
		t.Error(err)
	}
}

// Open attempts at a number are settled by the next run that takes it, and by no
// other.
func (u suite) TestRecoveryOfOneNumber(t *testing.T) {
	s, _ := u.create(t)
	lanes := beginAt(t, s, mainNumber, otherNumber)
	dead := intend(t, s, lanes[0], intent(s, phone(1)), intent(s, phone(2)))
	settle(t, s, lanes[0], accepted(dead[1], "x"))
	alive := intend(t, s, lanes[1], autumn(s, phone(3)))[0]
	answer := autumn(s, phone(4))
	answer.Inbound, answer.Window = 7, false
	reply := answering(t, s, mainNumber)
	replied := intend(t, s, reply, answer)[0]
	if got, err := s.Unsettled(t.Context()); err != nil || !slices.Equal(got, []string{mainNumber, otherNumber}) {
		t.Errorf("unsettled at %q, %v", got, err)
	}

	heir := beginAt(t, s, mainNumber)[0]
	if n, err := s.Recover(t.Context(), mainNumber); n != 1 || err != nil {
		t.Errorf("recovered %d, %v; want 1", n, err)
	}
	want := map[string]state.Send{phone(1): state.InDoubt, phone(2): state.Accepted, phone(3): state.Sending, phone(4): state.Sending}
	if diff := cmp.Diff(want, sends(t, s)); diff != "" {
		t.Errorf("after one number's recovery (-want +got):\n%s", diff)
	}
	settle(t, s, lanes[1], accepted(alive, "y"))
	settle(t, s, reply, accepted(replied, "z"))

	// A lane that is over and was recovered is not examined again.
	if err := s.Finish(t.Context(), state.Run{ID: heir.Run}); err != nil {
		t.Fatal(err)
	}
	for _, number := range []string{mainNumber, otherNumber} {
		if n, err := s.Recover(t.Context(), number); n != 0 || err != nil {
			t.Errorf("recovered %d more at %s, %v", n, number, err)
		}
	}
	if got, err := s.Unsettled(t.Context()); err != nil || !slices.Equal(got, []string{otherNumber}) {
		t.Errorf("unsettled at %q, %v; want where a run is still open", got, err)
	}
	intend(t, s, lanes[1], autumn(s, phone(5))) // and it goes on
	if n, err := s.Recover(t.Context(), otherNumber); n != 1 || err != nil {
		t.Errorf("recovered %d, %v; want 1", n, err)
	}
}

// A server that begins to answer at a number fences the previous one, but no run.
func (u suite) TestRepliesHaveLanes(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	reply := func(who string) state.Intent {
		in := autumn(s, who)
		in.Inbound = 7
		return in
	}
	main, other := answering(t, s, mainNumber), answering(t, s, otherNumber)
	open := intend(t, s, main, reply(phone(1)))[0]
	intend(t, s, other, reply(phone(2)))
	intend(t, s, run, intent(s, phone(3)))
	heir, n, err := s.RecoverReplies(t.Context(), mainNumber)
	if n != 1 || err != nil {
		t.Fatalf("recovered %d, %v; want 1", n, err)
	}
	want := map[string]state.Send{phone(1): state.InDoubt, phone(2): state.Sending, phone(3): state.Sending}
	if diff := cmp.Diff(want, sends(t, s)); diff != "" {
		t.Errorf("after the server was started anew (-want +got):\n%s", diff)
	}
	if _, err := s.Intend(t.Context(), main, []state.Intent{reply(phone(4))}); !errors.Is(err, state.ErrFenced) {
		t.Errorf("who answered before: %v, want %v", err, state.ErrFenced)
	}
	if err := s.Settle(t.Context(), main, []state.Outcome{accepted(open, "x")}); !errors.Is(err, state.ErrFenced) {
		t.Errorf("who answered before: %v, want %v", err, state.ErrFenced)
	}
	if got := sends(t, s); got[phone(1)] != state.Accepted {
		t.Errorf("what became of a reply that was under way is not recorded: %v", got)
	}
	intend(t, s, heir, reply(phone(4)))
	intend(t, s, other, reply(phone(5)))
	intend(t, s, run, intent(s, phone(6)))
	if _, err := s.Intend(t.Context(), heir, []state.Intent{intent(s, phone(7))}); err == nil {
		t.Error("a reply to nothing was written")
	}
	begin(t, s)
	intend(t, s, heir, reply(phone(8)))
}

// A lane that the store did not issue cannot send.
func (u suite) TestALaneIsGivenOut(t *testing.T) {
	s, _ := u.create(t)
	lane := begin(t, s)
	made := []state.Lane{{}, {Number: mainNumber}, {Number: mainNumber, ID: lane.ID + 1, Epoch: lane.Epoch, Run: lane.Run},
		{Number: otherNumber, ID: lane.ID, Epoch: lane.Epoch, Run: lane.Run}, {Number: mainNumber, ID: lane.ID, Epoch: lane.Epoch + 1, Run: lane.Run}}
	for _, lane := range made {
		if v, err := s.Intend(t.Context(), lane, []state.Intent{intent(s, phone(1))}); err == nil {
			t.Errorf("%+v: %+v", lane, v)
		}
	}
	if _, err := s.Begin(t.Context(), state.Run{Lanes: []state.Lane{{}}}, nil); err == nil {
		t.Error("a lane without a number was given out")
	}
}

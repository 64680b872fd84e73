package statetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/state"
)

const crm, desk = "reply_rule.crm", "reply_rule.desk"

// claimForwards claims up to n forwards, and returns them with how long to wait for the next.
func claimForwards(t T, s state.Store, clock *testClock, owner string, n int) (due []state.Forward, wait time.Duration) {
	t.Helper()
	due, next, err := s.ClaimForwards(t.Context(), owner, n)
	if err != nil {
		t.Fatal(err)
	}
	if !next.IsZero() {
		wait = next.Sub(clock.now)
	}
	return due, wait
}

// A forward is one owner's until something becomes of it. It is then gone, waits for its time, or was given up.
func (u suite) TestForwards(t *testing.T) {
	s, clock := u.create(t)
	add := func(event int64, rule string) {
		t.Helper()
		if err := s.AddForward(t.Context(), event, rule); err != nil {
			t.Fatal(err)
		}
	}
	done := func(owner string, f state.Forward, became state.ForwardState) {
		t.Helper()
		if err := s.DoneForward(t.Context(), owner, f, became); err != nil {
			t.Fatal(err)
		}
	}
	want := func(owner string, n int, want ...state.Forward) {
		t.Helper()
		got, wait := claimForwards(t, s, clock, owner, n)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("claimed (-want +got):\n%s", diff)
		}
		if len(want) > 0 && wait != 0 {
			t.Errorf("with what was claimed: wait %v", wait)
		}
	}
	want("ada", 9)
	add(1, crm)
	add(1, crm) // changes nothing
	add(1, desk)
	add(2, crm)
	one, two, three := state.Forward{Event: 1, Rule: crm}, state.Forward{Event: 1, Rule: desk}, state.Forward{Event: 2, Rule: crm}
	want("ada", 2, one, two)
	want("grace", 9, three)
	if due, wait := claimForwards(t, s, clock, "grace", 9); len(due) != 0 || wait <= 0 || wait > state.ForwardLimit {
		t.Errorf("all are claimed: %+v, wait %v", due, wait)
	}
	done("ada", one, state.ForwardOver)
	two.Attempts, two.Reason, two.Due = 1, "503", clock.now.Add(5*time.Minute)
	done("grace", two, state.ForwardWaits) // it is not hers
	done("ada", two, state.ForwardWaits)
	done("grace", three, state.ForwardOver)
	if due, wait := claimForwards(t, s, clock, "grace", 9); len(due) != 0 || wait != 5*time.Minute {
		t.Errorf("one is due in five minutes: %+v, wait %v", due, wait)
	}
	clock.now = clock.now.Add(5 * time.Minute)
	want("grace", 9, two)
	two.Attempts, two.Reason = 2, "410"
	done("grace", two, state.ForwardDead)
	want("grace", 9)
	add(1, desk) // it was given up
	want("grace", 9)
	if n, err := s.DeadForwards(t.Context()); n != 1 || err != nil {
		t.Errorf("%d were given up, %v; want 1", n, err)
	}
	if err := s.ReviveForwards(t.Context()); err != nil {
		t.Fatal(err)
	}
	two = state.Forward{Event: 1, Rule: desk}
	want("ada", 9, two)
	done("ada", two, state.ForwardOver)
	if n, err := s.DeadForwards(t.Context()); n != 0 || err != nil {
		t.Errorf("%d are given up at the end, %v", n, err)
	}
	want("ada", 9)
}

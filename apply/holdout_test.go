package apply_test

import (
	"errors"
	"fmt"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// holdingOut makes a plan that sends to n people and holds out some: every third, of
// whom the state knows known already.
func holdingOut(n, known int) *plan.Plan {
	p := campaignOf(n)
	all := p.Entries
	held := 0
	for i := range n {
		if i%3 == 2 {
			held++
		}
	}
	c := &p.Campaigns[0]
	c.Counts, c.Experiment = plan.Counts{Send: n - held, HeldOut: held}, &plan.Experiment{Arms: []plan.Arm{{Texts: []plan.ArmText{{Message: c.Message, FallbackDraft: -1}}}}, HeldOut: held, New: held - known}
	p.Entries = func() iter.Seq2[plan.Entry, error] {
		return func(yield func(plan.Entry, error) bool) {
			i, out := 0, 0
			for e, err := range all() {
				if i%3 == 2 {
					e.Action, e.Draft = plan.HeldOut, -1
					if out++; out <= known {
						e.Attempt = 0
					}
				}
				i++
				if !yield(e, err) {
					return
				}
			}
		}
	}
	return p
}

// Who is held out is recorded before the first message gets its intent, and counts in
// what was planned.
func TestWhoIsHeldOutIsRecordedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		l.gate = func(state.Intent) state.Verdict {
			for i := 2; i < 2000; i += 3 {
				if r := l.rows[state.Key{Campaign: "campaign.spring", Recipient: fmt.Sprintf("+49151%07d", i), Revision: 1}]; r == nil || r.send != state.HeldOut {
					t.Fatalf("person %d is not held out when the first message goes", i)
				}
			}
			return state.Verdict{}
		}
		rep, err := run(t, holdingOut(2000, 0), l, newNumber(l, accept))
		if err != nil {
			t.Fatal(err)
		}
		if c := rep.Campaigns[0]; c.Planned != 2000 || c.Accepted != 1334 || c.HeldOut != 666 || c.Sent != 1334 {
			t.Errorf("%+v", c)
		}
	})
}

// Without a record of who is held out nothing is sent.
func TestNothingIsSentWithoutTheRecordOfWhoIsHeldOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		l.failHoldOut = errors.New("the disk is full")
		rep, err := run(t, holdingOut(30, 0), l, newNumber(l, accept))
		if !errors.Is(err, l.failHoldOut) || rep.Campaigns[0].Sent != 0 {
			t.Errorf("%v, %d were sent", err, rep.Campaigns[0].Sent)
		}
	})
}

// A run with nothing to send records who is held out; one that holds out only people
// of whom the state knows it has no lane to drive.
func TestLanesOfWhoIsHeldOut(t *testing.T) {
	for known, want := range map[int]int{0: 1, 1: 0} {
		p := holdingOut(3, known)
		p.Campaigns[0].Counts.Send = 0
		r, err := apply.Begin(t.Context(), p, apply.Options{Recorder: newLedger(t), Now: time.Now})
		if err != nil || len(r.Lanes()) != want {
			t.Errorf("%d known: %d lanes, %v; want %d", known, len(r.Lanes()), err, want)
		}
	}
}

// Somebody whom the plan holds out and whose delivery is known is counted once, as what
// they are.
func TestWhoIsFoundToBeSentToIsNotHeldOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		key := state.Key{Campaign: "campaign.spring", Recipient: "+491510000002", Revision: 1}
		l.rows[key] = &row{key: key, send: state.Accepted, attempt: 1}
		rep, err := run(t, holdingOut(9, 0), l, newNumber(l, accept))
		if err != nil {
			t.Fatal(err)
		}
		if c := rep.Campaigns[0]; c.Planned != 9 || c.Accepted != 7 || c.HeldOut != 2 {
			t.Errorf("%+v", c)
		}
	})
}

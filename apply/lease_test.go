package apply_test

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// limited makes runs whose lanes belong to their owner for ten seconds.
func limited(t *testing.T) *ledger {
	l := newLedger(t)
	l.limit = 10 * time.Second
	return l
}

func carried(o *apply.Options) {
	began := time.Now()
	o.Carried = &state.Carried{}
	o.Monotonic = func() time.Duration { return time.Since(began) }
}

// late is a number that fails the test if it sends eight seconds or more after
// the last answered turn began.
type late struct{ *number }

func (n late) Send(ctx context.Context, r message.Request) message.Answer {
	n.ledger.mu.Lock()
	asked := n.ledger.granted
	n.ledger.mu.Unlock()
	if since := time.Since(asked); since >= 8*time.Second {
		n.ledger.t.Errorf("a request left %v after the lane's owner asked", since)
	}
	return n.number.Send(ctx, r)
}

// TestNothingLeavesWhenTheLimitIsOver checks that an owner that is stalled
// while its intents are committed does not send them and says so. It continues
// once the state confirms that the lane is still its own.
func TestNothingLeavesWhenTheLimitIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limited(t)
		l.commit = time.Second
		stalls := 0
		l.stall = func(intents int) {
			if intents > 0 && stalls < 2 {
				stalls++
				time.Sleep(9 * time.Second)
			}
		}
		n := newNumber(l, accept)
		rep, err := run(t, campaignOf(40), l, n, carried, func(o *apply.Options) {
			o.Parallelism, o.Senders = 8, map[string]providers.Sender{"provider.sandbox.main": late{n}}
		})
		if err != nil {
			t.Fatal(err)
		}
		if c := rep.Campaigns[0]; c.Accepted != 40 || c.InDoubt+c.Pending != 0 || c.Halt != nil || len(n.times) != 40 {
			t.Errorf("%+v, %d requests", c, len(n.times))
		}
		attempts := 0
		for _, r := range l.rows {
			attempts += r.attempt
		}
		if attempts != 40+2*8 || stalls != 2 {
			t.Errorf("%d attempts in all: those that did not leave are settled as not taken", attempts)
		}
	})
}

// TestAClockThatStoodStill checks that a monotonic clock that stopped while the
// machine slept does not keep a lane: the wall clock shows that time passed.
func TestAClockThatStoodStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limited(t)
		l.commit = time.Second
		slept := false
		l.stall = func(intents int) {
			if intents > 0 && !slept {
				slept = true
				time.Sleep(9 * time.Second)
			}
		}
		n := newNumber(l, accept)
		_, err := run(t, campaignOf(8), l, n, carried, func(o *apply.Options) {
			o.Parallelism, o.Monotonic = 8, func() time.Duration { return 0 }
			o.Senders = map[string]providers.Sender{"provider.sandbox.main": late{n}}
		})
		if err != nil || len(n.times) != 8 {
			t.Errorf("%d requests, %v", len(n.times), err)
		}
	})
}

// TestIdleLanesStayOwned checks that a lane stays owned while nothing is sent
// for an hour, and while it waits for its last answer.
func TestIdleLanesStayOwned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limited(t)
		n := newNumber(l, accept)
		n.latency = time.Minute
		_, err := run(t, campaignOf(20, func(c *plan.Campaign) {
			c.Canary = &plan.Canary{Count: 5, Wait: time.Hour, MaxFailureRate: 1}
		}), l, n, carried)
		if err != nil {
			t.Fatal(err)
		}
		for i := range l.asked[1:] {
			if gap := l.asked[i+1].Sub(l.asked[i]); gap > 4*time.Second {
				t.Errorf("%v between two turns", gap)
			}
		}
		if took := time.Since(l.asked[0]); took < time.Hour {
			t.Errorf("the canary was not waited for: %v", took)
		}
	})
}

// TestALaneThatIsTakenOver checks that the loser of a lane neither ends the run
// nor halts its campaigns.
func TestALaneThatIsTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limited(t)
		n := newNumber(l, accept)
		n.latency = 3 * time.Second
		go func() {
			time.Sleep(7 * time.Second)
			l.mu.Lock()
			defer l.mu.Unlock()
			l.failIntend = fmt.Errorf("recording: %w", state.ErrFenced)
		}()
		rep, err := run(t, campaignOf(400), l, n, carried, func(o *apply.Options) { o.Parallelism = 6 })
		if err != nil {
			t.Fatal(err)
		}
		if c := rep.Campaigns[0]; c.Halt != nil || c.Sent != 18 || c.Accepted != 18 || len(n.times) != 18 {
			t.Errorf("%+v, %d requests", c, len(n.times))
		}
		if len(rep.Lost) != 1 || rep.Lost[0].Number != "provider.sandbox.main" || l.ends != 0 {
			t.Errorf("lost %+v, the run was ended %d times", rep.Lost, l.ends)
		}
	})
}

// joined drives the second part of a campaign, after another process drove the
// first.
func joined(t *testing.T, p *plan.Plan, l *ledger, n *number, change ...func(*apply.Options)) *apply.Report {
	t.Helper()
	opt := apply.Options{Recorder: l, Senders: map[string]providers.Sender{"provider.sandbox.main": n}, Now: time.Now, Seed: 7,
		Sent: func(context.Context, string, int) (state.SentIndex, error) { return l.index(), nil }}
	for _, f := range change {
		f(&opt)
	}
	begun := l.run
	r, err := apply.Join(t.Context(), p, begun, opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Drive(t.Context(), "provider.sandbox.main"); err != nil {
		t.Fatal(err)
	}
	rep, err := r.Finish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// TestAReleasedLaneGoesOnElsewhere checks that the next owner of a lane sends
// to the others, does not query the state for people who were sent to, and that
// the counts add up.
func TestAReleasedLaneGoesOnElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limited(t)
		n := newNumber(l, accept)
		n.latency = time.Second
		release := make(chan struct{})
		go func() {
			time.Sleep(5500 * time.Millisecond)
			close(release)
		}()
		rep, err := run(t, campaignOf(100), l, n, carried, func(o *apply.Options) { o.Parallelism, o.Release = 6, release })
		if err != nil || len(rep.Left) != 1 || rep.Stopped || l.ends != 0 {
			t.Fatalf("%+v, %v, ended %d times", rep, err, l.ends)
		}
		first := len(n.times)
		if c := rep.Campaigns[0]; c.Accepted != first || c.InDoubt != 0 || first != 36 {
			t.Errorf("after the first: %+v, %d requests", c, first)
		}
		asked := 0
		l.stall = func(intents int) { asked += intents }
		rep = joined(t, campaignOf(100), l, n)
		c := rep.Campaigns[0]
		if c.Planned != 100 || c.Accepted != 100 || c.Sent != 64 || c.Existing != 36 || c.Pending != 0 || len(n.times) != 100 {
			t.Errorf("%+v, %d requests", c, len(n.times))
		}
		if asked != 64 || l.ends != 1 {
			t.Errorf("%d intents, ended %d times", asked, l.ends)
		}
	})
}

// TestDoubtsOfTheOwnerBefore checks that a doubtful message of the previous
// owner is sent if that owner later reports that it was not, and that one that
// stays in doubt is not.
func TestDoubtsOfTheOwnerBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limited(t)
		n := newNumber(l, accept)
		n.latency = time.Second
		release := make(chan struct{})
		go func() {
			time.Sleep(2500 * time.Millisecond)
			close(release)
		}()
		if _, err := run(t, campaignOf(30), l, n, carried, func(o *apply.Options) { o.Parallelism, o.Release = 4, release }); err != nil {
			t.Fatal(err)
		}
		doubts := 0
		for _, r := range l.rows { // the owner was stopped while these were in flight
			if doubts++; doubts <= 4 {
				r.send, r.taken = state.InDoubt, 0
			}
		}
		go func() {
			time.Sleep(1500 * time.Millisecond)
			l.mu.Lock()
			defer l.mu.Unlock()
			changed := 0
			for _, r := range l.rows {
				if r.send == state.InDoubt && changed < 3 {
					r.send = state.Pending
					changed++
				}
			}
		}()
		rep := joined(t, campaignOf(30), l, n, func(o *apply.Options) { o.Parallelism = 4 })
		c := rep.Campaigns[0]
		if c.Planned != 30 || c.Accepted != 29 || c.InDoubt != 1 || c.Pending != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// TestANewOwnerGoesOnWithTheCanary checks that the wait after a canary goes on from
// its last answer, that it is judged by what failed before the takeover too, and
// that a canary whose campaign went on is not judged again.
func TestANewOwnerGoesOnWithTheCanary(t *testing.T) {
	for name, c := range map[string]struct {
		far   func(*state.SoFar)
		waits time.Duration // until the first request of the new owner
		halts bool
	}{
		"half an hour later":       {func(*state.SoFar) {}, 30 * time.Minute, false},
		"after the wait":           {func(far *state.SoFar) { far.First = far.First.Add(-time.Hour) }, 0, false},
		"failed before":            {func(far *state.SoFar) { far.Failed = 3 }, 0, true},
		"the others were sent to":  {func(far *state.SoFar) { far.Answers = 6 }, 0, false},
		"and failed since its end": {func(far *state.SoFar) { far.Answers, far.Failed = 6, 3 }, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := limited(t)
				n := newNumber(l, accept)
				p := campaignOf(20, func(c *plan.Campaign) { c.Canary = &plan.Canary{Count: 5, Wait: time.Hour, MaxFailureRate: 0.5} })
				release := make(chan struct{})
				go func() {
					time.Sleep(time.Second)
					close(release)
				}()
				if _, err := run(t, p, l, n, carried, func(o *apply.Options) { o.Release = release }); err != nil || len(n.times) != 5 {
					t.Fatalf("%d requests, %v", len(n.times), err)
				}
				far := state.SoFar{Answers: 5, First: time.Now()}
				time.Sleep(30 * time.Minute)
				c.far(&far)
				began, asked := time.Now(), 0
				rep := joined(t, p, l, n, func(o *apply.Options) {
					o.Recorder = counting{l, &asked, func(t *state.Tally) error { t.Failed = far.Failed; return nil }}
					o.SoFar = func(_ context.Context, run int64, _ string, _, first, last int) (state.SoFar, error) {
						if run != l.run.ID || first != 5 {
							t.Errorf("run %d, the first %d", run, first)
						}
						return far, nil
					}
				})
				if halt := rep.Campaigns[0].Halt; (halt != nil) != c.halts {
					t.Errorf("halted: %+v", halt)
				}
				if len(n.times) > 5 == c.halts {
					t.Fatalf("%d requests", len(n.times))
				}
				if !c.halts {
					if waited := n.times[5].Sub(began); waited < c.waits || waited > c.waits+time.Second {
						t.Errorf("it waited for %v", waited)
					}
				}
			})
		})
	}
}

// TestANewOwnerGoesOnWithStopIf checks that the answers before a takeover count among
// the last ones that stop_if looks at.
func TestANewOwnerGoesOnWithStopIf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limited(t)
		n := newNumber(l, accept)
		release := make(chan struct{})
		close(release)
		p := campaignOf(20, func(c *plan.Campaign) { c.StopIf = plan.StopIf{FailureRate: 0.5, Over: 6} })
		if _, err := run(t, p, l, n, carried, func(o *apply.Options) { o.Release = release }); err != nil {
			t.Fatal(err)
		}
		rep := joined(t, p, l, n, func(o *apply.Options) {
			o.Parallelism = 1
			o.SoFar = func(_ context.Context, _ int64, _ string, _, _, last int) (state.SoFar, error) {
				if last != 6 {
					t.Errorf("the last %d", last)
				}
				return state.SoFar{Answers: 5, Last: []bool{true, true, true, true, false}}, nil
			}
		})
		if c := rep.Campaigns[0]; c.Halt == nil || c.Halt.Reason != "stop_if" || len(n.times) != 1 {
			t.Errorf("%d requests, %+v", len(n.times), c.Halt)
		}
	})
}

// index returns the ledger's index of what was sent.
func (l *ledger) index() index {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := index{}
	for k, r := range l.rows {
		out[k.Recipient] = state.Sent{Send: r.send, Attempt: r.attempt}
	}
	return out
}

type index map[string]state.Sent

func (i index) Len() int { return len(i) }
func (i index) Lookup(recipient string) (state.Sent, bool) {
	s, ok := i[recipient]
	return s, ok
}
func (i index) All() iter.Seq2[string, state.Sent] { return maps.All(i) }

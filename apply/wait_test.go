package apply_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// TestAnAbsurdWaitIsBounded checks that an answer that asks for a wait of years
// makes a number wait an hour, that the wait is reported immediately, and that
// it can be interrupted.
func TestAnAbsurdWaitIsBounded(t *testing.T) {
	const years = 3 * 365 * 24 * time.Hour
	classes := map[string]message.Class{"a throttle": message.Throttled, "a throttled pair": message.PairThrottled, "no connection": message.NotSent}
	for name, class := range classes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLedger(t)
				n := newNumber(l, func(_ string, try int) message.Answer {
					if try > 1 {
						return message.Answer{Class: message.Accepted}
					}
					return message.Answer{Class: class, Code: "429", RetryAfter: years}
				})
				began := time.Now()
				rep, err := run(t, campaignOf(1), l, n)
				if took := time.Since(began); err != nil || rep.Campaigns[0].Sent != 1 || took < time.Hour || took > time.Hour+time.Minute {
					t.Errorf("%v, %d sent after %v", err, rep.Campaigns[0].Sent, took)
				}
			})
		})
	}
}

func TestALongWaitIsReportedAndInterruptible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		began, stop := time.Now(), make(chan struct{})
		var said, until time.Time
		rep, err := run(t, campaignOf(30), l, newNumber(l, func(string, int) message.Answer {
			return message.Answer{Class: message.Throttled, RetryAfter: 90 * time.Hour}
		}), func(o *apply.Options) {
			o.Stop = stop
			o.Observe = func(ev apply.Event) {
				if ev.Kind == apply.EventPaused && said.IsZero() {
					said, until = time.Now(), ev.Until
					time.AfterFunc(7*time.Minute, func() { close(stop) })
				}
			}
		})
		if err != nil || !rep.Stopped {
			t.Fatalf("%v, stopped %v", err, rep.Stopped)
		}
		if said.Sub(began) > time.Second || until.Sub(said) != time.Hour {
			t.Errorf("said after %v that it waits %v", said.Sub(began), until.Sub(said))
		}
		if took := time.Since(began); took > 7*time.Minute+time.Second {
			t.Errorf("the interrupt was heeded after %v", took)
		}
	})
}

// TestPendingEntriesHaveAReason checks that the report has a reason for every entry
// that was tried and stays pending.
func TestPendingEntriesHaveAReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		n := newNumber(l, func(to string, _ int) message.Answer {
			switch to {
			case "+491510000003", "+491510000005":
				return message.Answer{Class: message.NotSent, Title: "no route"}
			case "+491510000008":
				return message.Answer{Class: message.PairThrottled, Code: "131056", Title: "too fast for one person"}
			}
			return message.Answer{Class: message.Accepted}
		})
		rep, err := run(t, campaignOf(12, func(c *plan.Campaign) { c.MaxAttempts = 2 }), l, n)
		if err != nil {
			t.Fatal(err)
		}
		c := rep.Campaigns[0]
		want := map[string]int{"no route": 2, "131056 too fast for one person": 1}
		if diff := cmp.Diff(want, c.Unsent); diff != "" || c.Pending != 3 {
			t.Errorf("%d pending\n%s", c.Pending, diff)
		}
	})
}

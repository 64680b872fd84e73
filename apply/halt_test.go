package apply_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

func TestWhichHaltsStay(t *testing.T) {
	all := func(a message.Answer) func(string, int) message.Answer {
		return func(string, int) message.Answer { return a }
	}
	rule := func(c *plan.Campaign) { c.StopIf = plan.StopIf{FailureRate: 0.3, Over: 5} }
	canary := func(c *plan.Campaign) { c.Canary = &plan.Canary{Count: 4, MaxFailureRate: 0.5} }
	cases := map[string]struct {
		answer func(string, int) message.Answer
		change func(*plan.Campaign)
		reason delivery.HaltReason
		stays  bool
	}{
		"too many refusals stay":              {all(message.Answer{Class: message.Refused, Code: "131026"}), rule, "stop_if", true},
		"a canary that failed stays":          {all(message.Answer{Class: message.Refused, Code: "131026"}), canary, "canary", true},
		"a fault of the account stays":        {all(message.Answer{Class: message.AccountFault, Code: "190"}), nil, "account_fault", true},
		"answers that stay unclear stay":      {all(message.Answer{Class: message.Unknown}), nil, "breaker", true},
		"answers to other messages stay":      {all(message.Answer{Class: message.Accepted, ID: "one"}), nil, "mixed_answers", true},
		"a network that is down lifts itself": {all(message.Answer{Class: message.NotSent}), func(c *plan.Campaign) { c.MaxAttempts = 99 }, "unreachable", false},
		"being too fast lifts itself":         {all(message.Answer{Class: message.Throttled}), nil, "throttled", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLedger(t)
				if c.change == nil {
					c.change = func(*plan.Campaign) {}
				}
				few := func(o *apply.Options) { o.Parallelism = 2 }
				first := newNumber(l, c.answer)
				rep, err := run(t, campaignOf(90, c.change), l, first, few)
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				if h := rep.Campaigns[0].Halt; h == nil || h.Reason != c.reason || h.Stays != c.stays || h.Since.IsZero() || h.Since.After(began) {
					t.Fatalf("the first run: %+v", h)
				}
				if got := rep.Run.Campaigns[0].Halted; got != c.reason {
					t.Errorf("the run says it was halted by %q", got)
				}
				time.Sleep(3 * time.Hour)
				again := newNumber(l, accept)
				if rep, err = run(t, campaignOf(90, c.change), l, again, few); err != nil {
					t.Fatal(err)
				}
				if sent := len(again.times); (sent == 0) != c.stays {
					t.Errorf("the next run sent %d", sent)
				}
				if h := rep.Campaigns[0].Halt; c.stays && (h == nil || h.Reason != c.reason || h.Since.After(began)) {
					t.Errorf("the next run says %+v", h)
				}
				lifted := newNumber(l, accept)
				lifted.ids = 1000
				if _, err = run(t, campaignOf(90, c.change), l, lifted, few, func(o *apply.Options) { o.Resume = []string{"campaign.spring"} }); err != nil {
					t.Fatal(err)
				}
				if c.stays && len(lifted.times) == 0 {
					t.Error("nothing was sent although the halt was lifted")
				}
			})
		})
	}
}

// TestAHaltIsKeptAtOnce checks that a halt is stored immediately, so that a
// crash before the run's end does not lose it.
func TestAHaltIsKeptAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		kept := 0
		_, err := run(t, campaignOf(50, func(c *plan.Campaign) { c.StopIf = plan.StopIf{FailureRate: 0.1, Over: 3} }), l,
			newNumber(l, func(string, int) message.Answer { return message.Answer{Class: message.Refused} }), func(o *apply.Options) {
				o.Observe = func(ev apply.Event) {
					if ev.Kind == apply.EventHalted {
						kept = len(l.halts)
					}
				}
			})
		if err != nil || kept != 1 {
			t.Errorf("%d halts were in the state when it was told, %v", kept, err)
		}
	})
}

func TestAHaltThatCannotBeKeptIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		l.failHalt = errors.New("no room")
		rep, err := run(t, campaignOf(50), l, newNumber(l, func(string, int) message.Answer { return message.Answer{Class: message.AccountFault} }))
		if !errors.Is(err, l.failHalt) || !strings.Contains(err.Error(), "the next apply would continue") || rep.Campaigns[0].Halt == nil {
			t.Errorf("%v", err)
		}
	})
}

package apply_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// run applies p through one number in virtual time.
func run(t testing.TB, p *plan.Plan, l *ledger, n *number, change ...func(*apply.Options)) (*apply.Report, error) {
	t.Helper()
	opt := apply.Options{Recorder: l, Senders: map[string]providers.Sender{"provider.sandbox.main": n}, Now: time.Now, Seed: 7}
	for _, f := range change {
		f(&opt)
	}
	return apply.Run(t.Context(), p, opt)
}

func TestSendsToEveryoneOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		rep, err := run(t, campaignOf(500), l, newNumber(l, accept))
		if err != nil {
			t.Fatal(err)
		}
		c := rep.Campaigns[0]
		if c.Sent != 500 || c.Accepted != 500 || c.Planned != 500 || c.Pending != 0 {
			t.Errorf("got %+v", c)
		}
		again, err := run(t, campaignOf(500), l, newNumber(l, accept))
		if err != nil {
			t.Fatal(err)
		}
		if c := again.Campaigns[0]; c.Sent != 0 || c.Existing != 500 {
			t.Errorf("the same plan a second time: %+v", c)
		}
	})
}

// TestClasses is the table of docs/delivery.md: the effect of each class of
// answer on one delivery.
func TestClasses(t *testing.T) {
	first := func(a message.Answer) func(string, int) message.Answer {
		return func(_ string, try int) message.Answer {
			if try == 1 {
				return a
			}
			return message.Answer{Class: message.Accepted, ID: "wamid.2"}
		}
	}
	always := func(a message.Answer) func(string, int) message.Answer {
		return func(string, int) message.Answer { return a }
	}
	tests := map[string]struct {
		answer func(string, int) message.Answer
		tries  int
		want   state.CampaignRun
		halt   delivery.HaltReason
	}{
		"accepted":          {accept, 1, state.CampaignRun{Accepted: 1}, ""},
		"refused":           {first(message.Answer{Class: message.Refused, Code: "131026"}), 1, state.CampaignRun{Rejected: 1}, ""},
		"window closed":     {first(message.Answer{Class: message.WindowClosed, Code: "131047"}), 1, state.CampaignRun{Rejected: 1}, ""},
		"opted out":         {first(message.Answer{Class: message.OptedOut, Code: "131050"}), 1, state.CampaignRun{Rejected: 1}, ""},
		"unknown":           {first(message.Answer{Class: message.Unknown}), 1, state.CampaignRun{InDoubt: 1}, ""},
		"zero answer":       {first(message.Answer{}), 1, state.CampaignRun{InDoubt: 1}, ""},
		"throttled, later":  {first(message.Answer{Class: message.Throttled, Code: "130429"}), 2, state.CampaignRun{Accepted: 1}, ""},
		"pair, later":       {first(message.Answer{Class: message.PairThrottled, Code: "131056"}), 2, state.CampaignRun{Accepted: 1}, ""},
		"not sent, later":   {first(message.Answer{Class: message.NotSent}), 2, state.CampaignRun{Accepted: 1}, ""},
		"not sent for ever": {always(message.Answer{Class: message.NotSent}), 3, state.CampaignRun{Pending: 1}, ""},
		"throttled for ever": {always(message.Answer{Class: message.Throttled}), -1,
			state.CampaignRun{Pending: 1}, "throttled"},
		"pair for ever": {always(message.Answer{Class: message.PairThrottled}), 6, state.CampaignRun{Pending: 1}, ""},
		"account fault": {first(message.Answer{Class: message.AccountFault, Code: "190"}), 1,
			state.CampaignRun{Pending: 1}, "account_fault"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLedger(t)
				n := newNumber(l, test.answer)
				rep, err := run(t, campaignOf(1), l, n)
				if err != nil {
					t.Fatal(err)
				}
				got := rep.Campaigns[0]
				if got.Accepted != test.want.Accepted || got.Rejected != test.want.Rejected ||
					got.InDoubt != test.want.InDoubt || got.Pending != test.want.Pending {
					t.Errorf("got %+v", got.CampaignRun)
				}
				if tries := n.tries["+491510000000"]; test.tries >= 0 && tries != test.tries {
					t.Errorf("%d requests, want %d", tries, test.tries)
				}
				if halt := got.Halt; (halt != nil || test.halt != "") && (halt == nil || halt.Reason != test.halt) {
					t.Errorf("halt %+v, want %q", halt, test.halt)
				}
			})
		})
	}
}

func TestAccountFaultHaltsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		n := newNumber(l, func(to string, _ int) message.Answer {
			if to == "+491510000020" {
				return message.Answer{Class: message.AccountFault, Code: "131042", Advice: "Add a payment method."}
			}
			return message.Answer{Class: message.Accepted}
		})
		n.latency = 10 * time.Millisecond
		rep, err := run(t, campaignOf(1000), l, n, func(o *apply.Options) { o.Parallelism = 4 })
		if err != nil {
			t.Fatal(err)
		}
		c := rep.Campaigns[0]
		if c.Halt == nil || c.Halt.Code != "131042" || c.Halt.Advice == "" {
			t.Fatalf("halt %+v", c.Halt)
		}
		if len(n.times) > 30 || c.Pending != 1000-c.Sent {
			t.Errorf("%d requests left, %d sent, %d pending", len(n.times), c.Sent, c.Pending)
		}
	})
}

func TestOutageLeavesFewInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		n := newNumber(l, func(string, int) message.Answer { return message.Answer{Class: message.Unknown, Title: "EOF"} })
		rep, err := run(t, campaignOf(1000), l, n, func(o *apply.Options) { o.Parallelism = 8 })
		if err != nil {
			t.Fatal(err)
		}
		c := rep.Campaigns[0]
		// These are the sends in flight when the breaker opened, and its
		// probes.
		if c.InDoubt > 8+5+5 || c.Halt == nil || c.Halt.Reason != "breaker" {
			t.Errorf("%d in doubt, halt %+v", c.InDoubt, c.Halt)
		}
	})
}

func TestStopDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		n := newNumber(l, accept)
		n.latency = time.Second
		stop := make(chan struct{})
		go func() {
			time.Sleep(2500 * time.Millisecond) // virtual
			close(stop)
		}()
		rep, err := run(t, campaignOf(1000), l, n, func(o *apply.Options) { o.Parallelism = 8; o.Stop = stop })
		if err != nil {
			t.Fatal(err)
		}
		c := rep.Campaigns[0]
		if !rep.Stopped || c.Sent != 24 || c.InDoubt != 0 || c.Pending != 976 {
			t.Errorf("stopped %v, %+v", rep.Stopped, c)
		}
	})
}

func TestCancelLeavesOnlyWhatWasInFlightInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		n := newNumber(l, accept)
		n.latency = time.Second
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		rep, err := apply.Run(ctx, campaignOf(1000), apply.Options{Recorder: l, Now: time.Now, Parallelism: 8,
			Senders: map[string]providers.Sender{"provider.sandbox.main": n}})
		if err != nil {
			t.Fatal(err)
		}
		c := rep.Campaigns[0]
		if c.Sent != 16 || c.InDoubt != 8 || c.Pending != 976 {
			t.Errorf("%+v", c)
		}
	})
}

func TestUnwritableStateStopsSending(t *testing.T) {
	full := errors.New("disk full")
	t.Run("intents", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newLedger(t)
			l.failIntend = full
			n := newNumber(l, accept)
			_, err := run(t, campaignOf(10), l, n)
			if !errors.Is(err, full) || len(n.times) != 0 {
				t.Errorf("err %v, %d requests left", err, len(n.times))
			}
		})
	})
	t.Run("outcomes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newLedger(t)
			l.failSettle = full
			n := newNumber(l, accept)
			_, err := run(t, campaignOf(100), l, n, func(o *apply.Options) { o.Parallelism = 4 })
			var unrecorded *apply.UnrecordedError
			if !errors.As(err, &unrecorded) || unrecorded.Outcomes != len(n.times) || len(n.times) > 8 {
				t.Errorf("err %v, %d requests left", err, len(n.times))
			}
		})
	})
}

// Outcomes are recorded even if the next intents cannot be, although each turn
// has both in one transaction.
func TestOutcomesOutliveIntentsThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		full := errors.New("disk full")
		n := newNumber(l, func(string, int) message.Answer {
			l.mu.Lock()
			l.failIntend = full // fails once something is in flight
			l.mu.Unlock()
			return message.Answer{Class: message.Accepted}
		})
		_, err := run(t, campaignOf(100), l, n, func(o *apply.Options) { o.Parallelism = 1 })
		tally, _ := l.Tally(t.Context(), "campaign.spring", 1)
		if !errors.Is(err, full) || len(n.times) != 1 || tally.Accepted != 1 || tally.InDoubt != 0 {
			t.Errorf("err %v, %d requests left, %+v", err, len(n.times), tally)
		}
	})
}

// One transaction holds the outcomes of answered attempts and the intents of
// the next ones.
func TestOneTransactionATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		n := newNumber(l, accept)
		n.latency = time.Millisecond
		if _, err := run(t, campaignOf(100), l, n, func(o *apply.Options) { o.Parallelism = 1 }); err != nil {
			t.Fatal(err)
		}
		if l.turns != 101 {
			t.Errorf("%d transactions for 100 messages, one after another", l.turns)
		}
	})
}

func TestPaceIsMetAndNeverExceeded(t *testing.T) {
	for _, rate := range []float64{1, 20, 80, 1000} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLedger(t)
				n := newNumber(l, accept)
				n.latency = 100 * time.Millisecond
				count := int(rate * 20)
				if _, err := run(t, campaignOf(count, func(c *plan.Campaign) { c.Throughput = rate }), l, n); err != nil {
					t.Fatal(err)
				}
				slices.SortFunc(n.times, time.Time.Compare)
				if most := mostIn(n.times, time.Second); float64(most) > rate {
					t.Errorf("%d sends in one second, limit %v", most, rate)
				}
				took := n.times[len(n.times)-1].Sub(n.times[0]).Seconds()
				if got := float64(count-1) / took; got < rate*0.97 {
					t.Errorf("%.1f a second, limit %v", got, rate)
				}
			})
		})
	}
}

// TestAMessageDueDuringACommitIsSentAfterIt checks that a message that becomes due during a commit
// is sent right after it.
func TestAMessageDueDuringACommitIsSentAfterIt(t *testing.T) {
	for _, commit := range []time.Duration{time.Microsecond, time.Millisecond, 7 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			l := newLedger(t)
			l.commit = commit
			n := newNumber(l, accept)
			if _, err := run(t, campaignOf(200, func(c *plan.Campaign) { c.Throughput = 1000 }), l, n); err != nil {
				t.Fatal(err)
			}
			if took := n.times[199].Sub(n.times[0]); took > 3*time.Second {
				t.Errorf("with commits of %v, 200 messages took %v", commit, took)
			}
		})
	}
}

// mostIn returns the largest number of times in any window of that length.
func mostIn(times []time.Time, window time.Duration) int {
	most, from := 0, 0
	for i, at := range times {
		for at.Sub(times[from]) >= window {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

func TestThrottlesSlowTheNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		rnd := newDice(1)
		n := newNumber(l, func(_ string, try int) message.Answer {
			switch r := rnd.IntN(100); {
			case r < 5:
				return message.Answer{Class: message.Throttled, Code: "130429"}
			case r < 7:
				return message.Answer{Class: message.Refused, Code: "131026"}
			}
			return message.Answer{Class: message.Accepted}
		})
		start := time.Now()
		rep, err := run(t, campaignOf(1000, func(c *plan.Campaign) { c.Throughput = 200 }), l, n)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 10*time.Second { // 5.3 s at full pace
			t.Errorf("a throttle now and then made it take %v", took)
		}
		c := rep.Campaigns[0]
		if c.Accepted+c.Rejected != 1000 || c.Rejected == 0 || c.Halt != nil {
			t.Errorf("%+v", c)
		}
	})
}

func TestSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the bubble's clock starts 2000-01-01 00:00 UTC
		l := newLedger(t)
		n := newNumber(l, accept)
		quiet := func(c *plan.Campaign) {
			c.Quiet = &plan.Quiet{From: 20 * 60, Until: 9 * 60, Timezone: "Europe/Berlin", Attribute: -1}
		}
		rep, err := run(t, campaignOf(5, quiet), l, n)
		if err != nil {
			t.Fatal(err)
		}
		c := rep.Campaigns[0]
		if c.Held != 5 || c.HeldFor["quiet_hours"] != 5 || !c.HeldTill.Equal(time.Date(2000, 1, 1, 8, 0, 0, 0, time.UTC)) {
			t.Errorf("%+v", c)
		}
		time.Sleep(8 * time.Hour) // virtual
		if rep, err = run(t, campaignOf(5, quiet), l, n); err != nil || rep.Campaigns[0].Sent != 5 {
			t.Errorf("after the quiet hours: %+v, %v", rep.Campaigns[0], err)
		}
	})
}

func TestTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		rep, err := run(t, campaignOf(50, func(c *plan.Campaign) { c.Total = 20 }), l, newNumber(l, accept))
		if err != nil {
			t.Fatal(err)
		}
		if c := rep.Campaigns[0]; c.Sent != 20 || c.Pending != 30 {
			t.Errorf("%+v", c)
		}
	})
}

func TestStopIf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		n := newNumber(l, func(string, int) message.Answer { return message.Answer{Class: message.Refused, Code: "131026"} })
		rep, err := run(t, campaignOf(1000, func(c *plan.Campaign) { c.StopIf.FailureRate, c.StopIf.Over = 0.2, 100 }), l, n,
			func(o *apply.Options) { o.Parallelism = 8 })
		if err != nil {
			t.Fatal(err)
		}
		c := rep.Campaigns[0]
		if c.Halt == nil || c.Halt.Reason != "stop_if" || c.Rejected < 100 || c.Rejected > 120 {
			t.Errorf("%d rejected, halt %+v", c.Rejected, c.Halt)
		}
	})
}

func TestCanary(t *testing.T) {
	for _, bad := range []bool{false, true} {
		t.Run(fmt.Sprint("bad=", bad), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLedger(t)
				n := newNumber(l, func(string, int) message.Answer {
					if bad {
						return message.Answer{Class: message.Refused, Code: "132001"}
					}
					return message.Answer{Class: message.Accepted}
				})
				start := time.Now()
				rep, err := run(t, campaignOf(100, func(c *plan.Campaign) {
					c.Canary = &plan.Canary{Count: 10, Wait: time.Minute, MaxFailureRate: 0.1}
				}), l, n)
				if err != nil {
					t.Fatal(err)
				}
				c := rep.Campaigns[0]
				if took := time.Since(start); took < time.Minute {
					t.Errorf("the canary was judged after %v", took)
				}
				if bad && (c.Halt == nil || c.Halt.Reason != "canary" || c.Rejected != 10) {
					t.Errorf("%+v", c)
				}
				if !bad && c.Sent != 100 {
					t.Errorf("%+v", c)
				}
			})
		})
	}
}

// dice gives random numbers to several goroutines.
type dice struct {
	mu  sync.Mutex
	rnd *rand.Rand
}

func newDice(seed uint64) *dice { return &dice{rnd: rand.New(rand.NewPCG(seed, 1))} }

func (d *dice) IntN(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rnd.IntN(n)
}

// TestNobodyTwiceNobodyForgotten runs random campaigns with random answers,
// gates and interrupts, again and again until nothing is left to try.
func TestNobodyTwiceNobodyForgotten(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		people := rapid.IntRange(1, 60).Draw(rt, "people")
		synctest.Test(t, func(t *testing.T) {
			rnd := newDice(seed)
			l := newLedger(t)
			l.gate = func(state.Intent) state.Verdict {
				switch rnd.IntN(20) {
				case 0:
					return state.Verdict{Gate: "opted_out"}
				case 1:
					return state.Verdict{Gate: "frequency_cap", Until: time.Now().Add(time.Hour)}
				}
				return state.Verdict{}
			}
			n := newNumber(l, func(string, int) message.Answer {
				return message.Answer{Class: message.Class(rnd.IntN(9)), Code: "1"}
			})
			n.latency = time.Duration(rnd.IntN(300)) * time.Millisecond
			for range 3 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rnd.IntN(20000))*time.Millisecond)
				_, err := apply.Run(ctx, campaignOf(people), apply.Options{Recorder: l, Now: time.Now, Seed: seed,
					Senders: map[string]providers.Sender{"provider.sandbox.main": n}})
				cancel()
				if err != nil {
					t.Fatal(err)
				}
			}
			for _, r := range l.rows {
				if r.taken > 1 {
					t.Fatalf("seed %d: %d messages to one person", seed, r.taken)
				}
			}
		})
	})
}

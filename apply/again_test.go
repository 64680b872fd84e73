package apply_test

import (
	"context"
	"fmt"
	"iter"
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

// planAgain plans what the ledger leaves to do for n people. Settled deliveries
// are sent again if chosen says so.
func planAgain(l *ledger, n int, chosen func() bool) *plan.Plan {
	var list []plan.Entry
	counts := plan.Counts{}
	for i := range n {
		e := plan.Entry{Attempt: 1}
		e.Recipient.Phone = fmt.Sprintf("+49151%07d", i)
		if r := l.rows[state.Key{Campaign: "campaign.spring", Recipient: e.Recipient.Phone, Revision: 1}]; r != nil {
			e.Action, e.Attempt = again(r.send, chosen()), r.attempt+1
		}
		switch e.Action {
		case plan.Send:
			counts.Send++
		case plan.Retry:
			counts.Retry++
		case plan.Replace:
			counts.Replace++
		}
		list = append(list, e)
	}
	p := campaignOf(n, func(c *plan.Campaign) { c.Counts = counts })
	p.Entries = func() iter.Seq2[plan.Entry, error] {
		return func(yield func(plan.Entry, error) bool) {
			for _, e := range list {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
	return p
}

func again(send state.Send, chosen bool) plan.Action {
	switch {
	case send == state.Accepted && chosen:
		return plan.Replace
	case send == state.Accepted:
		return plan.Sent
	case send == state.Rejected && chosen:
		return plan.Retry
	case send == state.Rejected:
		return plan.Refused
	case send == state.InDoubt || send == state.Sending:
		return plan.Doubt
	}
	return plan.Send
}

func always() bool { return true }

func TestReplace(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer message.Answer
		want   state.CampaignRun // of 10 people who were sent the message before
		sent   int
		second int // sent when the same plan is applied again and everything is accepted
	}{
		{"accepted", message.Answer{Class: message.Accepted}, state.CampaignRun{Accepted: 10}, 10, 0},
		{"refused", message.Answer{Class: message.Refused, Code: "131026"}, state.CampaignRun{Rejected: 10}, 0, 0},
		{"unknown", message.Answer{Class: message.Unknown}, state.CampaignRun{InDoubt: 4, Accepted: 6}, 0, 6},
		{"not taken", message.Answer{Class: message.PairThrottled}, state.CampaignRun{Pending: 10}, 0, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLedger(t)
				if _, err := run(t, campaignOf(10), l, newNumber(l, accept)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute) // virtual: beyond the spacing
				p := planAgain(l, 10, always)
				n := newNumber(l, func(string, int) message.Answer { return test.answer })
				stop := make(chan struct{})
				if test.name == "unknown" {
					n.latency = time.Second
					time.AfterFunc(500*time.Millisecond, func() { close(stop) }) // virtual
				}
				rep, err := run(t, p, l, n, func(o *apply.Options) { o.Parallelism, o.Stop = 4, stop })
				if err != nil {
					t.Fatal(err)
				}
				got := rep.Campaigns[0]
				if got.Planned != 10 || got.Accepted != test.want.Accepted || got.Rejected != test.want.Rejected ||
					got.InDoubt != test.want.InDoubt || got.Pending != test.want.Pending || got.Sent != test.sent {
					t.Errorf("got %+v", got)
				}
				if rep, err = run(t, p, l, newNumber(l, accept)); err != nil {
					t.Fatal(err)
				}
				if c := rep.Campaigns[0]; c.Sent != test.second {
					t.Errorf("the same plan a second time: %+v", c)
				}
			})
		})
	}
}

// While a throttled message waits for its next attempt, a status may prove that
// it was taken after all.
func TestSettledByAStatusWhileItWaits(t *testing.T) {
	for _, before := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l := newLedger(t)
			if before {
				if _, err := run(t, campaignOf(1), l, newNumber(l, accept)); err != nil {
					t.Fatal(err)
				}
			}
			n := newNumber(l, func(string, int) message.Answer {
				time.AfterFunc(time.Millisecond, func() { // virtual
					l.mu.Lock()
					defer l.mu.Unlock()
					for _, r := range l.rows {
						r.send = state.Accepted
					}
				})
				return message.Answer{Class: message.PairThrottled, Code: "131056"}
			})
			rep, err := run(t, planAgain(l, 1, always), l, n)
			if err != nil {
				t.Fatal(err)
			}
			if c := rep.Campaigns[0]; c.Accepted != 1 || c.Planned != 1 || len(n.times) != 1 {
				t.Errorf("sent before: %v, %d requests, %+v", before, len(n.times), c)
			}
		})
	}
}

func TestARepetitionMayCarryTheFallback(t *testing.T) {
	for action, counts := range map[plan.Action]plan.Counts{
		plan.Retry: {Retry: 2}, plan.Replace: {Replace: 2}, plan.Defer: {Defer: map[delivery.Reason]int{"quiet_hours": 2}},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLedger(t)
			var got []string
			l.gate = func(in state.Intent) state.Verdict {
				got = append(got, in.Message)
				return state.Verdict{Gate: "opted_out"}
			}
			p := campaignOf(1, func(c *plan.Campaign) { c.Fallback, c.FallbackDraft = "template_message.hello", 1 })
			p.Drafts = append(p.Drafts, &message.Draft{Message: &message.Text{Body: "Hello"}})
			p.Entries = func() iter.Seq2[plan.Entry, error] {
				return func(yield func(plan.Entry, error) bool) {
					for draft := range p.Drafts {
						e := plan.Entry{Action: action, Attempt: 2, Draft: draft}
						e.Recipient.Phone = fmt.Sprintf("+4915100%d", draft)
						if !yield(e, nil) {
							return
						}
					}
				}
			}
			p.Campaigns[0].Counts = counts
			if _, err := run(t, p, l, newNumber(l, accept)); err != nil {
				t.Fatal(err)
			}
			if len(got) != 2 || got[0] != "text_message.hi" || got[1] != "template_message.hello" {
				t.Errorf("%s: %q", action, got)
			}
		})
	}
}

// TestAnOrderSendsOnce plans, applies and applies again, with random answers,
// gates and interrupts. Every message beyond the first was ordered, and the
// counts add up each time.
func TestAnOrderSendsOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		people := rapid.IntRange(1, 40).Draw(rt, "people")
		synctest.Test(t, func(t *testing.T) {
			rnd := newDice(seed)
			l := newLedger(t)
			l.gate = func(state.Intent) state.Verdict {
				if rnd.IntN(20) == 0 {
					return state.Verdict{Gate: "opted_out"}
				}
				return state.Verdict{}
			}
			n := newNumber(l, func(string, int) message.Answer {
				return message.Answer{Class: message.Class(rnd.IntN(9)), Code: "1"}
			})
			n.latency = time.Duration(rnd.IntN(300)) * time.Millisecond
			for range 3 {
				p := planAgain(l, people, func() bool { return rnd.IntN(2) == 0 })
				for range 2 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rnd.IntN(20000))*time.Millisecond)
					_, err := apply.Run(ctx, p, apply.Options{Recorder: l, Now: time.Now, Seed: seed,
						Senders: map[string]providers.Sender{"provider.sandbox.main": n}})
					cancel()
					if err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
				}
			}
			for _, r := range l.rows {
				if r.taken > 1+r.orders || r.orders > 2 {
					t.Fatalf("seed %d: %d messages to one person, ordered again %d times", seed, r.taken, r.orders)
				}
			}
		})
	})
}

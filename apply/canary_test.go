package apply_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// counting is a ledger that changes the count at its second query, which is the
// canary's.
type counting struct {
	*ledger
	asked  *int
	change func(*state.Tally) error
}

func (c counting) Tally(ctx context.Context, campaign string, revision int) (state.Tally, error) {
	t, err := c.ledger.Tally(ctx, campaign, revision)
	if *c.asked++; *c.asked == 2 {
		return t, errors.Join(err, c.change(&t))
	}
	return t, err
}

func TestCanaryIsJudgedByDeliveriesToo(t *testing.T) {
	cases := map[string]struct {
		change func(*state.Tally) error
		halts  bool
	}{
		"goes on when all was delivered":           {func(*state.Tally) error { return nil }, false},
		"goes on when as many failed as may":       {func(t *state.Tally) error { t.Failed = 2; return nil }, false},
		"halts when more failed on their way":      {func(t *state.Tally) error { t.Failed = 3; return nil }, true},
		"halts when the counts cannot be read":     {func(*state.Tally) error { return errors.New("disk error") }, true},
		"halts when unreadable counts look lovely": {func(t *state.Tally) error { *t = state.Tally{Delivered: 8}; return errors.New("disk error") }, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, asked := newLedger(t), 0
				p := campaignOf(60, func(c *plan.Campaign) {
					c.Canary = &plan.Canary{Count: 8, Wait: 5 * time.Minute, MaxFailureRate: 0.25}
				})
				rep, err := run(t, p, l, newNumber(l, accept), func(o *apply.Options) {
					o.Recorder = counting{l, &asked, c.change}
				})
				if err != nil {
					t.Fatal(err)
				}
				got := rep.Campaigns[0]
				if halted := got.Halt != nil && got.Halt.Reason == "canary"; halted != c.halts || halted == (got.Sent > 8) {
					t.Errorf("%d sent, halt %+v", got.Sent, got.Halt)
				}
			})
		})
	}
}

// twoCampaigns makes a plan of two campaigns on one number: the first has a
// canary, the second follows it and has none.
func twoCampaigns(n int) *plan.Plan {
	p := campaignOf(2*n, func(c *plan.Campaign) {
		c.Counts.Send = n
		c.Canary = &plan.Canary{Count: 3, Wait: 2 * time.Hour, MaxFailureRate: 0.1}
	})
	other := p.Campaigns[0]
	other.Address, other.Canary = "campaign.winter", nil
	p.Campaigns = append(p.Campaigns, other)
	entries := p.Entries
	p.Entries = func() iter.Seq2[plan.Entry, error] {
		return func(yield func(plan.Entry, error) bool) {
			i := 0
			for e, err := range entries() {
				e.Campaign = min(i/n, 1)
				if i++; !yield(e, err) {
					return
				}
			}
		}
	}
	return p
}

func TestCanaryHoldsOnlyItsCampaign(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		start := time.Now()
		last := map[string]time.Duration{}
		sent := map[string]int{}
		opt := apply.Options{Recorder: l, Senders: map[string]providers.Sender{"provider.sandbox.main": blind{newNumber(l, accept)}},
			Now: time.Now, Seed: 3, Observe: func(ev apply.Event) {
				last[ev.Campaign] = time.Since(start)
				sent[ev.Campaign]++
			}}
		if _, err := apply.Run(t.Context(), twoCampaigns(25), opt); err != nil {
			t.Fatal(err)
		}
		if last["campaign.winter"] > time.Minute || last["campaign.spring"] < 2*time.Hour {
			t.Errorf("the campaigns ended after %v", last)
		}
		if sent["campaign.winter"] != 25 || sent["campaign.spring"] != 25 {
			t.Errorf("sent %v", sent)
		}
	})
}

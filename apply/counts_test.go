package apply

import (
	"errors"
	"testing"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// TestCountsAddUp checks that deliveries that events settle during a run move
// between the counts, so that nobody is counted twice. A difference that
// nothing explains is still an error.
func TestCountsAddUp(t *testing.T) {
	left := func(attempt int) func(*counts) {
		return func(n *counts) { n.leave(1); n.leftWith(attempt) }
	}
	for name, test := range map[string]struct {
		before, after state.Tally
		skipped, more int // people left out by the plan, and people planned besides the one
		did           func(*counts)
		want          state.CampaignRun
		wrong         bool
	}{
		"nothing happened": {did: left(1), want: state.CampaignRun{Planned: 1, Pending: 1}},
		"an event proves that a denied message was taken, and it is pending": {
			after: state.Tally{Accepted: 1}, did: left(2), want: state.CampaignRun{Planned: 1, Accepted: 1}},
		"the same of a held one": {
			after: state.Tally{Accepted: 1}, did: func(n *counts) { n.hold("frequency_cap", n.heldTill); n.leftWith(2) },
			want: state.CampaignRun{Planned: 1, Accepted: 1}},
		"the same of one that a gate ended": {
			after: state.Tally{Accepted: 1}, did: func(n *counts) { n.gated(delivery.GateOptedOut.Reason(), false, true); n.leftWith(2) },
			want: state.CampaignRun{Planned: 1, Accepted: 1}},
		"one that was never tried cannot have been taken": {
			after: state.Tally{Accepted: 1}, did: left(1), want: state.CampaignRun{Planned: 1, Accepted: 1, Pending: 1}, wrong: true},
		"found in the state, and not counted there at the beginning": {
			before: state.Tally{Pending: 1}, after: state.Tally{Accepted: 1}, did: func(n *counts) { n.gated(delivery.GateSent.Reason(), false, false) },
			want: state.CampaignRun{Planned: 1, Accepted: 1}},
		"found in the state, where the beginning knew of no attempt": {
			after: state.Tally{Accepted: 1}, did: func(n *counts) { n.gated(delivery.GateSent.Reason(), false, false) },
			want: state.CampaignRun{Accepted: 1}, wrong: true},
		"left out by the plan, and taken after all": {
			before: state.Tally{Pending: 1}, after: state.Tally{Accepted: 1}, skipped: 1, did: left(1),
			want: state.CampaignRun{Planned: 2, Accepted: 1, Pending: 1}},
		"a doubt that ended by a late denial, and was sent again": {
			before: state.Tally{InDoubt: 1}, after: state.Tally{Accepted: 1},
			did:  func(n *counts) { n.overtaken(); n.answered(message.Answer{Class: message.Accepted}, true) },
			want: state.CampaignRun{Planned: 1, Accepted: 1}},
		"a doubt that ended by a late denial, and was not reached": {
			before: state.Tally{InDoubt: 1}, after: state.Tally{Pending: 1}, did: left(1),
			want: state.CampaignRun{Planned: 2, Pending: 2}},
		"two rows that turned out to be one person": {
			after: state.Tally{Accepted: 1}, more: 1,
			did: func(n *counts) {
				n.sharedWith()
				n.answered(message.Answer{Class: message.Accepted}, true)
				n.gated(delivery.GateSent.Reason(), false, true)
			},
			want: state.CampaignRun{Planned: 1, Accepted: 1}},
		"the same where nothing told that they are one": {
			after: state.Tally{Accepted: 1}, more: 1,
			did: func(n *counts) {
				n.answered(message.Answer{Class: message.Accepted}, true)
				n.gated(delivery.GateSent.Reason(), false, true)
			},
			want: state.CampaignRun{Planned: 2, Accepted: 1}, wrong: true},
	} {
		t.Run(name, func(t *testing.T) {
			n := newCounts(&plan.Campaign{Counts: plan.Counts{Send: 1 + test.more, Skip: map[delivery.Reason]int{"opted_out": test.skipped}}}, test.before)
			test.did(n)
			got := n.close(test.after).CampaignRun
			if got.Planned != test.want.Planned || got.Accepted != test.want.Accepted || got.Pending != test.want.Pending ||
				got.Held != 0 || got.Cancelled != 0 || got.InDoubt != 0 {
				t.Errorf("got %+v", got)
			}
			if err := checkArithmetic(&got); errors.Is(err, ErrArithmetic) != test.wrong {
				t.Errorf("got %v", err)
			}
		})
	}
}

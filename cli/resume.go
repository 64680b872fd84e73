package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// resumable checks that what is to be resumed is halted: a job that always says
// -resume would make every halt worth nothing.
func (a *app) resumable(ctx context.Context, store state.Store, p *plan.Plan, resume []string, detailed bool) error {
	halts, err := store.Halts(ctx)
	if err != nil {
		return a.failState(err, detailed)
	}
	for _, address := range resume {
		before := address
		for _, c := range p.Moved() {
			if c.Address == address {
				before = c.From
			}
		}
		if !slices.ContainsFunc(halts, func(h state.Halt) bool { return h.Campaign == address || h.Campaign == before }) {
			return a.fail("Nothing to resume", fmt.Errorf("%s is not halted, so nothing was sent; leave -resume out", message.SafeText(address)))
		}
		if !slices.ContainsFunc(p.Campaigns, func(c plan.Campaign) bool { return c.Address == address }) {
			return a.fail("Nothing to resume", fmt.Errorf("%s is not part of this plan, so nothing was sent; leave -resume out, or plan it too", message.SafeText(address)))
		}
	}
	return nil
}

// worded makes sentences of the advice of halts, which are providers' words.
func worded(halts []state.Halt) {
	for i := range halts {
		halts[i].Advice = sentenceOf(halts[i].Advice)
	}
}

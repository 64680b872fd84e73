package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// holdOut records who is held out of the lane's campaigns, before anything is sent: a
// run that stops early leaves nobody behind of whom the state does not know it.
func (l *lane) holdOut(ctx context.Context) error {
	if !l.r.holdsOut(l.provider) {
		return nil
	}
	batches := make([][]state.Key, len(l.r.counts))
	for e, err := range l.r.plan.Entries() {
		if err != nil {
			return fmt.Errorf("reading the plan: %w", err)
		}
		c := l.r.counts[e.Campaign].campaign
		if e.Action != plan.HeldOut || e.Attempt == 0 || c.Provider != l.provider {
			continue
		}
		batch := append(batches[e.Campaign], state.Key{Campaign: c.Address, Recipient: e.Recipient.Key(), Revision: c.Revision})
		if len(batch) == maxBatch {
			if err := l.recordHeldOut(ctx, e.Campaign, batch); err != nil || l.lost {
				return err
			}
			batch = batch[:0]
		}
		batches[e.Campaign] = batch
	}
	for i, batch := range batches {
		if err := l.recordHeldOut(ctx, i, batch); err != nil || l.lost {
			return err
		}
	}
	return nil
}

// recordHeldOut records some who are held out of a campaign. Another process may have
// taken over a lane with a limit; then they are left to it.
func (l *lane) recordHeldOut(ctx context.Context, campaign int, who []state.Key) error {
	if len(who) == 0 {
		return nil
	}
	asked := l.lease.Ask()
	n, err := l.r.opt.Recorder.HoldOut(ctx, l.lane, who)
	switch {
	case errors.Is(err, state.ErrFenced) && l.lease.Limited():
		l.lost = true
		return nil
	case err != nil:
		return fmt.Errorf("recording who is held out: %w", err)
	}
	l.lease.Granted(asked)
	l.r.counts[campaign].notHeldOut(len(who) - n)
	return nil
}

// holdsOut reports whether apply has to record that somebody is held out of a campaign
// of a number.
func (r *Running) holdsOut(number string) bool {
	for i := range r.plan.Campaigns {
		if c := &r.plan.Campaigns[i]; c.Provider == number && c.NewlyHeldOut() > 0 {
			return true
		}
	}
	return false
}

// notHeldOut counts people whom the plan holds out and whose delivery was found in the
// state: it learned since that they are somebody who was sent to.
func (n *counts) notHeldOut(people int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.foundOut += people
}

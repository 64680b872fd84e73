package apply

import (
	"context"
	"fmt"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state"
)

// Halt is why sending stopped early.
type Halt struct {
	Reason delivery.HaltReason
	Code   string
	Title  string
	Advice string
	// Stays says that later runs send nothing of the campaign either, until one of
	// them resumes it (Options.Resume).
	Stays bool
	// Since is when the campaign was halted, which is before this run if an earlier
	// run halted it.
	Since time.Time
}

// halt stops one campaign. A halt that stays is written to the state before
// anything more is recorded: a crash must not forget it.
func (l *lane) halt(n *counts, h *Halt) {
	own := *h
	own.Since, own.Stays = l.r.opt.Now().UTC(), h.Reason.Stays() && n.campaign.Counts.Sends() > 0
	if !n.halted(&own) {
		return
	}
	if own.Stays {
		l.r.keep(n, &own)
	}
	l.r.observe(Event{Kind: EventHalted, Provider: l.provider, Campaign: n.campaign.Address, Halt: &own})
}

// haltNumber stops every campaign of the number.
func (l *lane) haltNumber(h *Halt) {
	l.halted = true
	for _, n := range l.r.counts {
		if n.campaign.Provider == l.provider {
			l.halt(n, h)
		}
	}
}

// keep writes a halt into the state. A failure ends the run with an error.
func (r *Running) keep(n *counts, h *Halt) {
	err := r.opt.Recorder.Halt(context.Background(), state.Halt{Campaign: n.campaign.Address,
		Reason: h.Reason, Code: h.Code, Title: h.Title, Advice: h.Advice, Since: h.Since})
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, fmt.Errorf("%s is halted, and the state could not record it, so the next apply would continue: %w", n.campaign.Address, err))
}

// haltedBefore stops the campaigns that an earlier run halted.
func (r *Running) haltedBefore(ctx context.Context) error {
	list, err := r.opt.Recorder.Halts(ctx)
	if err != nil {
		return fmt.Errorf("reading which campaigns are halted: %w", err)
	}
	for _, h := range list {
		for _, n := range r.counts {
			if n.campaign.Address == h.Campaign && n.campaign.Counts.Sends() > 0 {
				n.halted(&Halt{Reason: h.Reason, Code: h.Code, Title: h.Title, Advice: h.Advice, Stays: true, Since: h.Since})
			}
		}
	}
	return nil
}

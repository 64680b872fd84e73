package cli

import (
	"context"
	"errors"
	"time"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/pace"
)

// rounds runs something again and again, every so often from beginning to beginning,
// until an interrupt. A round that fails has said so, and the next one comes all the
// same; only one that was interrupted, and output that is lost, end them.
func (a *app) rounds(ctx context.Context, every time.Duration, run func() error) error {
	for round := 1; ; round++ {
		began := a.sys.Now()
		a.notice("%s round %d", a.stampNow(), round)
		err := run()
		var code exit
		switch lost := a.out.lost(); {
		case errors.As(err, &code) && code == exitInterrupted, ctx.Err() != nil:
			return err
		case lost != nil:
			return lost
		case err != nil:
			a.notice("%s round %d failed; nothing more is sent before round %d", a.stampNow(), round, round+1)
		}
		if !a.until(ctx, began.Add(every)) {
			a.notice("%s ended between rounds", a.stampNow())
			return ctx.Err()
		}
	}
}

// until waits for a moment. It reports false for an interrupt.
func (a *app) until(ctx context.Context, next time.Time) bool {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	sleep := a.sys.Sleep
	if sleep == nil {
		sleep = pace.Sleep
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = sleep(waiting, max(next.Sub(a.sys.Now()), 0)) // ended early is ended
	}()
	select {
	case <-a.sys.Interrupts:
		cancel()
		<-over
		return false
	case <-over:
		return ctx.Err() == nil
	}
}

// showRound shows the plan of a round, in one line where it has nothing to do yet.
func (a *app) showRound(r *view.PlanReport, f *planFlags) error {
	if !r.Failed && !f.json && r.Plan.Idle() {
		return a.show(view.Line(r.Waiting()), a.style(), false)
	}
	return a.showPlan(r, f)
}

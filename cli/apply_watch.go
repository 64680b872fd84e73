package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/pace"
)

// shortestWatch bounds how often -watch plans.
const shortestWatch = time.Second

// checkWatch refuses options that -watch would repeat although they were meant once, and
// those that can only hold for one round.
func (a *app) checkWatch(opt *applyOptions) error {
	if opt.watch < shortestWatch {
		return a.fail("Invalid option", fmt.Errorf("-watch is a length of time of at least %s, such as 15m", shortestWatch))
	}
	for _, once := range []struct {
		given bool
		name  string
		why   string
	}{
		{opt.file != "", "a saved plan", "what it says is done once"},
		{opt.detach, "-detach", "a run that was left to workers would still be open in the next round"},
		{len(opt.again) > 0, "-replace", "each round would send again"},
		{opt.retry != "", "-retry", "each round would send again to who refuses"},
		{len(opt.resume) > 0, "-resume", "a halt is lifted by a person who has looked, once"},
		{opt.expect != "", "-expect", "each round has other recipients; -expect-config binds it to the configuration"},
		{opt.forceDelete, "-force-delete-templates", "each round would delete"},
	} {
		if once.given {
			return a.fail("Invalid option", fmt.Errorf("-watch does not go with %s: %s", once.name, once.why))
		}
	}
	if !opt.approve {
		return a.fail("Approval needed", errors.New("nobody is asked between the rounds of -watch. Approve them with -auto-approve, and bind them to what was reviewed with -expect-config=sha256:…, which \"handbill plan\" prints"))
	}
	return nil
}

// watch plans and applies again and again until an interrupt: each round is a run of its
// own, which reads the configuration and takes the lock anew. A round that fails has
// said so, and the next one comes all the same.
func (a *app) watch(ctx context.Context, opt *applyOptions) error {
	if err := a.checkWatch(opt); err != nil {
		return err
	}
	for round := 1; ; round++ {
		began := a.sys.Now()
		a.notice("%s round %d", a.stampNow(), round)
		err := a.apply(ctx, opt)
		var code exit
		switch lost := a.out.lost(); {
		case errors.As(err, &code) && code == exitInterrupted, ctx.Err() != nil:
			return err
		case lost != nil:
			return lost
		case err != nil:
			a.notice("%s round %d failed; nothing more is sent before round %d", a.stampNow(), round, round+1)
		}
		if !a.until(ctx, began.Add(opt.watch)) {
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

// showRound shows the plan, in one line where a round of -watch has nothing to do yet.
func (a *app) showRound(r *view.PlanReport, opt *applyOptions) error {
	if opt.watch > 0 && !r.Failed && !opt.json && r.Plan.Idle() {
		return a.show(view.Line(r.Waiting()), a.style(), false)
	}
	return a.showPlan(r, &opt.planFlags)
}

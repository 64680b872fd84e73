package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/state"
)

// maxClockBack is how far the clock may show an earlier time than the state
// knows.
const maxClockBack = 5 * time.Minute

// sendable refuses a state that nothing may be sent from: one that was restored
// or rolled back, or one that knows a later time than the clock shows.
func (a *app) sendable(ctx context.Context, store state.Store) error {
	halt, err := store.Halted(ctx)
	if err != nil {
		return err
	}
	if halt != nil {
		return halt
	}
	latest, err := store.Latest(ctx)
	if err != nil {
		return err
	}
	now := a.sys.Now()
	if back := latest.Sub(now); back > maxClockBack {
		return &clockError{now: now, latest: latest}
	}
	return nil
}

// clockError says that the clock was put back since the state was written.
type clockError struct{ now, latest time.Time }

func (e *clockError) Error() string {
	return fmt.Sprintf("the clock shows %s, and the state was written at %s. "+
		"Quiet hours, 24-hour windows and frequency caps depend on the time, so nothing is sent. Set the clock right and run the command again. "+
		"If it is right now and was ahead then, say so with today's date: \"handbill state acknowledge -clock=%s -why='…'\"",
		e.now.UTC().Format(time.RFC3339), e.latest.UTC().Format(time.RFC3339), e.now.UTC().Format(time.DateOnly))
}

// standing is what keeps apply from sending from a state, for those who only
// look at it; nil when nothing does.
func (a *app) standing(ctx context.Context, store state.Store) ([]view.Diagnostic, error) {
	err := a.sendable(ctx, store)
	var halt *state.HaltError
	var clock *clockError
	switch {
	case errors.As(err, &halt):
		return []view.Diagnostic{haltDiagnostic(halt)}, nil
	case errors.As(err, &clock):
		return []view.Diagnostic{{Severity: "warning", Summary: state.SummaryOf(state.CodeClockBehind), Detail: sentence(clock), Code: state.CodeClockBehind}}, nil
	}
	return nil, err
}

// showStanding shows what standing tells, and fails when that is an error.
func (a *app) showStanding(found []view.Diagnostic) error {
	view.Diagnostics(a.sys.Stderr, a.style(), found)
	if view.Errors(found) {
		return exit(exitError)
	}
	return nil
}

// haltDiagnostic says what happened to a state that nothing is sent from, what
// that means, and what to do.
func haltDiagnostic(halt *state.HaltError) view.Diagnostic {
	detail := fmt.Sprintf("Nothing is sent: the state does not know everything that was sent. What happened: %s.\n\n", halt.Why) +
		"What it means: people who got a message after that point look to handbill as if they had not, and would get it a second time. Who asked for no more messages after it is not known either.\n\n" +
		"What to do:\n" +
		"  1. Look for a newer state: beside it lie \"….backup-…\" files, and \"….replaced\" after a restore. \"handbill state restore FILE\" puts one in its place.\n" +
		"  2. Take over what is missing from the provider's own list: \"handbill import -campaign=campaign.NAME FILE.csv\", and opt-outs with \"handbill state optouts import\".\n" +
		"  3. When nothing was sent since, or what was is in, say so: \"handbill state acknowledge -why='…'\". Then apply and serve work again."
	return view.Diagnostic{Severity: "error", Summary: state.SummaryOf(state.CodeHalted), Detail: detail, Code: state.CodeHalted}
}

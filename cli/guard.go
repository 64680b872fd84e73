package cli

import (
	"context"
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
		"Quiet hours, 24-hour windows and frequency caps depend on the time, so nothing was sent. Set the clock right and run the command again",
		e.now.UTC().Format(time.RFC3339), e.latest.UTC().Format(time.RFC3339))
}

// showHalt says what happened to a state that nothing is sent from, what that
// means, and what to do.
func (a *app) showHalt(halt *state.HaltError) {
	detail := fmt.Sprintf("Nothing was sent: the state does not know everything that was sent. What happened: %s.\n\n", halt.Why) +
		"What it means: people who got a message after that point look to handbill as if they had not, and would get it a second time.\n\n" +
		"What to do:\n" +
		"  1. Look for a newer state: beside it lie \"….backup-…\" files, and \"….replaced\" after a restore. \"handbill state restore FILE\" puts one in its place.\n" +
		"  2. Take over what is missing from the provider's own list: \"handbill import -campaign=campaign.NAME FILE.csv\".\n" +
		"  3. When nothing was sent since, or what was is in, say so: \"handbill state acknowledge -why='…'\". Then apply works again."
	view.Diagnostics(a.sys.Stderr, a.style(), []view.Diagnostic{{Severity: "error", Summary: "State is older than what was sent", Detail: detail}})
}

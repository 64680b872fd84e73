package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

// Bounds of what an apply begins with. A send writes about 700 bytes into the
// state; three times that leaves room for the journal and for what comes back
// (measured; docs/delivery.md).
const (
	maxClockBack = 5 * time.Minute
	minFree      = 64 << 20
	sendBytes    = 3 * 700
)

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

// roomFor refuses a disk that the outcomes of so many sends may not fit on: a
// send whose outcome can't be written is in doubt.
func (a *app) roomFor(path string, sends int) error {
	if sends == 0 {
		return nil
	}
	space := a.sys.FreeSpace
	if space == nil {
		space = sqlite.FreeSpace
	}
	free, err := space(path)
	if err != nil {
		return err
	}
	need := max(minFree, sendBytes*int64(sends))
	if info, err := os.Stat(path); err == nil {
		need += info.Size() // the backup that is made first
	}
	if free >= need {
		return nil
	}
	return fmt.Errorf("there are %s free where the state %s lies, and %s need %s, so that the outcome of each is surely recorded. "+
		"Nothing was sent. Make room, or move the state", bytesOf(free), a.display(path), view.Plural(sends, "message"), bytesOf(need))
}

// bytesOf is a size as people read it.
func bytesOf(n int64) string {
	const mib = 1 << 20
	if n < 10*mib {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n/mib)
}

// sameFile proves that the state that was written is still the one at its
// path: a file that was replaced meanwhile would forget what was sent.
func sameFile(opened os.FileInfo, path string) error {
	there, err := os.Stat(path)
	if err == nil && !os.SameFile(opened, there) {
		err = errors.New("another file lies there")
	}
	if err != nil {
		return fmt.Errorf("the state that this run wrote is no longer at its path: %w. Put it back before the next run, or messages will be sent again", plainPathError(err))
	}
	return nil
}

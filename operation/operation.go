// Package operation holds what commands do: the steps of an apply around apply.Run,
// refreshing statuses, resolving doubts, trying a campaign, importing sends,
// checking numbers, changing the state by hand, formatting files, and writing a
// starter campaign. It works on a workspace, knows no flags and prints nothing. An
// operation returns its results, from which the command line makes a report. If it
// is refused, the error is an *Error with a heading, or an error of the state.
//
//	run, err := operation.BeginApply(ctx, ws, operation.Lock{})
//	found, err := operation.Refresh(ctx, ws, store, nil)
//	chosen, err := operation.Choose(plan, "campaign.spring", limits, 3, 1)
package operation

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// Error says why an operation was refused or failed.
type Error struct {
	Summary string // fixed words for a heading, such as "Nothing in doubt"
	Err     error
}

// Error is the cause, which says what to do.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// refuse makes an *Error.
func refuse(summary, format string, args ...any) error {
	return &Error{Summary: summary, Err: fmt.Errorf(format, args...)}
}

// Lock says how to take the state's lock.
type Lock struct {
	Off     bool          // it is not taken: the caller knows that nothing else sends
	Wait    time.Duration // how long to wait when another process holds it
	Waiting func()        // called before waiting; may be nil
}

// take takes the lock for an operation; free releases it. held is nil if the lock
// is off.
func (l *Lock) take(ctx context.Context, ws *workspace.Workspace, operation string) (held workspace.Locked, free func(), err error) {
	if l.Off {
		return nil, func() {}, nil
	}
	if l.Wait > 0 && l.Waiting != nil {
		l.Waiting()
	}
	if held, err = ws.Lock(ctx, operation, l.Wait); err != nil {
		return nil, nil, err
	}
	return held, func() { held.Unlock() }, nil
}

// Change is one change of the state by hand. Do takes the lock, calls Look, backs
// the state up, and does the work.
type Change struct {
	Name string // of the operation, such as "state rm"
	Lock Lock
	// Sealed says that the change is also made to a state that was moved elsewhere.
	Sealed bool
	// Look is called before anything changes; its error stops the change.
	Look func(state.Store) error
}

// Do carries out the change. Its own errors are an *Error or errors of the state;
// those of Look and work are returned unchanged.
func (c *Change) Do(ctx context.Context, ws *workspace.Workspace, work func(state.Store) error) error {
	_, free, err := c.Lock.take(ctx, ws, c.Name)
	if err != nil {
		return err
	}
	defer free()
	store, err := c.open(ctx, ws)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := c.Look(store); err != nil {
		return err
	}
	if _, err := backUp(ctx, store, strings.ReplaceAll(c.Name, " ", "-")); err != nil {
		return refuse("State not backed up", "nothing was changed: %w", err)
	}
	return work(store)
}

func (c *Change) open(ctx context.Context, ws *workspace.Workspace) (state.Store, error) {
	if c.Sealed {
		return ws.OpenSealed(ctx)
	}
	s, _, err := ws.OpenState(ctx)
	return s, err
}

// backUp copies a state in a file and returns the copy's path; "" if no copy was
// needed. A database has its own backups.
func backUp(ctx context.Context, s state.Store, why string) (file string, err error) {
	b, ok := s.(interface {
		AutoBackup(ctx context.Context, why string) (string, error)
	})
	if !ok {
		return "", nil
	}
	return b.AutoBackup(ctx, why)
}

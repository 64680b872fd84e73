package operation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// Restore replaces the state by a backup.
type Restore struct {
	Backup      string // path
	Lineage     string // of another state, to accept its backup nevertheless
	Acknowledge string // why going on is right; "" leaves the state halted
	Lock        Lock
}

// ServedError says that the state is not replaced while serve has it open.
type ServedError struct{ Held *state.LockedError }

// Error says who serves.
func (e *ServedError) Error() string { return "handbill serve runs on this state: " + e.Held.Error() }

// BackupError says that the backup could not be restored. The state is unchanged.
type BackupError struct{ Err error }

// Error is the cause.
func (e *BackupError) Error() string { return e.Err.Error() }

// Unwrap is the cause.
func (e *BackupError) Unwrap() error { return e.Err }

// Run restores the backup. Its errors are a *ServedError, a *BackupError, or errors
// of the state.
func (r *Restore) Run(ctx context.Context, ws *workspace.Workspace) error {
	const name = "state restore"
	_, free, err := r.Lock.take(ctx, ws, name)
	if err != nil {
		return err
	}
	defer free()
	// serve would keep writing into the replaced file, and answer 200 for events
	// that nobody would ever find.
	served, err := ws.LockServe(ctx, name, r.Lock.Wait)
	if err != nil {
		var held *state.LockedError
		if errors.As(err, &held) {
			return &ServedError{held}
		}
		return err
	}
	defer served.Unlock()
	if err := ws.RestoreState(ctx, r.Backup, r.Lineage); err != nil {
		return &BackupError{err}
	}
	if r.Acknowledge == "" {
		return nil
	}
	store, _, err := ws.OpenState(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	return store.Acknowledge(ctx, ws.Who(), r.Acknowledge)
}

// Acknowledgement is a person's confirmation that it is right to continue.
type Acknowledgement struct {
	Why   string
	Clock string // today's date (YYYY-MM-DD, UTC), to say that the clock is right; "" for nothing
	// Unseal says that the place to which the state was moved is given up.
	Unseal bool
}

// Acknowledge records a person's confirmation after a restore or a roll-back, or about
// the clock. It reports whether the state was halted. If
// something else still needs to be acknowledged, it returns the error of
// state.Sendable.
//
// A state that was moved elsewhere stays sealed unless the other place is given up:
// two that send know nothing of each other.
func Acknowledge(ctx context.Context, ws *workspace.Workspace, s state.Store, ack Acknowledgement) (halted bool, err error) {
	halt, err := s.Halted(ctx)
	if err != nil {
		return false, err
	}
	if halt != nil {
		if halt.Sealed() && !ack.Unseal {
			return false, refuse("State was moved", "this state was moved to %s. If both sent, people would get messages from each of them, and who asks one for no more messages would still get them from the other. "+
				"Only when that place is given up for good, and what was sent from it is imported here, say so with -unseal", message.SafeText(halt.To))
		}
	}
	if ack.Clock != "" {
		if now := ws.Now().UTC(); ack.Clock != now.Format(time.DateOnly) {
			return false, refuse("Clock not confirmed", "the clock shows %s (UTC), and -clock=%s was said. Where that is today's date, set the clock right instead", now.Format(time.RFC3339), message.SafeText(ack.Clock))
		}
		if err := s.AcknowledgeClock(ctx, ws.Who(), ack.Why); err != nil {
			return false, err
		}
	}
	if halt != nil {
		if err := s.Acknowledge(ctx, ws.Who(), ack.Why); err != nil {
			return false, err
		}
	}
	return halt != nil, state.Sendable(ctx, s, ws.Now())
}

// Erase erases people by number or user id, and returns the files beside the state
// that still contain them. It makes no backup first, since that would keep them.
// look is called before anything changes; its error stops the erasure.
func Erase(ctx context.Context, ws *workspace.Workspace, lock Lock, people []string, look func(state.Store) error) (copies []string, err error) {
	_, free, err := lock.take(ctx, ws, "state erase")
	if err != nil {
		return nil, err
	}
	defer free()
	store, _, err := ws.OpenState(ctx)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	if err := look(store); err != nil {
		return nil, err
	}
	for _, key := range people {
		if err := store.Erase(ctx, key); err != nil {
			return nil, err
		}
	}
	return ws.StateCopies(), nil
}

// Exporter is a state that can be exported as JSON lines.
type Exporter interface {
	Export(ctx context.Context, w io.Writer) error
}

// Export writes the state as JSON lines to a new file at path; name is the path as
// the person gave it. An existing file is never overwritten, and an incomplete
// export is removed.
func Export(ctx context.Context, s Exporter, path, name string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("there is something at %s already, and an export never overwrites; name another file", message.SafeText(name))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", message.SafeText(name), workspace.PathCause(err))
	}
	err = s.Export(ctx, file)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		os.Remove(path)
	}
	return err
}

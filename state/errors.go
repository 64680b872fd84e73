package state

import (
	"errors"
	"fmt"
	"time"
)

// ErrFormat is wrapped when a newer handbill wrote the state, which was not touched.
var ErrFormat = errors.New("the state was written by a newer handbill; use that version, or restore the backup that it made before the migration")

// ErrForeign is wrapped when a file is no handbill state; it was not touched.
var ErrForeign = errors.New("not a handbill state; put a backup in its place (\"handbill state restore FILE\"; the automatic ones lie beside it), or name another path")

// ErrDamaged is wrapped when a state does not hold what was written to it.
var ErrDamaged = errors.New("the state is damaged; see handbill state verify, and restore a backup")

// ErrFenced is wrapped when somebody has taken the lane's sending number since. The outcomes of the call are recorded,
// and nothing more may be sent through the lane.
var ErrFenced = errors.New("another process has taken over this sending number since; nothing more may be sent through it by this one")

// ErrOwned is wrapped when a lane cannot be taken over: it has an owner, or nothing is left of it to drive.
var ErrOwned = errors.New("the lane is not free")

// ErrUnknown is wrapped when the state knows nothing under an address or key.
var ErrUnknown = errors.New("the state knows nothing of it")

// ErrGone is wrapped when the state is missing although one was in use there.
var ErrGone = errors.New("the state is gone")

// ErrSettled is wrapped when the delivery that a person settles is not in doubt any more.
var ErrSettled = errors.New("it is not in doubt any more")

// OtherStateError says that a backup is of another state than it would replace, by eight hex digits of each lineage.
type OtherStateError struct{ Backup, Here string }

func (e *OtherStateError) Error() string {
	return fmt.Sprintf("it is a backup of another state (lineage %s) than the one that lies there (lineage %s)", e.Backup, e.Here)
}

// LockInfo tells people who holds a lock. The lock itself is the operating system's.
type LockInfo struct {
	ID        string    `json:"id"` // random, named to force an unlock
	Operation string    `json:"operation"`
	Who       string    `json:"who"`
	Host      string    `json:"host"`
	PID       int       `json:"pid"`
	Created   time.Time `json:"created"`
	Version   string    `json:"version"`
}

// LockedError says that somebody else holds the lock.
type LockedError struct {
	Path string
	Info LockInfo // zero when the holder left none
}

func (e *LockedError) Error() string {
	if e.Info.ID == "" {
		return fmt.Sprintf("the state %s is locked by another process", e.Path)
	}
	return fmt.Sprintf("the state %s is locked by %s on %s (pid %d) for %q since %s, lock id %s; wait for it, or use -lock-timeout",
		e.Path, e.Info.Who, e.Info.Host, e.Info.PID, e.Info.Operation, e.Info.Created.UTC().Format(time.RFC3339), e.Info.ID)
}

// HaltKind is what a halt of the whole state is about.
type HaltKind uint8

// The kinds of HaltError.
const (
	HaltUnsure HaltKind = iota // the state may not know all that was sent
	HaltMoving                 // everything was copied to another place, which may not be a state yet
	HaltMoved                  // it was moved to another place
)

// Sealed reports whether the state was moved, or is being moved.
func (e *HaltError) Sealed() bool { return e.Kind != HaltUnsure }

// HaltError says why nothing is sent from this state before Store.Acknowledge.
type HaltError struct {
	Kind HaltKind
	To   string // where a sealed state was moved, or is being moved
	Why  string
	// Database says that the state lies in a database, beside which are no copies
	// of handbill's own.
	Database bool
}

func (e *HaltError) Error() string {
	return "nothing is sent from this state before somebody acknowledges: " + e.Why
}

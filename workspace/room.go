package workspace

import (
	"errors"
	"fmt"
	"os"

	"github.com/handbill/handbill/state/sqlite"
)

// The free space that a run needs. A send writes about 700 bytes into the state;
// three times that leaves room for the journal and for later events (measured;
// docs/delivery.md).
const (
	minFree   = 64 << 20
	sendBytes = 3 * 700
)

// SpaceError says that the outcomes of a run may not fit on the disk.
type SpaceError struct {
	Free, Need int64 // bytes
	Sends      int
}

// Error says how much is there and how much is needed.
func (e *SpaceError) Error() string {
	return fmt.Sprintf("there are %s free where the state lies, and %d sends need %s", Size(e.Free), e.Sends, Size(e.Need))
}

// RoomFor refuses with a *SpaceError a disk that may be too small for the outcomes
// of that many sends: a send whose outcome can't be written is in doubt.
func (w *Workspace) RoomFor(sends int) error {
	if sends == 0 || w.Shared() { // a database's disk is not this machine's
		return nil
	}
	space := w.host.FreeSpace
	if space == nil {
		space = sqlite.FreeSpace
	}
	path := w.StatePath()
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
	return &SpaceError{Free: free, Need: need, Sends: sends}
}

// Size formats a number of bytes for people.
func Size(n int64) string {
	const mib = 1 << 20
	if n < 10*mib {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n/mib)
}

// StateFile describes the file of the state; nil if it has none.
func (w *Workspace) StateFile() (os.FileInfo, error) {
	if w.Shared() {
		return nil, nil
	}
	return os.Stat(w.StatePath())
}

// SameState checks that the file at the state's path is still the one that was
// written: a file that replaced it would not know what was sent. opened is the
// result of StateFile when the state was opened.
func (w *Workspace) SameState(opened os.FileInfo) error {
	if w.Shared() {
		return nil
	}
	there, err := os.Stat(w.StatePath())
	if err == nil && !os.SameFile(opened, there) {
		err = errors.New("another file lies there")
	}
	if err != nil {
		return fmt.Errorf("the state that this run wrote is no longer at its path: %w. Put it back before the next run, or messages will be sent again", PathCause(err))
	}
	return nil
}

package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/handbill/handbill/state"
)

// Locked is a lock that is held.
type Locked struct {
	lock *flock.Flock // on the lock file
	path string       // of the state
}

// lockPoll is how often a held lock is tried again.
const lockPoll = 50 * time.Millisecond

// Lock takes the lock of those who send from the state at path, and waits for
// it up to timeout. When somebody else holds it, the error is a *LockedError.
//
// The lock is on the file path+".lock", never on the state itself: closing a
// file would give up SQLite's own locks on it. The system releases it when the
// process ends, however it ends. path+".lock.info" tells people who holds it.
func Lock(ctx context.Context, path string, info state.LockInfo, timeout time.Duration) (*Locked, error) {
	path = RealPath(path)
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	got, err := tryLock(ctx, lock)
	if err != nil {
		return nil, fmt.Errorf("locking the state %s: %w", path, err)
	}
	if !got {
		held, _ := readLockInfo(path) // an unreadable info does not change that it is held
		return nil, &state.LockedError{Path: path, Info: held}
	}
	l := &Locked{lock: lock, path: path}
	if !l.Held() { // broken by force between its opening and its locking
		return nil, errors.Join(&state.LockedError{Path: path}, lock.Close())
	}
	if err := writeLockInfo(path, info); err != nil {
		return nil, errors.Join(fmt.Errorf("locking the state %s: %w", path, err), lock.Close())
	}
	return l, nil
}

// tryLock tries at least once, also when ctx is over already.
func tryLock(ctx context.Context, lock *flock.Flock) (bool, error) {
	got, err := lock.TryLock()
	if got || err != nil || ctx.Err() != nil {
		return got, err
	}
	got, err = lock.TryLockContext(ctx, lockPoll)
	if errors.Is(err, context.DeadlineExceeded) {
		return false, nil
	}
	return got, err
}

// Held reports whether the lock file at the path is still the one that we
// locked. A forced unlock replaces it.
func (l *Locked) Held() bool {
	ours, err := l.lock.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(l.path + ".lock")
	return err == nil && os.SameFile(ours, there)
}

// Unlock removes the info and releases the lock.
func (l *Locked) Unlock() error {
	var gone error
	if l.Held() {
		if gone = os.Remove(l.path + ".lock.info"); errors.Is(gone, fs.ErrNotExist) {
			gone = nil
		}
	}
	if err := errors.Join(gone, l.lock.Close()); err != nil {
		return fmt.Errorf("unlocking the state %s: %w", l.path, err)
	}
	return nil
}

// ForceUnlock breaks the lock with the given id. It refuses a wrong id, and
// while the holder lives on this host. A holder elsewhere that still lives is
// fenced: its next intent fails with ErrFenced.
func ForceUnlock(path, id, host string) error {
	info, err := readLockInfo(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the state %s is not locked", path)
	case err != nil:
		return fmt.Errorf("reading the lock of the state %s: %w", path, err)
	case info.ID != id:
		return fmt.Errorf("the lock of the state %s has the id %s, not %s", path, info.ID, id)
	case info.Host == host && alive(info.PID):
		return fmt.Errorf("the lock of the state %s is held by process %d on this host, which runs; stop it instead", path, info.PID)
	}
	for _, name := range []string{path + ".lock", path + ".lock.info"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("unlocking the state %s: %w", path, err)
		}
	}
	return nil
}

// alive reports whether a process of this host runs, also one of another user.
func alive(pid int) bool {
	if pid <= 0 {
		return false
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	err = p.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, fs.ErrPermission)
}

// readLockInfo reads who holds the lock of the state at path, as the holder
// wrote it: {"id": "…", "operation": "apply", "who": "ada", "host": "mail1",
// "pid": 812, …}.
func readLockInfo(path string) (state.LockInfo, error) {
	var info state.LockInfo
	data, err := os.ReadFile(path + ".lock.info")
	if err != nil {
		return info, err
	}
	return info, json.Unmarshal(data, &info)
}

// writeLockInfo writes it.
func writeLockInfo(path string, info state.LockInfo) error {
	data, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(path+".lock.info", append(data, '\n'))
}

// replaceFile writes a file by a rename, so that nobody reads half of it.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, removeIfThere(f.Name()))
	}
	return nil
}

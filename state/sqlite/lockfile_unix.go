//go:build unix

package sqlite

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lockShared and lockAlone take an advisory lock of an open file, and give what
// ends it. Nobody holds one for longer than a write, unless it was stopped in
// the middle: nobody waits for that. What was read of a mark that is being
// written marks nothing.
func lockShared(f *os.File) (unlock func()) { return lockAs(f, unix.LOCK_SH) }
func lockAlone(f *os.File) (unlock func())  { return lockAs(f, unix.LOCK_EX) }

func lockAs(f *os.File, how int) (unlock func()) {
	const tries = 200
	for range tries {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if err == nil {
			return func() { _ = unix.Flock(int(f.Fd()), unix.LOCK_UN) } // its close ends it too
		}
		if err != unix.EWOULDBLOCK && err != unix.EINTR {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return func() {}
}

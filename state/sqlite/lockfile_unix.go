//go:build unix

package sqlite

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lockShared and lockAlone take an advisory lock on an open file and return what
// releases it. It is held for one write of a mark. A holder that was stopped in
// the middle is not waited for: then the mark may be read half written, and such
// a mark says nothing.
func lockShared(f *os.File) (unlock func()) { return lockAs(f, unix.LOCK_SH) }
func lockAlone(f *os.File) (unlock func())  { return lockAs(f, unix.LOCK_EX) }

// lockAs tries for 200 ms. A lock that cannot be had is no error; see
// lockShared.
func lockAs(f *os.File, how int) (unlock func()) {
	const tries = 200
	for range tries {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if err == nil {
			return func() { _ = unix.Flock(int(f.Fd()), unix.LOCK_UN) } // closing the file releases it too
		}
		if err != unix.EWOULDBLOCK && err != unix.EINTR {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return func() {}
}

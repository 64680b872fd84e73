package sqlite

import (
	"errors"
	"syscall"

	"zombiezen.com/go/sqlite"
)

// DiskAdvice says in a sentence what a person can do about an error of the disk
// that a state, or a file beside it, lies on; "" for other errors.
func DiskAdvice(err error) string {
	is := func(code sqlite.ResultCode, numbers ...syscall.Errno) bool {
		for _, n := range numbers {
			if errors.Is(err, n) {
				return true
			}
		}
		return err != nil && code != sqlite.ResultOK && sqlite.ErrCode(err).ToPrimary() == code
	}
	switch {
	case is(sqlite.ResultFull, syscall.ENOSPC, syscall.EDQUOT):
		return "The disk is full: make room, and run the command again; it continues where it stopped."
	case is(sqlite.ResultBusy), is(sqlite.ResultProtocol): // the second where one was stopped while it took a lock
		return "Another program has the state file open and keeps it locked, such as a database browser, a backup or a handbill command that was stopped (lsof or fuser on the file name it): close it, and run the command again; it continues where it stopped."
	case is(sqlite.ResultReadOnly, syscall.EROFS), is(sqlite.ResultCantOpen):
		return "The file system takes no writes, or this user may not write there: mount it writable, or move the directory, and run the command again. Until then \"handbill plan\" and \"handbill status\" read it as it is."
	case is(sqlite.ResultIOErr, syscall.EIO):
		return "The disk fails, or is full: look at the system's log, make room or move the directory to a sound disk, prove the state with \"handbill state verify\", and run the command again; it continues where it stopped."
	case is(sqlite.ResultOK, syscall.EMFILE, syscall.ENFILE):
		return "Too many files are open: raise the limit (ulimit -n), and run the command again."
	}
	return ""
}

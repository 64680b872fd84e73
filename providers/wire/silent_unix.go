//go:build unix

package wire

import "syscall"

// silent reports whether a connection is open and has nothing to read. It consumes
// no data and does not wait: sockets are non-blocking.
func silent(fd uintptr) bool {
	var one [1]byte
	_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
	return err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
}

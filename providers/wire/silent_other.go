//go:build !unix

package wire

// silent is always false, since the state of the socket cannot be read here: every
// request gets a new connection.
func silent(uintptr) bool { return false }

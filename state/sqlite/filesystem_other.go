//go:build !linux

package sqlite

import "math"

// networkFS knows the file systems of Linux alone.
func networkFS(string) string { return "" }

// FreeSpace is how many bytes may still be written where path is; here it is
// not asked for, so that nothing is refused by it.
func FreeSpace(string) (int64, error) { return math.MaxInt64, nil }

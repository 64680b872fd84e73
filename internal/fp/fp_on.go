//go:build fp

// Package fp names the places at which a test ends the process.
package fp

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Hit kills the process when HANDBILL_FP names this place: "intent-after:7" is
// the seventh time that it is reached.
func Hit(name string) {
	want, nth, _ := strings.Cut(os.Getenv("HANDBILL_FP"), ":")
	if want != name {
		return
	}
	if n, err := strconv.ParseInt(nth, 10, 64); err == nil && hits.Add(1) == n {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until it is dead
	}
}

var hits atomic.Int64

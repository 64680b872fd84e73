//go:build fp

// Package fp names the places at which a test ends the process, or makes it
// fail.
package fp

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Hit kills the process when HANDBILL_FP names this place: "intent-after:7" is
// the seventh time that it is reached.
func Hit(name string) {
	if reached(name) {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until it is dead
	}
}

// Err fails, once, when HANDBILL_FP names this place.
func Err(name string) error {
	if reached(name) {
		return fmt.Errorf("failpoint %s", name)
	}
	return nil
}

func reached(name string) bool {
	want, nth, _ := strings.Cut(os.Getenv("HANDBILL_FP"), ":")
	if want != name {
		return false
	}
	n, err := strconv.ParseInt(nth, 10, 64)
	return err == nil && hits.Add(1) == n
}

var hits atomic.Int64

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
	"time"
)

// Hit kills the process when HANDBILL_FP names this place: "intent-after:7" means
// the seventh time that it is reached.
func Hit(name string) {
	if reached(name) {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // wait for the end
	}
}

// Err fails, once, when HANDBILL_FP names this place.
func Err(name string) error {
	if reached(name) {
		return fmt.Errorf("failpoint %s", name)
	}
	return nil
}

// Spacing is the minimum time between two messages to one person that a test sets:
// negative, which means none, if HANDBILL_FP_SPACING is "none", else 0.
func Spacing() time.Duration {
	if os.Getenv("HANDBILL_FP_SPACING") == "none" {
		return -1
	}
	return 0
}

// Limit is how long a lane belongs to its owner after a turn, as a test sets it in
// HANDBILL_FP_LIMIT; 0 if it does not.
func Limit() time.Duration {
	d, err := time.ParseDuration(os.Getenv("HANDBILL_FP_LIMIT"))
	if err != nil {
		return 0
	}
	return d
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

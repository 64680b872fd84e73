//go:build !fp

// Package fp names the places at which a test ends the process, or makes it
// fail. Without the build tag "fp" there is nothing in it, and the compiler
// leaves the calls out.
package fp

import "time"

// Hit marks a place by its name.
func Hit(string) {}

// Err marks a place where something may fail.
func Err(string) error { return nil }

// Spacing is the minimum time between two messages to one person that a test sets;
// 0 if it sets none.
func Spacing() time.Duration { return 0 }

// Limit is how long a lane belongs to its owner after a turn, as a test sets it; 0
// if it does not.
func Limit() time.Duration { return 0 }

package state

import (
	"context"
	"fmt"
	"time"
)

// MaxClockBack is how far the clock may be behind the state. Clocks of two machines differ by less.
const MaxClockBack = 5 * time.Minute

// Sendable refuses a state that nothing may be sent from now: with a *HaltError where it was restored or rolled back,
// with a *ClockError where it knows a later time than the clock shows.
func Sendable(ctx context.Context, s Store, now time.Time) error {
	halt, err := s.Halted(ctx)
	if err != nil {
		return err
	}
	if halt != nil {
		return halt
	}
	latest, err := s.Latest(ctx)
	if err != nil {
		return err
	}
	if latest.Sub(now) > MaxClockBack {
		return &ClockError{Now: now, Latest: latest}
	}
	return nil
}

// ClockError says that the clock was put back since the state was written.
type ClockError struct{ Now, Latest time.Time }

func (e *ClockError) Error() string {
	return fmt.Sprintf("the clock shows %s, and the state was written at %s. "+
		"Quiet hours, 24-hour windows and frequency caps depend on the time, so nothing is sent. Set the clock right and run the command again. "+
		"If it is right now and was ahead then, say so with today's date: \"handbill state acknowledge -clock=%s -why='…'\"",
		e.Now.UTC().Format(time.RFC3339), e.Latest.UTC().Format(time.RFC3339), e.Now.UTC().Format(time.DateOnly))
}

package state

import (
	"sync"
	"time"
)

// Lease is how long a lane is ours without asking the state again. The state counts the limit from the moment at which it
// answered; we count from the moment before we asked, and stop a fifth of the limit earlier. So the owner before has stopped
// when the next one may begin, whatever their clocks show. A clock that nobody sets measures it, and the wall clock too: the
// first one may stand still while a machine sleeps. It is safe for concurrent use.
type Lease struct {
	limit     time.Duration // 0 for a lane that is ours until somebody takes it
	now       func() time.Time
	monotonic func() time.Duration

	mu    sync.Mutex
	asked LeaseMoment // before the last turn that the state answered; zero for none
}

// LeaseMoment is one moment on both clocks.
type LeaseMoment struct {
	wall  time.Time
	since time.Duration
}

// NewLease returns the lease of a lane with this limit, which nothing has granted yet. monotonic is the time since any fixed
// moment; nil for the wall clock alone.
func NewLease(limit time.Duration, now func() time.Time, monotonic func() time.Duration) *Lease {
	if monotonic == nil {
		monotonic = func() time.Duration { return 0 }
	}
	return &Lease{limit: limit, now: now, monotonic: monotonic}
}

// Limited reports whether the lane has a limit at all.
func (l *Lease) Limited() bool { return l.limit > 0 }

// Ask returns the moment from which a turn that begins now counts.
func (l *Lease) Ask() LeaseMoment { return LeaseMoment{l.now().Round(0), l.monotonic()} }

// Granted records that the state answered the turn that began at asked.
func (l *Lease) Granted(asked LeaseMoment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = asked
}

// passed is how much of the limit is used up.
func (l *Lease) passed() time.Duration {
	l.mu.Lock()
	asked := l.asked
	l.mu.Unlock()
	if asked.wall.IsZero() {
		return l.limit
	}
	now := l.Ask()
	return max(now.wall.Sub(asked.wall), now.since-asked.since)
}

// Valid reports whether a request may leave now.
func (l *Lease) Valid() bool { return !l.Limited() || l.passed() < l.limit-l.limit/5 }

// Due returns how long it takes until the limit must begin anew; not above 0 when it is time, and ok is false for a lane
// without a limit.
func (l *Lease) Due() (wait time.Duration, ok bool) {
	return l.limit/3 - l.passed(), l.Limited()
}

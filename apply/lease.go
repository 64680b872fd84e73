package apply

import (
	"sync"
	"time"
)

// lease is how long a lane is ours without asking the state again. The state counts
// the limit from the moment at which it answered; we count from the moment before we
// asked, and stop a fifth of the limit earlier. So the owner before has stopped when
// the next one may begin, whatever their clocks show. A clock that nobody sets
// measures it, and the wall clock too: the first one may stand still while a machine
// sleeps. It is safe for concurrent use.
type lease struct {
	limit     time.Duration // 0 for a lane that is ours until somebody takes it
	now       func() time.Time
	monotonic func() time.Duration

	mu    sync.Mutex
	asked moment // before the last turn that the state answered; zero for none
}

// moment is one moment on both clocks.
type moment struct {
	wall  time.Time
	since time.Duration
}

func newLease(limit time.Duration, opt *Options) *lease {
	l := &lease{limit: limit, now: opt.Now, monotonic: opt.Monotonic}
	if l.monotonic == nil {
		l.monotonic = func() time.Duration { return 0 }
	}
	return l
}

// ask returns the moment from which a turn that begins now counts.
func (l *lease) ask() moment { return moment{l.now().Round(0), l.monotonic()} }

// granted records that the state answered the turn that began at asked.
func (l *lease) granted(asked moment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = asked
}

// passed is how much of the limit is used up.
func (l *lease) passed() time.Duration {
	l.mu.Lock()
	asked := l.asked
	l.mu.Unlock()
	if asked.wall.IsZero() {
		return l.limit
	}
	now := l.ask()
	return max(now.wall.Sub(asked.wall), now.since-asked.since)
}

// valid reports whether a request may leave now.
func (l *lease) valid() bool { return l.limit == 0 || l.passed() < l.limit-l.limit/5 }

// due returns how long it takes until the limit must begin anew; not above 0 when it
// is time, and ok is false for a lane without a limit.
func (l *lease) due() (wait time.Duration, ok bool) {
	return l.limit/3 - l.passed(), l.limit > 0
}

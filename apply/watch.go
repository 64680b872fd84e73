package apply

import (
	"fmt"
	"sync"
	"time"

	"github.com/handbill/handbill/delivery"
)

// maxDrift is how far the wall clock may go apart from the time that passed,
// and watchEvery how often the lock is looked at. A clock that is
// slewed into place moves by half a millisecond a second (adjtime(3)), so two
// minutes are a clock that somebody set, or a machine that slept.
const (
	maxDrift   = 2 * time.Minute
	watchEvery = time.Second
)

// watch looks after what a run takes for granted while it lasts: that the lock
// is ours, and that the clock tells the time. All lanes share it.
type watch struct {
	held      func() bool
	monotonic func() time.Duration

	mu      sync.Mutex
	began   time.Time     // on the wall
	at      time.Duration // on the monotonic clock
	checked time.Time
	found   *Halt // stands once it is there
}

func newWatch(opt *Options) *watch {
	w := &watch{held: opt.Held, monotonic: opt.Monotonic}
	if w.monotonic != nil {
		w.began, w.at = opt.Now().Round(0), w.monotonic()
	}
	return w
}

// halt says why nothing more may be sent at now; nil when all is as it was.
func (w *watch) halt(now time.Time) *Halt {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.found == nil {
		w.found = w.drift(now)
	}
	// A clock that was put back must not put the next look off.
	if since := now.Sub(w.checked); w.found != nil || w.held == nil || since >= 0 && since < watchEvery {
		return w.found
	}
	w.checked = now
	if !w.held() {
		w.found = lockLost()
	}
	return w.found
}

// lockLost is the halt of a run that another one may have overtaken.
func lockLost() *Halt {
	return &Halt{Reason: delivery.HaltLockLost, Title: "the state's lock is not ours any more",
		Advice: "Somebody removed the lock while this run was sending, and another run may have begun. What was in flight is recorded. " +
			"See handbill status, make sure that no other apply runs, and run apply again: it goes on where it stopped."}
}

// drift compares the wall clock with the time that really passed.
func (w *watch) drift(now time.Time) *Halt {
	if w.monotonic == nil {
		return nil
	}
	passed := w.monotonic() - w.at
	off := now.Round(0).Sub(w.began) - passed
	if off.Abs() <= maxDrift {
		return nil
	}
	way := "ahead"
	if off < 0 {
		way = "back"
	}
	return &Halt{Reason: delivery.HaltClockJumped, Title: fmt.Sprintf("the clock went %s by %s", way, off.Abs().Round(time.Second)),
		Advice: "The clock was set while this run was sending, or the machine slept. Quiet hours, 24-hour windows and caps depend on it, so nothing more is sent. " +
			"Check the time, and run apply again: it goes on where it stopped."}
}

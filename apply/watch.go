package apply

import (
	"fmt"
	"sync"
	"time"

	"github.com/handbill/handbill/delivery"
)

// maxDrift is how far the wall clock may deviate from the time that passed, and
// watchEvery is how often the lock is checked. A clock that is slewed moves by half
// a millisecond a second (adjtime(3)), so a deviation of two minutes means that
// somebody set the clock or that the machine slept.
const (
	maxDrift   = 2 * time.Minute
	watchEvery = time.Second
)

// watch checks what a run relies on while it lasts: that it holds the lock, and
// that the clock is right. All lanes share it.
type watch struct {
	held      func() bool
	monotonic func() time.Duration

	mu      sync.Mutex
	began   time.Time     // on the wall
	at      time.Duration // on the monotonic clock
	checked time.Time
	found   *Halt // never changes once it is set

	told  func() map[string]Told
	asked time.Time
	news  map[string]Told // of the last time that told was asked
}

func newWatch(opt *Options) *watch {
	w := &watch{held: opt.Held, monotonic: opt.Monotonic, told: opt.Told}
	if w.monotonic != nil {
		w.began, w.at = opt.Now().Round(0), w.monotonic()
	}
	return w
}

// halt returns why nothing more may be sent at now; nil when all is well.
func (w *watch) halt(now time.Time) *Halt {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.found == nil {
		w.found = w.drift(now)
	}
	// A clock that was set back must not delay the next check.
	if since := now.Sub(w.checked); w.found != nil || w.held == nil || since >= 0 && since < watchEvery {
		return w.found
	}
	w.checked = now
	if !w.held() {
		w.found = lockLost()
	}
	return w.found
}

// templates returns what was reported about templates by campaign. It asks at most
// once in watchEvery; before the first message it asks in any case.
func (w *watch) templates(now time.Time) map[string]Told {
	if w.told == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if since := now.Sub(w.asked); since < 0 || since >= watchEvery {
		w.asked, w.news = now, w.told()
	}
	return w.news
}

// lockLost returns the halt of a run that another one may have overtaken.
func lockLost() *Halt {
	return &Halt{Reason: delivery.HaltLockLost, Title: "the state's lock is not ours any more",
		Advice: "Somebody removed the lock while this run was sending, and another run may have begun. What was in flight is recorded. " +
			"See handbill status, make sure that no other apply runs, and run apply again: it continues where it stopped."}
}

// drift compares the wall clock with the time that passed.
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
			"Check the time, and run apply again: it continues where it stopped."}
}

package apply

import (
	"context"
	"math"
	"sync"
	"time"
)

// rateWindow keeps a limit at the very moment when requests leave: those who send
// ask it last, so that whatever a slow disk or a stalled machine held up cannot
// leave together with what is due. The pacer spaces what leaves; the window
// only holds back where that came apart.
type rateWindow struct {
	limit int // in any second

	mu    sync.Mutex
	begin time.Time
	at    int64            // the newest millisecond counted, since begin
	count [windowSlots]int // of each millisecond, the newest at at % windowSlots
	sum   int              // of count
}

// windowSlots are one more than the milliseconds of a second, so that two
// requests that are counted apart are a whole second apart.
const windowSlots = 1001

// newRateWindow keeps a rate in messages per second. Half a per cent of a high one
// is left for what the network shifts between leaving and arriving.
func newRateWindow(rate float64, now time.Time) *rateWindow {
	limit := int(math.Ceil(rate))
	if rate >= 200 {
		limit = int(rate * 0.995)
	}
	return &rateWindow{limit: limit, begin: now}
}

// take counts a request that leaves at now, or says how long it has to wait.
func (w *rateWindow) take(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(max(now.Sub(w.begin).Milliseconds(), w.at)) // a clock that was put back stands still
	if w.sum < w.limit {
		w.count[w.at%windowSlots]++
		w.sum++
		return 0
	}
	oldest := w.at - windowSlots + 1
	for oldest < 0 || w.count[oldest%windowSlots] == 0 {
		oldest++
	}
	free := w.begin.Add(time.Duration(oldest+windowSlots) * time.Millisecond)
	return min(max(free.Sub(now), time.Millisecond/4), time.Second)
}

// forget moves the window to the millisecond at.
func (w *rateWindow) forget(at int64) {
	for skip := max(w.at, at-windowSlots); skip < at; {
		skip++
		slot := &w.count[skip%windowSlots]
		w.sum -= *slot
		*slot = 0
	}
	w.at = at
}

// wait returns when a request may leave, which is counted, or ctx is done.
func (w *rateWindow) wait(ctx context.Context, clock func() time.Time) {
	if w.limit == 0 {
		return
	}
	for d := w.take(clock()); d > 0 && ctx.Err() == nil; d = w.take(clock()) {
		timer := time.NewTimer(d)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

package apply

import (
	"time"

	"github.com/handbill/handbill/message"
)

// width is how many sends may be in flight. A fixed one stays; an adaptive one
// grows while sends are clean and the places are what holds the number back,
// so that a provider that answers in 100 ms is still driven at its rate, and
// shrinks when answers become unclear, since it bounds what comes into doubt.
type width struct {
	now     int
	fixed   bool
	hurt    bool // an answer was unclear
	clean   int  // accepted since the last change
	latency time.Duration
}

const (
	minWidth = 8
	maxWidth = 256
	// Answers within quick need no more than quickWidth: more would be memory
	// and no messages a second (docs/benchmarks.md).
	quick      = 50 * time.Millisecond
	quickWidth = 192
)

func newWidth(parallelism int) width {
	if parallelism > 0 {
		return width{now: min(parallelism, maxWidth), fixed: true}
	}
	return width{now: minWidth}
}

// answered learns from one answer. rate is the number's limit in messages per
// second, 0 for none: with one, more places than it needs at the latency seen
// would only be more that an outage leaves in doubt.
func (w *width) answered(took time.Duration, class message.Class, rate float64) {
	if w.latency == 0 {
		w.latency = took
	}
	w.latency += (took - w.latency) / 8
	if w.fixed {
		return
	}
	switch class {
	case message.Accepted:
		w.clean++
		if want := w.wanted(rate); w.clean >= w.due(rate) && w.now < want {
			w.now, w.clean = w.next(rate, want), 0
		}
	case message.Unknown:
		w.now, w.clean, w.hurt = max(w.now/2, minWidth), 0, true
	}
}

// Where a rate is known and all went well, the first answers tell how many
// places it needs, and waiting would only cost pace. Else the places double each
// time that as many were accepted as there are.
func (w *width) straight(rate float64) bool { return rate > 0 && !w.hurt }

func (w *width) due(rate float64) int {
	if w.straight(rate) {
		return minWidth
	}
	return w.now
}

func (w *width) next(rate float64, want int) int {
	if w.straight(rate) {
		return want
	}
	return min(w.now*2, want)
}

// wanted is how many places the rate needs at the latency seen, with a quarter
// to spare.
func (w *width) wanted(rate float64) int {
	limit := maxWidth
	if w.latency < quick {
		limit = quickWidth
	}
	if rate <= 0 {
		return limit
	}
	return min(max(int(rate*w.latency.Seconds()*1.25)+1, minWidth), limit)
}

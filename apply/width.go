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
	clean   int // accepted in a row since the last change
	latency time.Duration
}

const (
	minWidth = 8
	maxWidth = 256
)

func newWidth(parallelism int) width {
	if parallelism > 0 {
		return width{now: min(parallelism, maxWidth), fixed: true}
	}
	return width{now: minWidth}
}

// answered learns from one answer.
func (w *width) answered(took time.Duration, class message.Class) {
	w.latency += (took - w.latency) / 8
	if w.fixed {
		return
	}
	switch class {
	case message.Accepted:
		w.clean++
		if w.clean >= 4*w.now && w.now < maxWidth {
			w.now, w.clean = min(w.now*2, maxWidth), 0
		}
	case message.Unknown:
		w.now, w.clean = max(w.now/2, minWidth), 0
	}
}

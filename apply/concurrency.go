package apply

import (
	"time"

	"github.com/handbill/handbill/message"
)

// concurrency is how many sends may be in flight. A fixed one stays; an adaptive one
// grows while sends are clean and the places are what holds the number back,
// so that a provider that answers in 100 ms is still driven at its rate, and
// shrinks when answers become unclear, since it bounds what comes into doubt.
type concurrency struct {
	now     int
	fixed   bool
	hurt    bool // an answer was unclear
	clean   int  // accepted since the last change
	latency time.Duration
}

const (
	minConcurrency = 8
	maxConcurrency = 256
	// Answers within quick need no more than quickConcurrency: more would be memory
	// and no messages a second (docs/benchmarks.md).
	quick            = 50 * time.Millisecond
	quickConcurrency = 192
)

func newConcurrency(parallelism int) concurrency {
	if parallelism > 0 {
		return concurrency{now: min(parallelism, maxConcurrency), fixed: true}
	}
	return concurrency{now: minConcurrency}
}

// answered learns from one answer. rate is the number's limit in messages per
// second, 0 for none: with one, more places than it needs at the latency seen
// would only be more that an outage leaves in doubt.
func (c *concurrency) answered(took time.Duration, class message.Class, rate float64) {
	if c.latency == 0 {
		c.latency = took
	}
	c.latency += (took - c.latency) / 8
	if c.fixed {
		return
	}
	switch class {
	case message.Accepted:
		c.clean++
		if want := c.wanted(rate); c.clean >= c.due(rate) && c.now < want {
			c.now, c.clean = c.next(rate, want), 0
		}
	case message.Unknown:
		c.now, c.clean, c.hurt = max(c.now/2, minConcurrency), 0, true
	}
}

// Where a rate is known and all went well, the first answers tell how many
// places it needs, and waiting would only cost pace. Else the places double each
// time that as many were accepted as there are.
func (c *concurrency) straight(rate float64) bool { return rate > 0 && !c.hurt }

func (c *concurrency) due(rate float64) int {
	if c.straight(rate) {
		return minConcurrency
	}
	return c.now
}

func (c *concurrency) next(rate float64, want int) int {
	if c.straight(rate) {
		return want
	}
	return min(c.now*2, want)
}

// wanted is how many places the rate needs at the latency seen, with a quarter
// to spare.
func (c *concurrency) wanted(rate float64) int {
	limit := maxConcurrency
	if c.latency < quick {
		limit = quickConcurrency
	}
	if rate <= 0 {
		return limit
	}
	return min(max(int(rate*c.latency.Seconds()*1.25)+1, minConcurrency), limit)
}

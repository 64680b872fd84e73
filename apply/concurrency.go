package apply

import (
	"time"

	"github.com/handbill/handbill/message"
)

// concurrency bounds how many sends may be in flight. A fixed bound stays. An
// adaptive one grows while answers are clear and the bound is what limits the
// number, so that a provider that takes 100 ms to answer is still driven at its
// rate. It shrinks when answers become unclear, since it is also the most that one
// outage can put in doubt.
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
	// Answers within quick need no more than quickConcurrency: more would use memory
	// and send nothing faster (docs/benchmarks.md).
	quick            = 50 * time.Millisecond
	quickConcurrency = 192
)

func newConcurrency(parallelism int) concurrency {
	if parallelism > 0 {
		return concurrency{now: min(parallelism, maxConcurrency), fixed: true}
	}
	return concurrency{now: minConcurrency}
}

// answered adapts the bound to one answer. rate is the number's limit in messages
// per second, 0 for none. With a limit the bound grows no further than the limit
// needs at the measured latency: more would only put more in doubt.
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

// straight reports whether the bound may go straight to what the rate needs, which
// the first answers show. Otherwise it doubles each time that as many messages
// were accepted.
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

// wanted returns how many sends in flight the rate needs at the measured latency,
// and a quarter more.
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

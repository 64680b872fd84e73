package apply

import (
	"math/rand/v2"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
)

// flow says how many messages of a number may be sent now: it holds the pace,
// the concurrency, the breaker and the pauses together. The lane asks it before
// it writes intents, and tells it every answer. The spacing between two messages
// to one person is a gate of the state, since others send to them too.
type flow struct {
	pace        *pace.Number
	concurrency concurrency
	breaker     breaker
	rnd         *rand.Rand

	pauseUntil  time.Time
	throttles   int       // in a row, without an accepted message between
	throttledAt time.Time // first of them
	unreachable int       // in a row
	probing     bool      // after the breaker: one send at a time
}

// newFlow returns the flow of a number that may send rate messages a second; 0 for
// no limit.
func newFlow(rate float64, parallelism int, rnd *rand.Rand) flow {
	return flow{pace: pace.New(rate), concurrency: newConcurrency(parallelism), rnd: rnd}
}

// room returns how many sends may start at now in addition to those in flight.
func (f *flow) room(now time.Time, flying int) int {
	places := f.places(now, flying)
	if places == 0 {
		return 0
	}
	return f.pace.Due(now, places)
}

// places is room without the pace: only concurrency, breaker and pauses count.
func (f *flow) places(now time.Time, flying int) int {
	if now.Before(f.pauseUntil) {
		return 0
	}
	places := f.concurrency.now
	if f.probing {
		places = 1
	}
	return min(max(places-flying, 0), maxBatch)
}

// after returns when the number may send again unless an answer comes first; zero
// when no such time is known.
func (f *flow) after(now time.Time, flying int) time.Time {
	if now.Before(f.pauseUntil) {
		return f.pauseUntil
	}
	if f.places(now, flying) > 0 {
		if d := f.pace.Wait(now); d > 0 {
			return now.Add(d)
		}
	}
	return time.Time{}
}

// pauseFor stops new sends until then. It reports whether that is news: a longer pause
// may hold already, and each answer of a moment asks for nearly the same one.
func (f *flow) pauseFor(until, now time.Time) bool {
	if !until.After(f.pauseUntil) || !until.After(now) {
		return false
	}
	const news = 5 * time.Second
	fresh := !f.pauseUntil.After(now) || until.Sub(f.pauseUntil) >= news
	f.pauseUntil = until
	return fresh
}

// answered takes what an answer says about the number as a whole, and reports
// whether the breaker opens by it.
func (f *flow) answered(class message.Class, took time.Duration) (opens bool) {
	opens = f.breaker.answered(class)
	if !opens && decided(class) {
		f.probing = false
	}
	f.concurrency.answered(took, class, f.pace.Rate())
	if class != message.Throttled {
		f.throttles = 0
	}
	if class != message.NotSent {
		f.unreachable = 0
	}
	if class == message.Accepted {
		f.pace.Ease()
	}
	return opens
}

// opened returns how long to send nothing after the breaker opened, before one
// probe; ok is false when it is time to give up.
func (f *flow) opened() (wait time.Duration, ok bool) {
	if wait, ok = f.breaker.wait(); ok {
		f.probing = true
	}
	return wait, ok
}

// throttled slows the number, and says for how long it pauses; ok is false when
// the provider has refused everything for so long that it is time to give up.
func (f *flow) throttled(asked time.Duration, now time.Time) (pause time.Duration, ok bool) {
	if f.throttles == 0 {
		f.throttledAt = now
	}
	f.throttles++
	f.pace.Slow(now)
	if pause = asked; pause <= 0 && f.throttles > 1 {
		pause = f.jitter(throttleBase, f.throttles-1)
	}
	return pause, now.Sub(f.throttledAt) <= throttleGiveUp
}

// jitter is full jitter: anything up to base doubled n-1 times, capped.
func (f *flow) jitter(base time.Duration, n int) time.Duration {
	limit := min(base<<min(n-1, 20), backoffCap)
	return time.Duration(f.rnd.Int64N(int64(limit)) + 1)
}

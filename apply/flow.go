package apply

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/handbill/handbill/message"
)

// flow says how many messages of a number may be sent now: it holds the rate,
// the spacing between two messages to one person, the concurrency, the breaker
// and the pauses together. The lane asks it before it writes intents, and tells
// it every answer.
type flow struct {
	pace        *pacer
	leaving     *rateWindow
	spacing     spacing
	concurrency concurrency
	breaker     breaker
	rnd         *rand.Rand

	pauseUntil  time.Time
	throttles   int       // in a row, without an accepted message between
	throttledAt time.Time // first of them
	slowedAt    time.Time // when a throttle last lowered the pace
	unreachable int       // in a row
	probing     bool      // after the breaker: one send at a time
}

// newFlow is the flow of a number that sends rate messages a second, 0 for no
// limit, for that many campaigns.
func newFlow(rate float64, campaigns, parallelism int, seed *rand.Rand, now time.Time) flow {
	return flow{pace: newPacer(rate, now), leaving: newRateWindow(rate, now), spacing: newSpacing(now, campaigns),
		concurrency: newConcurrency(parallelism), rnd: seed}
}

// room is how many sends may be started at now beside those in flight, the
// rate left out: concurrency, breaker and pauses decide.
func (f *flow) room(now time.Time, flying int) int {
	if now.Before(f.pauseUntil) {
		return 0
	}
	places := f.concurrency.now
	if f.probing {
		places = 1
	}
	return min(max(places-flying, 0), maxBatch)
}

// take is how many of n sends the rate allows at now; give returns those of
// them that were not made.
func (f *flow) take(now time.Time, n int) int { return f.pace.take(now, n) }
func (f *flow) give(n int)                    { f.pace.give(n) }

// after is when the number may send more, if no answer comes before; zero when
// flow does not know of a time.
func (f *flow) after(now time.Time, flying int) time.Time {
	if now.Before(f.pauseUntil) {
		return f.pauseUntil
	}
	if f.room(now, flying) > 0 {
		if d := f.pace.wait(now); d > 0 {
			return now.Add(d)
		}
	}
	return time.Time{}
}

// leave waits until a message may leave, or ctx is done.
func (f *flow) leave(ctx context.Context, clock func() time.Time) { f.leaving.wait(ctx, clock) }

// pauseFor stops new sends until then; false when that changes nothing.
func (f *flow) pauseFor(until, now time.Time) bool {
	if !until.After(f.pauseUntil) || !until.After(now) {
		return false
	}
	f.pauseUntil = until
	return true
}

// answered learns from an answer what it says about the number as a whole, and
// reports whether the breaker opens by it.
func (f *flow) answered(class message.Class, took time.Duration) (opens bool) {
	opens = f.breaker.answered(class)
	if !opens && decided(class) {
		f.probing = false
	}
	f.concurrency.answered(took, class, f.pace.rate)
	if class != message.Throttled {
		f.throttles = 0
	}
	if class != message.NotSent {
		f.unreachable = 0
	}
	if class == message.Accepted {
		f.pace.ease()
	}
	return opens
}

// opened is how long to send nothing after the breaker opened, before one probe;
// ok is false when it is time to give up.
func (f *flow) opened() (wait time.Duration, ok bool) {
	if wait, ok = f.breaker.wait(); ok {
		f.probing = true
	}
	return wait, ok
}

// throttled slows the number, and says for how long it pauses; ok is false when
// the provider has refused everything for so long that it is time to give up.
// Throttles that come together are one sign and slow it once: those of one
// second are about the same pace.
func (f *flow) throttled(asked time.Duration, now time.Time) (pause time.Duration, ok bool) {
	if f.throttles == 0 {
		f.throttledAt = now
	}
	f.throttles++
	if now.Sub(f.slowedAt) >= time.Second {
		f.slowedAt = now
		f.pace.slow()
	}
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

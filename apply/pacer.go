package apply

import "time"

// pacer hands out permissions to send so that in any window of one second no
// more than the rate leaves. It is a token bucket with a little headroom: the
// bucket's size and the refill together stay under the rate, and the rest
// absorbs what the network shifts between leaving and arriving.
type pacer struct {
	rate   float64 // messages per second allowed; 0 for unlimited
	factor float64 // share of it in use, lowered by throttles, from 0.05 to 1
	tokens float64
	last   time.Time
}

// headroom is the share of the rate that is not used, so that a limit of 1,000
// a second is met at 985 and never exceeded.
const headroom = 0.985

func newPacer(rate float64, now time.Time) *pacer {
	return &pacer{rate: rate, factor: 1, tokens: 1, last: now}
}

// burst is how many may leave at once after a lull: a hundredth of a second's
// worth, at least one.
func (p *pacer) burst() float64 { return max(1, p.rate*p.factor*0.01) }

// perSecond is the refill in tokens per second.
func (p *pacer) perSecond() float64 { return p.rate * p.factor * headroom }

// take gives up to n permissions at now.
func (p *pacer) take(now time.Time, n int) int {
	if p.rate <= 0 {
		return n
	}
	p.refill(now)
	got := min(n, int(p.tokens))
	p.tokens -= float64(got)
	return got
}

// give returns permissions that were not used.
func (p *pacer) give(n int) {
	if p.rate > 0 {
		p.tokens = min(p.tokens+float64(n), p.burst())
	}
}

// wait is how long until one permission is there.
func (p *pacer) wait(now time.Time) time.Duration {
	if p.rate <= 0 {
		return 0
	}
	p.refill(now)
	if p.tokens >= 1 {
		return 0
	}
	// Rounded up, so that the permission is there when the time is over.
	return time.Duration((1-p.tokens)/p.perSecond()*float64(time.Second)) + time.Microsecond
}

func (p *pacer) refill(now time.Time) {
	// A clock that jumps back gives nothing, one that jumps ahead a burst.
	if d := now.Sub(p.last); d > 0 {
		p.tokens = min(p.tokens+d.Seconds()*p.perSecond(), p.burst())
	}
	p.last = now
}

// slow lowers the pace after a throttle.
func (p *pacer) slow() { p.factor = max(p.factor*0.7, 0.05) }

// ease raises it again after an accepted message: a full recovery takes a few
// hundred of them.
func (p *pacer) ease() { p.factor = min(p.factor+0.005, 1) }

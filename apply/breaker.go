package apply

import (
	"time"

	"github.com/handbill/handbill/message"
)

// breaker bounds how many messages an outage puts in doubt. After a run of unknown
// answers it opens: nothing is sent for a while, and then one probe.
type breaker struct {
	unknowns int       // since the provider last decided about a message
	recent   [200]bool // ring: was the answer unknown
	seen     int
	open     bool
	opened   int // times in a row, with no decided message between
}

const (
	breakerRun   = 5
	breakerShare = 0.02
	breakerWait  = time.Minute
	breakerCap   = 15 * time.Minute
	// breakerGiveUp is how many probes in a row may fail before the campaign
	// halts: about half an hour of outage.
	breakerGiveUp = 5
)

// answered records an answer and reports whether it opens the breaker. Only an
// answer in which the provider decides about the message shows that it works. A
// refused connection or a throttle shows nothing: in a mixed outage they come
// between the unknown answers until it ends.
func (b *breaker) answered(class message.Class) bool {
	unknown := class == message.Unknown
	if !unknown && !decided(class) {
		return false
	}
	b.recent[b.seen%len(b.recent)] = unknown
	b.seen++
	if !unknown {
		b.open, b.opened, b.unknowns = false, 0, 0
		return false
	}
	b.unknowns++
	if b.open || b.unknowns < breakerRun && !b.tooMany() {
		return b.open
	}
	b.open = true
	return true
}

// decided reports whether an answer of this class is the provider's decision
// about the message itself.
func decided(class message.Class) bool {
	switch class {
	case message.Accepted, message.Refused, message.WindowClosed, message.OptedOut, message.PairThrottled:
		return true
	}
	return false
}

// tooMany reports whether more than the allowed share of the last answers was
// unknown. It is false until the ring is full.
func (b *breaker) tooMany() bool {
	if b.seen < len(b.recent) {
		return false
	}
	n := 0
	for _, u := range b.recent {
		if u {
			n++
		}
	}
	return float64(n) > breakerShare*float64(len(b.recent))
}

// wait returns how long to send nothing after the breaker opened; ok is false when
// it is time to give up.
func (b *breaker) wait() (d time.Duration, ok bool) {
	d = min(breakerWait<<b.opened, breakerCap)
	b.opened++
	clear(b.recent[:])
	b.seen, b.unknowns = 0, 0
	return d, b.opened <= breakerGiveUp
}

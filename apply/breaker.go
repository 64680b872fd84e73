package apply

import "time"

// breaker bounds what an outage leaves in doubt: after a run of unknown
// answers nothing new is sent for a while, and then one probe.
type breaker struct {
	unknowns []time.Time // of the last minute
	recent   [200]bool   // ring: was the answer unknown
	seen     int
	open     bool
	opened   int // times in a row without an accepted message between
}

const (
	breakerRun    = 5
	breakerWithin = time.Minute
	breakerShare  = 0.02
	breakerWait   = time.Minute
	breakerCap    = 15 * time.Minute
	// breakerGiveUp is how many probes in a row may fail before the campaign
	// halts: about half an hour of outage.
	breakerGiveUp = 5
)

// answered books an answer and reports whether the breaker trips by it.
func (b *breaker) answered(unknown bool, now time.Time) bool {
	b.recent[b.seen%len(b.recent)] = unknown
	b.seen++
	if !unknown {
		b.open, b.opened, b.unknowns = false, 0, b.unknowns[:0]
		return false
	}
	for len(b.unknowns) > 0 && now.Sub(b.unknowns[0]) > breakerWithin {
		b.unknowns = b.unknowns[1:]
	}
	b.unknowns = append(b.unknowns, now)
	if b.open || len(b.unknowns) < breakerRun && !b.tooMany() {
		return b.open
	}
	b.open = true
	return true
}

// tooMany reports whether more than the allowed share of the last answers was
// unknown; it needs a full ring to speak.
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

// wait is how long to send nothing after a trip; ok is false when it is time
// to give up.
func (b *breaker) wait() (d time.Duration, ok bool) {
	d = min(breakerWait<<b.opened, breakerCap)
	b.opened++
	clear(b.recent[:])
	b.seen, b.unknowns = 0, b.unknowns[:0]
	return d, b.opened <= breakerGiveUp
}

package pace

import (
	"context"
	"sync"
	"time"
)

const (
	// leastLead and mostLead bound the estimate of how long a commit takes.
	leastLead = time.Millisecond
	mostLead  = 250 * time.Millisecond
	// fastest is the highest limit that can be kept, in messages per second: the gaps
	// of a higher one are shorter than timers resolve.
	fastest = 10_000
)

// Number is one process's part in the pace of a number: what it asks of the
// number's slots, and when. It is safe for concurrent use.
type Number struct {
	mu     sync.Mutex
	rate   float64       // messages per second; 0 for no limit
	factor float64       // share of it in use, lowered by throttles, from 0.05 to 1
	next   time.Time     // slots before it are taken, as far as this process knows
	paused time.Time     // nothing is asked before it
	lead   time.Duration // what a commit takes
	slowed time.Time     // when Slow last lowered the pace
	seen   time.Time     // the latest time that a caller gave

	late   []*late // who missed their slots
	taking bool    // a goroutine takes new ones for all of them
}

// New returns a number that sends at most rate messages a second, 0 for no limit.
func New(rate float64) *Number {
	if rate < 0 || rate > fastest {
		rate = 0
	}
	return &Number{rate: rate, factor: 1, lead: 2 * leastLead}
}

// Rate returns the number's limit in messages per second; 0 for none.
func (n *Number) Rate() float64 { return n.rate }

func (n *Number) gap() time.Duration {
	if n.rate <= 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / (n.rate * n.factor * headroom))
}

// Ask returns what to ask the state for at now.
func (n *Number) Ask(now time.Time) Ask {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.look(now)
	return Ask{Gap: n.gap(), After: now.Add(n.lead)}
}

// Due returns for how many messages to write intents at now, at most most: those
// that can leave before the commit after the next one is done.
func (n *Number) Due(now time.Time, most int) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.look(now)
	switch {
	case now.Before(n.paused):
		return 0
	case n.rate <= 0:
		return most
	}
	first := later(n.next, now.Add(n.lead-grace))
	room := now.Add(2 * n.lead).Sub(first)
	if room < 0 {
		return 0
	}
	return min(most, 1+int(room/n.gap()))
}

// Wait returns how long it takes until Due is at least 1.
func (n *Number) Wait(now time.Time) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.look(now)
	d := n.paused.Sub(now)
	if n.rate > 0 {
		d = max(d, n.next.Add(-2*n.lead).Sub(now))
	}
	return max(d, 0)
}

// Reserve is Wait for concurrent callers: each gets a moment of its own at which to
// ask.
func (n *Number) Reserve(now time.Time) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.look(now)
	first := later(later(n.next, n.paused), now.Add(n.lead-grace))
	n.next = first.Add(n.gap())
	return max(first.Add(-2*n.lead).Sub(now), n.paused.Sub(now), 0)
}

// look forgets moments that lie ahead because the clock was set back.
func (n *Number) look(now time.Time) {
	if putBack(n.seen, now) {
		n.next, n.paused, n.slowed = now, time.Time{}, time.Time{}
	}
	n.seen = now
}

// Told records the slot that the state gave. given is false when the state gave
// none because the next slot is too far away.
func (n *Number) Told(slot time.Time, given bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if given {
		slot = slot.Add(n.gap())
	}
	n.next = later(n.next, slot)
}

// Committed records how long a commit took. The estimate follows a longer commit at
// once and shorter ones gradually.
func (n *Number) Committed(took time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if took < n.lead {
		took = n.lead + (took-n.lead)/64
	}
	n.lead = min(max(took, leastLead), mostLead)
}

// Pause asks for no slot until then.
func (n *Number) Pause(until time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.paused = later(n.paused, until)
}

// Slow lowers the pace after a throttle. Throttles within one second are about the
// same pace and slow it once.
func (n *Number) Slow(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now.Sub(n.slowed) >= time.Second {
		n.slowed = now
		n.factor = max(n.factor*0.7, 0.05)
	}
}

// Ease raises the pace again after an accepted message. A full recovery takes a few
// hundred messages.
func (n *Number) Ease() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.factor = min(n.factor+0.005, 1)
}

// Leave blocks until a message with that slot may leave, or returns ctx's error. A
// message that misses its slot gets another from again, which takes many slots and
// returns the first. If again fails, Leave returns its error, and the message must
// not leave.
func (n *Number) Leave(ctx context.Context, clock func() time.Time, slot time.Time, again func(a Ask, many int) (time.Time, error)) error {
	for seen := (time.Time{}); !slot.IsZero(); {
		now := clock()
		d := slot.Sub(now)
		switch {
		case d < -slack || putBack(seen, now):
			var err error
			if slot, err = n.again(now, again); err != nil {
				return err
			}
		case d <= 0:
			return ctx.Err()
		default:
			if err := Sleep(ctx, min(d, time.Second)); err != nil {
				return err
			}
		}
		seen = now
	}
	return ctx.Err()
}

// late takes a new slot for a message that missed its own.
type late struct {
	slot time.Time
	err  error
	done chan struct{}
}

// again takes new slots for messages that missed theirs, in one call for all that
// arrive while a call runs.
func (n *Number) again(now time.Time, take func(a Ask, many int) (time.Time, error)) (time.Time, error) {
	me := &late{done: make(chan struct{})}
	n.mu.Lock()
	n.late = append(n.late, me)
	if n.taking {
		n.mu.Unlock()
		<-me.done
		return me.slot, me.err
	}
	n.taking = true
	for len(n.late) > 0 {
		list, a := n.late, Ask{Gap: n.gap(), After: now.Add(n.lead)}
		n.late = nil
		n.mu.Unlock()
		first, err := take(a, len(list))
		for i, l := range list {
			l.slot, l.err = first.Add(time.Duration(i)*a.Gap), err
			close(l.done)
		}
		n.Told(first.Add(time.Duration(len(list)-1)*a.Gap), err == nil)
		n.mu.Lock()
	}
	n.taking = false
	n.mu.Unlock()
	return me.slot, me.err
}

// Sleep waits, or returns the context's error when that ends first.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

package apply

import "time"

// spacing keeps two messages to one recipient apart, as the pair rate limit of
// WhatsApp asks: one in 6 seconds. Source: Meta, messages/send-messages,
// 2026-09-11. It remembers only those of the last 6 seconds, and of them only a
// hash, since a fast number has a hundred thousand of them: two recipients of
// one hash would at worst wait for each other.
//
// Within one campaign nobody is sent to twice, but for attempts that were not
// taken, so a number with one campaign has nothing to remember.
type spacing struct {
	needed bool
	begin  time.Time // what times are measured from
	last   map[uint64]time.Duration
	order  []spacingSent
}

type spacingSent struct {
	key uint64
	at  time.Duration
}

func newSpacing(now time.Time, campaigns int) spacing {
	return spacing{needed: campaigns > 1, begin: now, last: map[uint64]time.Duration{}}
}

// spacingKey is a hash of a recipient's key (FNV-1a).
func spacingKey(recipient string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(recipient) {
		h = (h ^ uint64(recipient[i])) * 1099511628211
	}
	return h
}

// until is when a recipient may get the next message; zero for now.
func (p *spacing) until(recipient string, now time.Time) time.Time {
	if !p.needed {
		return time.Time{}
	}
	p.forget(now)
	at, ok := p.last[spacingKey(recipient)]
	if !ok {
		return time.Time{}
	}
	return p.begin.Add(at + spacingWait)
}

// sent remembers a send.
func (p *spacing) sent(recipient string, now time.Time) {
	if !p.needed {
		return
	}
	s := spacingSent{spacingKey(recipient), now.Sub(p.begin)}
	p.last[s.key] = s.at
	p.order = append(p.order, s)
}

func (p *spacing) forget(now time.Time) {
	n, old := 0, now.Sub(p.begin)-spacingWait
	for n < len(p.order) && p.order[n].at <= old {
		if s := p.order[n]; p.last[s.key] == s.at {
			delete(p.last, s.key)
		}
		n++
	}
	p.order = p.order[n:]
}

// untaken takes back a send that the provider certainly did not take.
func (p *spacing) untaken(recipient string) { delete(p.last, spacingKey(recipient)) }

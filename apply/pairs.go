package apply

import "time"

// pairs keeps two messages to one recipient apart, as the pair rate limit of
// WhatsApp asks: one in 6 seconds. Source: Meta, messages/send-messages,
// 2026-09-11. It remembers only those of the last 6 seconds.
type pairs struct {
	last  map[string]time.Time
	order []pairSent
}

type pairSent struct {
	key string
	at  time.Time
}

func newPairs() pairs { return pairs{last: map[string]time.Time{}} }

// until is when key may get the next message; zero for now.
func (p *pairs) until(key string, now time.Time) time.Time {
	p.forget(now)
	at, ok := p.last[key]
	if !ok {
		return time.Time{}
	}
	return at.Add(pairWait)
}

// sent remembers a send.
func (p *pairs) sent(key string, now time.Time) {
	p.last[key] = now
	p.order = append(p.order, pairSent{key, now})
}

func (p *pairs) forget(now time.Time) {
	n := 0
	for n < len(p.order) && now.Sub(p.order[n].at) >= pairWait {
		if s := p.order[n]; p.last[s.key].Equal(s.at) {
			delete(p.last, s.key)
		}
		n++
	}
	p.order = p.order[n:]
}

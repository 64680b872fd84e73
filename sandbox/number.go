package sandbox

import (
	"sort"
	"sync"
	"time"

	"github.com/handbill/handbill/delivery"
)

// number is one sending number (or channel) of one provider.
type number struct {
	provider Provider
	id       string // as in the path; for dialog360 derived from the key
	display  string // digits

	mu       sync.Mutex
	arrivals span // every POST
	admitted span // those not throttled
	maxRate  int
	users    map[string]*user
	targets  []WebhookTarget // registered over the wire
	set      bool            // targets were registered over the wire, even to none
	acks     bool            // 1msg ackNotificationsOn
	raw      bool            // 1msg rawHooks
}

type user struct {
	windowEnd time.Time
	credit    float64 // pair rate: messages that may go at once
	creditAt  time.Time
}

// span keeps the times of the last second.
type span struct {
	times []int64
	head  int
}

// trim drops the times that are a second or more before at, and counts the rest.
func (w *span) trim(at int64) int {
	for w.head < len(w.times) && w.times[w.head] <= at-int64(time.Second) {
		w.head++
	}
	if w.head > 256 && w.head > len(w.times)/2 {
		w.times = append(w.times[:0], w.times[w.head:]...)
		w.head = 0
	}
	return len(w.times) - w.head
}

func (w *span) add(at int64) int {
	w.times = append(w.times, at)
	return w.trim(at)
}

// number returns the number, and creates it on its first use.
func (s *Sandbox) number(p Provider, id string) *number {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := string(p) + "/" + id
	if n, ok := s.numbers[key]; ok {
		return n
	}
	n := &number{provider: p, id: id, display: digitsOf(id), users: map[string]*user{}, acks: true}
	if p != Kaleyra || len(n.display) < 7 {
		n.display = "1555" + digits(hashString(s.key, key), 7)
	}
	s.numbers[key] = n
	return n
}

// digits writes the last k decimal digits of v.
func digits(v uint64, k int) string {
	b := make([]byte, k)
	for i := range b {
		b[i] = byte('0' + v%10)
		v /= 10
	}
	return string(b)
}

// arrive counts a POST and reports whether it is within the number's throughput.
func (n *number) arrive(at time.Time, limit int) bool {
	t := at.UnixNano()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.maxRate = max(n.maxRate, n.arrivals.add(t))
	if limit < 0 {
		return true
	}
	if n.admitted.trim(t) >= limit {
		return false
	}
	n.admitted.add(t)
	return true
}

// pairBurst and pairEvery bound messages to one user. Source: Meta,
// about-the-platform, read 2026-09-11.
const (
	pairBurst = 45
	pairEvery = 6 * time.Second
)

// pair uses one message of the pair's credit; false when none is left.
func (n *number) pair(to string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	u := n.user(to)
	if u.creditAt.IsZero() {
		u.credit = pairBurst
	} else {
		u.credit = min(pairBurst, u.credit+float64(now.Sub(u.creditAt))/float64(pairEvery))
	}
	u.creditAt = now
	if u.credit < 1 {
		return false
	}
	u.credit--
	return true
}

func (n *number) user(to string) *user {
	u, ok := n.users[to]
	if !ok {
		u = &user{}
		n.users[to] = u
	}
	return u
}

func (n *number) openWindow(from string, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.user(from).windowEnd = now.Add(delivery.WindowLength)
}

func (n *number) windowOpen(to string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	u, ok := n.users[to]
	return ok && now.Before(u.windowEnd)
}

// OpenWindow lets a number write freely to a user for 24 hours from now, as an
// inbound message would, without sending a webhook. user is a phone number or
// a business-scoped user id.
func (s *Sandbox) OpenWindow(p Provider, numberID, user string) {
	s.number(p, numberID).openWindow(userKey(user), s.opt.Clock())
}

// userKey returns the key of a user: digits, or a business-scoped user id.
func userKey(s string) string {
	if isUserID(s) {
		return s
	}
	return digitsOf(s)
}

func isUserID(s string) bool {
	return len(s) > 3 && s[2] == '.' && s[0] >= 'A' && s[0] <= 'Z'
}

// Rate is what one number received.
type Rate struct {
	Provider Provider `json:"provider"`
	Number   string   `json:"number"`
	Max      int      `json:"max_per_second"` // most POSTs in any one second
}

// Rates returns, for every number, the most POSTs that arrived within any one
// second. It is sorted by provider and number.
func (s *Sandbox) Rates() []Rate {
	s.mu.Lock()
	all := make([]*number, 0, len(s.numbers))
	for _, n := range s.numbers {
		all = append(all, n)
	}
	s.mu.Unlock()
	out := make([]Rate, 0, len(all))
	for _, n := range all {
		n.mu.Lock()
		out = append(out, Rate{Provider: n.provider, Number: n.id, Max: n.maxRate})
		n.mu.Unlock()
	}
	sort.Slice(out, func(i, j int) bool {
		return out[i].Provider+"/"+Provider(out[i].Number) < out[j].Provider+"/"+Provider(out[j].Number)
	})
	return out
}

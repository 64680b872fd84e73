package sandbox

import "time"

// Status is one step of a message on its way.
type Status struct {
	Word string // sent, delivered, read or failed
	At   time.Time
	Code int // with failed: Meta's code
}

// timeline returns all statuses of message n, accepted at second at. It depends
// only on the seed, n, at and forced, so polls and webhooks agree. A forced code
// makes the message fail.
func (s *Sandbox) timeline(n uint32, at time.Time, forced int) []Status {
	m := s.opt.Statuses
	after := func(mean time.Duration, salt uint64) time.Time {
		return at.Add(time.Duration(float64(mean) * (0.5 + roll(s.key, salt, uint64(n)))))
	}
	luck := roll(s.key, 1, uint64(n))
	if forced == 0 && luck >= 1-m.Failed {
		forced = m.FailCodes[int(roll(s.key, 2, uint64(n))*float64(len(m.FailCodes)))]
	}
	if forced != 0 {
		return []Status{{Word: "failed", At: after(m.SentAfter, 3), Code: forced}}
	}
	out := []Status{{Word: "sent", At: after(m.SentAfter, 3)}}
	if luck < m.Delivered {
		out = append(out, Status{Word: "delivered", At: later(out[0].At, after(m.DeliveredAfter, 4))})
	}
	if luck < m.Read && len(out) == 2 {
		out = append(out, Status{Word: "read", At: later(out[1].At, after(m.ReadAfter, 5))})
	}
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// due returns the part of a timeline that has happened by now.
func due(all []Status, now time.Time) []Status {
	for i, st := range all {
		if st.At.After(now) {
			return all[:i]
		}
	}
	return all
}

// History returns the statuses so far of the message with this id; ok is false
// for an id that this network did not issue.
func (s *Sandbox) History(id string) (to string, steps []Status, ok bool) {
	digits, n, at, ok := parseMessageID(s.key, id)
	if !ok || n >= firstInbound {
		return "", nil, false
	}
	forced := 0
	if e, found := s.ledger.entry(n); found && e.at/int64(time.Second) == at.Unix() && digitsOf(e.to) == digits {
		forced = int(e.fails)
	}
	return digits, due(s.timeline(n, at, forced), s.opt.Clock()), true
}

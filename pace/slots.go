// Package pace keeps the pace of one sending number. The pace belongs to the
// number, not to a process: whoever sends through it, an apply or a serve, takes
// its moments from one row of slots, which the state keeps.
//
// A message gets its slot in the transaction that writes its intent (Slots), and
// leaves at that moment (Number.Leave). Slots of one number are a gap apart, so
// whatever number of processes asks, no second has more messages than the
// number's limit. One that cannot leave within slack of its slot, since the disk
// or the machine stalled, takes another one.
//
//	apply ──▶ Number ──Ask──▶ state.Turn: intents and Slots in one commit ──slot──▶ Leave ──▶ provider
//	serve ──▶ Number ──Ask──▶        (the same row)                       ──slot──▶ Leave ──▶ provider
//
// The package reads no clock and no file.
package pace

import (
	"encoding/binary"
	"errors"
	"time"
)

const (
	// slack is how long after its slot a message may leave.
	slack = 10 * time.Millisecond
	// headroom is the share of a limit that is used. With it and slack, any second
	// has at most headroom × (1 s + slack) × limit + 1 messages: never more than
	// the limit, for limits up to 1,000 a second, and within 2 % of it.
	headroom = 0.985
	// grace is how far a slot may lie before the earliest moment at which its message
	// can leave, so that no slot is lost when a commit takes longer than the last
	// ones: half of slack.
	grace = slack / 2
	// ahead is how far a slot may lie after the moment that was asked for. A slot
	// further away is not given: nobody writes an intent so early.
	ahead = 250 * time.Millisecond
)

// Ask is a request for a slot of a number.
type Ask struct {
	// Gap is the time between two messages of the number; 0 for no limit.
	Gap time.Duration
	// After is the earliest moment at which the message can leave, since its intent
	// must be durable first.
	After time.Time
}

// Slots holds which moments of one number are taken: all before Next. The zero
// value has taken none.
type Slots struct {
	Next time.Time
	// At is when Next was written. A clock that reads less later was set back.
	At time.Time
}

// Take takes the next slot for a at now. When that is more than ahead away, ok is
// false, nothing is taken, and slot says when to ask again. Without a limit the
// slot is the zero time, and nothing is taken either.
func (s *Slots) Take(a Ask, now time.Time) (slot time.Time, ok bool) {
	if a.Gap <= 0 {
		return time.Time{}, true
	}
	slot = s.first(a, now)
	if slot.Sub(later(a.After, now)) > ahead {
		return slot, false
	}
	s.Next, s.At = slot.Add(a.Gap), now
	return slot, true
}

// Again takes n slots for messages that missed theirs, however far away the slots
// are, since the intents are durable. It returns the first; the others follow a Gap
// apart.
func (s *Slots) Again(a Ask, now time.Time, n int) time.Time {
	if a.Gap <= 0 {
		return time.Time{}
	}
	slot := s.first(a, now)
	s.Next, s.At = slot.Add(time.Duration(n)*a.Gap), now
	return slot
}

// first returns the first free slot that a can use.
func (s *Slots) first(a Ask, now time.Time) time.Time {
	if putBack(s.At, now) { // slots that were taken by the wrong clock don't count
		s.Next = now
	}
	return later(s.Next, later(a.After, now).Add(-grace))
}

// Hold lets no slot be taken before until: the provider asked for a pause.
func (s *Slots) Hold(until, now time.Time) { s.Next, s.At = later(s.Next, until), now }

// putBack reports whether the clock was set back between before and now. A
// difference of up to a second says nothing: processes read it at different
// moments.
func putBack(before, now time.Time) bool { return now.Add(time.Second).Before(before) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// MarshalBinary returns the 16 bytes that a state keeps: Next and At in
// microseconds since 1970, big-endian.
func (s Slots) MarshalBinary() ([]byte, error) {
	out := binary.BigEndian.AppendUint64(make([]byte, 0, 16), uint64(s.Next.UnixMicro()))
	return binary.BigEndian.AppendUint64(out, uint64(s.At.UnixMicro())), nil
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (s *Slots) UnmarshalBinary(data []byte) error {
	if len(data) != 16 {
		return errors.New("the slots of a number are 16 bytes")
	}
	s.Next = time.UnixMicro(int64(binary.BigEndian.Uint64(data)))
	s.At = time.UnixMicro(int64(binary.BigEndian.Uint64(data[8:])))
	return nil
}

package memstate

import (
	"context"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/state"
)

// Slots implements state.Store.
func (s *Store) Slots(ctx context.Context, number string, a pace.Ask, many int) (first time.Time, err error) {
	err = s.write(ctx, func() error {
		n := s.slots[number]
		first = n.Again(a, s.opt.Clock(), many)
		setKey(s, s.slots, number, n)
		return nil
	})
	return first, err
}

// slot gives an intent its time to leave, or a gate that says when to ask again.
func (s *Store) slot(number string, in *state.Intent) (leave time.Time, v state.Verdict) {
	n := s.slots[number]
	leave, ok := n.Take(in.Pace, s.opt.Clock())
	if !ok {
		return time.Time{}, state.Verdict{Gate: delivery.GatePace, Until: leave}
	}
	setKey(s, s.slots, number, n)
	return leave, state.Verdict{}
}

// hold makes sure that an outcome's number gets no slot before the time that the
// provider asked to wait for.
func (s *Store) hold(o *state.Outcome) {
	if !o.Hold.IsZero() && o.Number != "" {
		n := s.slots[o.Number]
		n.Hold(o.Hold, s.opt.Clock())
		setKey(s, s.slots, o.Number, n)
	}
}

// spaced holds back a message that would come too soon after another one to the same
// person.
func (s *Store) spaced(in *state.Intent) (delivery.Gate, int64) {
	last := int64(0)
	for _, a := range s.toEither(in) {
		if a.run >= 0 && a.send() != state.Pending {
			last = max(last, a.intended)
		}
	}
	return delivery.Spaced(last, s.now, in.Spacing)
}

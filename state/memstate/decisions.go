package memstate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state"
)

// Resolve implements state.Store.
func (s *Store) Resolve(ctx context.Context, key state.Key, as state.Send, _, _ string) error {
	return s.write(ctx, func() error {
		s.fold(len(s.inbox))
		a, _ := s.last(key)
		switch {
		case a == nil:
			return state.ErrUnknown
		case a.send() != state.InDoubt:
			return fmt.Errorf("it is %s: %w", a.send(), state.ErrSettled)
		}
		if err := delivery.Transition(state.InDoubt, as, state.ProofOperator); err != nil {
			return err
		}
		o := *a.out
		o.send, o.proof, o.settled = as, state.ProofOperator, s.now
		s.put(a, &o)
		s.decided()
		return nil
	})
}

// Move implements state.Store.
func (s *Store) Move(ctx context.Context, from, to string) error {
	return s.write(ctx, func() error {
		at := slices.IndexFunc(s.resources, func(r state.Resource) bool { return r.Address == from })
		used := func(address string) bool {
			return slices.ContainsFunc(s.attempts, func(a *attempt) bool { return a != nil && (a.key.Campaign == address || a.message == address) }) ||
				slices.ContainsFunc(s.links, func(l *link) bool { return l.link == address && s.sent(l) })
		}
		switch {
		case at < 0 && !used(from):
			return state.ErrUnknown
		case used(from) && used(to):
			return fmt.Errorf("there are deliveries of %s already", to)
		}
		if at >= 0 && slices.ContainsFunc(s.resources, func(r state.Resource) bool { return r.Address == to }) {
			return fmt.Errorf("there is a %s already", to)
		}
		for _, a := range s.attempts {
			if a != nil && a.key.Campaign == from {
				key := a.key
				key.Campaign = to
				set(s, &a.key, key)
			}
			if a != nil && a.message == from {
				set(s, &a.message, to)
			}
		}
		for _, l := range s.links {
			if l.link == from {
				set(s, &l.link, to)
			}
		}
		if at >= 0 {
			list := slices.Clone(s.resources)
			list[at].Address, list[at].Name = to, to[strings.LastIndexByte(to, '.')+1:]
			set(s, &s.resources, list)
		}
		s.readdress(from, to)
		s.decided()
		return nil
	})
}

// readdress renames a campaign in runs and halts, or drops it if to is "".
func (s *Store) readdress(from, to string) {
	runs := slices.Clone(s.runs)
	for i := range runs {
		list := slices.Clone(runs[i].Campaigns)
		for j := range list {
			if list[j].Campaign == from {
				list[j].Campaign = to
			}
		}
		runs[i].Campaigns = slices.DeleteFunc(list, func(c state.CampaignRun) bool { return c.Campaign == "" })
	}
	set(s, &s.runs, runs)
	s.changeHalts(func(list []state.Halt) []state.Halt {
		for i := range list {
			if list[i].Campaign == from {
				list[i].Campaign = to
			}
		}
		return slices.DeleteFunc(list, func(h state.Halt) bool { return h.Campaign == "" })
	})
}

// removeAttempts removes the attempts that match; it is an error if one is open.
func (s *Store) removeAttempts(match func(*attempt) bool) (n int, err error) {
	for i, a := range s.attempts {
		if a == nil || !match(a) {
			continue
		}
		if a.out == nil {
			return 0, errors.New("something of it is being sent")
		}
		set(s, &s.attempts[i], nil)
		n++
	}
	return n, nil
}

// Remove implements state.Store.
func (s *Store) Remove(ctx context.Context, address string) (n int, err error) {
	err = s.write(ctx, func() error {
		known := len(s.resources)
		set(s, &s.resources, slices.DeleteFunc(slices.Clone(s.resources), func(r state.Resource) bool { return r.Address == address }))
		if n, err = s.removeAttempts(func(a *attempt) bool { return a.key.Campaign == address }); err != nil {
			return err
		}
		if n == 0 && known == len(s.resources) {
			return state.ErrUnknown
		}
		s.readdress(address, "")
		s.decided()
		return nil
	})
	if err != nil {
		n = 0
	}
	return n, err
}

// Import implements state.Store.
func (s *Store) Import(ctx context.Context, ds iter.Seq2[state.Delivery, error]) (added int, err error) {
	for d, err := range ds {
		if err != nil {
			return added, err
		}
		if err := s.write(ctx, func() error {
			if known, _ := s.last(d.Key); known != nil {
				return nil
			}
			at := state.Millis(d.Settled)
			if at == 0 {
				at = s.now
			}
			a := &attempt{id: int64(len(s.attempts) + 1), key: d.Key, number: 1, run: -1, intended: at, message: d.Message, digest: d.Digest, ref: d.Ref,
				out: &outcome{send: state.Accepted, proof: state.ProofOperator, settled: at, cause: "import", id: d.ID}}
			set(s, &s.attempts, append(s.attempts, a))
			s.adopt(d.ID)
			added++
			return nil
		}); err != nil {
			return added, err
		}
	}
	return added, s.write(ctx, func() error { s.decided(); return nil })
}

// Prune implements state.Store.
func (s *Store) Prune(ctx context.Context, before time.Time) (n int, err error) {
	err = s.write(ctx, func() error {
		events := min(state.Millis(before), s.now-keepSeen.Milliseconds())
		for i, in := range s.inbound {
			if in != nil && in.answered && in.received < events {
				set(s, &s.inbound[i], nil)
				n++
			}
		}
		n += keep(s, &s.notices, func(v state.Notice) bool { return state.Millis(v.At) >= state.Millis(before) })
		n += keep(s, &s.orphans, func(o orphan) bool { return o.received >= events })
		for key, at := range s.seen {
			if at < events {
				dropKey(s, s.seen, key)
				n++
			}
		}
		newest := map[string]int{}
		for _, a := range s.attempts {
			if a != nil {
				newest[a.key.Campaign] = max(newest[a.key.Campaign], a.key.Revision)
			}
		}
		gone, err := s.removeAttempts(func(a *attempt) bool {
			return a.run != 0 && a.key.Revision < newest[a.key.Campaign] && a.intended < events
		})
		n += gone
		return err
	})
	return n, err
}

// keep drops what the function keep rejects, and returns how many.
func keep[T any](s *Store, list *[]T, keep func(T) bool) int {
	left := slices.DeleteFunc(slices.Clone(*list), func(v T) bool { return !keep(v) })
	n := len(*list) - len(left)
	set(s, list, left)
	return n
}

// Acknowledge implements state.Store.
func (s *Store) Acknowledge(ctx context.Context, _, _ string) error {
	return s.write(ctx, func() error { s.decided(); return nil })
}

// AcknowledgeClock implements state.Store.
func (s *Store) AcknowledgeClock(ctx context.Context, _, _ string) error {
	return s.write(ctx, func() error {
		s.decided()
		set(s, &s.latest, s.now)
		return nil
	})
}

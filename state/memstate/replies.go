package memstate

import (
	"context"
	"slices"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// open reports whether an inbound event waits for an answer at a number.
func (in *inbound) open(number string) bool {
	return in != nil && !in.answered && in.provider == number
}

// Unanswered implements state.Store.
func (s *Store) Unanswered(ctx context.Context) (numbers []string, err error) {
	err = s.read(ctx, func() error {
		for _, in := range s.inbound {
			if in != nil && in.open(in.provider) {
				numbers = append(numbers, in.provider)
			}
		}
		slices.Sort(numbers)
		numbers = slices.Compact(numbers)
		return nil
	})
	return numbers, err
}

// Claim implements state.Store.
func (s *Store) Claim(ctx context.Context, lane state.Lane, after int64, n int) (refs []state.InboundRef, upto int64, err error) {
	upto = after
	err = s.read(ctx, func() error {
		if err := s.fence(lane); err != nil {
			return err
		}
		for i, in := range s.inbound {
			seq := int64(i + 1)
			if seq <= after || !in.open(lane.Number) {
				continue
			}
			if n--; n < 0 {
				break
			}
			upto = seq
			who, _ := s.writer(in)
			if first := s.oldest(lane.Number, who); first.Seq == seq || first.Seq == 0 {
				refs = append(refs, state.InboundRef{Seq: seq, Provider: lane.Number, Recipient: who})
			}
		}
		return nil
	})
	return refs, upto, err
}

// ClaimNext implements state.Store.
func (s *Store) ClaimNext(ctx context.Context, lane state.Lane, recipient string) (ref state.InboundRef, ok bool, err error) {
	err = s.read(ctx, func() error {
		if err := s.fence(lane); err != nil {
			return err
		}
		ref = s.oldest(lane.Number, recipient)
		return nil
	})
	return ref, ref.Seq != 0, err
}

// oldest returns a person's oldest open event at a number; zero for none. It checks
// the writer: the person's phone number may have belonged to somebody else then.
func (s *Store) oldest(number, recipient string) state.InboundRef {
	ids, p := s.everyID(recipient), s.person(recipient)
	now := message.Canonical(s.shown(&p, recipient))
	for i, in := range s.inbound {
		if !in.open(number) || !ids[message.Canonical(in.recipient)] {
			continue
		}
		who, _ := s.writer(in)
		if w := message.Canonical(who); w == message.Canonical(recipient) || w == now {
			return state.InboundRef{Seq: int64(i + 1), Provider: number, Recipient: who}
		}
	}
	return state.InboundRef{}
}

// Inbound implements state.Store.
func (s *Store) Inbound(ctx context.Context, seq int64) (ev state.InboundEvent, ok bool, err error) {
	err = s.read(ctx, func() error {
		if seq < 1 || seq > int64(len(s.inbound)) || s.inbound[seq-1] == nil {
			return nil
		}
		in := s.inbound[seq-1]
		ok = true
		ev = state.InboundEvent{Seq: seq, Provider: in.provider, Received: state.Moment(in.received), Recipient: in.recipient, First: in.first, Event: in.event, Stopped: in.stopped}
		if who, same := s.writer(in); !same {
			ev.Recipient = who
		}
		if in.about != nil && s.attempts[in.about.id-1] != nil {
			ev.Campaign, ev.Message = in.about.key.Campaign, in.about.message
		}
		return nil
	})
	return ev, ok, err
}

// Answered implements state.Store.
func (s *Store) Answered(ctx context.Context, lane state.Lane, seqs ...int64) error {
	return s.write(ctx, func() error {
		if err := s.fence(lane); err != nil {
			return err
		}
		for _, seq := range seqs {
			if seq > 0 && seq <= int64(len(s.inbound)) && s.inbound[seq-1] != nil {
				set(s, &s.inbound[seq-1].answered, true)
			}
		}
		return nil
	})
}

// RepliedBy implements state.Store.
func (s *Store) RepliedBy(ctx context.Context, recipient string, seq int64) (rules []string, err error) {
	err = s.read(ctx, func() error {
		for _, a := range s.attempts {
			if a != nil && a.run == 0 && a.key.Revision == int(seq) && message.Canonical(a.key.Recipient) == message.Canonical(recipient) {
				rules = append(rules, a.key.Campaign)
			}
		}
		return nil
	})
	return rules, err
}

// Exchanges implements state.Store.
func (s *Store) Exchanges(ctx context.Context, recipient string, seq int64, since time.Time, n int) (out []state.Exchange, err error) {
	err = s.read(ctx, func() error {
		for _, a := range s.of(recipient) {
			if a.run != 0 || a.intended <= state.Millis(since) || a.key.Revision == int(seq) || !a.send().MayHaveReached() || len(out) == n {
				continue
			}
			e := state.Exchange{Answered: state.Moment(a.intended)}
			if i := a.key.Revision - 1; i >= 0 && i < len(s.inbound) && s.inbound[i] != nil {
				e.Asked = state.Moment(s.inbound[i].received)
			}
			out = append(out, e)
		}
		return nil
	})
	return out, err
}

// LastReply implements state.Store.
func (s *Store) LastReply(ctx context.Context, rule, recipient string) (at time.Time, err error) {
	err = s.read(ctx, func() error {
		i := slices.IndexFunc(s.of(recipient), func(a *attempt) bool { return a.key.Campaign == rule && a.send().MayHaveReached() })
		if i >= 0 {
			at = state.Moment(s.of(recipient)[i].intended)
		}
		return nil
	})
	return at, err
}

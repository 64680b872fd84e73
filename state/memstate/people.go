package memstate

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// Person implements state.Store.
func (s *Store) Person(ctx context.Context, number, recipient string) (out state.Person, err error) {
	err = s.read(ctx, func() error {
		p := s.person(recipient)
		out = state.PersonOf(recipient, &p.Known)
		out.WindowEnds = state.Moment(p.WindowAt(number).Ends())
		if s.erased[idOf(recipient)] {
			out.OptedOut, out.OptOut = true, "erased"
		}
		return nil
	})
	return out, err
}

// SetAttributes implements state.Store.
func (s *Store) SetAttributes(ctx context.Context, recipient string, values map[string]string) error {
	return s.decide(ctx, recipient, func(k *delivery.Known, f *delivery.Facts) {
		f.Decide(k.With(values), k.Handover, s.now)
	})
}

// Handover implements state.Store.
func (s *Store) Handover(ctx context.Context, recipient string, on bool) error {
	return s.decide(ctx, recipient, func(k *delivery.Known, f *delivery.Facts) { f.Decide(k.Attributes, on, s.now) })
}

// OptOut implements state.Store.
func (s *Store) OptOut(ctx context.Context, recipient, reason, evidence string) error {
	return s.choose(ctx, recipient, delivery.Opt{Choice: delivery.OptedOut, Reason: reason, Evidence: evidence})
}

// OptIn implements state.Store.
func (s *Store) OptIn(ctx context.Context, recipient, evidence string) error {
	return s.choose(ctx, recipient, delivery.Opt{Choice: delivery.OptedIn, Reason: "opt_in", Evidence: evidence})
}

func (s *Store) choose(ctx context.Context, recipient string, o delivery.Opt) error {
	return s.decide(ctx, recipient, func(k *delivery.Known, f *delivery.Facts) { f.Say(k.Choose(o, s.now)) })
}

// OptOuts implements state.Store.
func (s *Store) OptOuts(ctx context.Context) iter.Seq2[state.OptOutEntry, error] {
	var out []state.OptOutEntry
	err := s.read(ctx, func() error {
		for _, p := range s.everybody() {
			if p.Opt.Choice != delivery.OptedOut {
				continue
			}
			for _, t := range p.Ties {
				who := string(t.ID)
				if len(p.Ties) == 1 {
					who = p.recipient
				}
				out = append(out, state.OptOutEntry{Recipient: who, Reason: p.Opt.Reason, Evidence: p.Opt.Evidence, At: state.Moment(p.Opt.At)})
			}
		}
		return nil
	})
	return state.Listed(out, err)
}

// Erase implements state.Store.
func (s *Store) Erase(ctx context.Context, recipient string) error {
	return s.write(ctx, func() error {
		s.fold(len(s.inbox)) // waiting bodies may be about the person
		s.erase(recipient)
		return nil
	})
}

func (s *Store) erase(recipient string) {
	keys, id := []string{recipient}, idOf(recipient)
	if c := s.circles[id]; c != nil {
		left, theirs := c.Without(id)
		for _, id := range c.IDs() {
			dropKey(s, s.circles, id)
		}
		s.keep(left)
		for _, t := range theirs {
			if t != id {
				keys = append(keys, string(t))
			}
		}
	}
	for _, key := range keys {
		s.eraseID(key)
	}
}

func (s *Store) eraseID(recipient string) {
	who := message.Canonical(recipient)
	theirs := func(r string) bool { return message.Canonical(r) == who }
	dropKey(s, s.spelled, idOf(who))
	for i, in := range s.inbound {
		if in != nil && theirs(in.recipient) {
			set(s, &s.inbound[i], nil)
		}
	}
	name := fmt.Sprint(state.ErasedPrefix, len(s.erased)+1)
	for _, a := range s.of(recipient) {
		key := a.key
		key.Recipient = name
		set(s, &a.key, key)
		set(s, &a.digest, [16]byte{})
		set(s, &a.choice.Attributes, "")
		for _, l := range s.links {
			if l.attempt == a {
				set(s, &l.token, "")
			}
		}
		if a.out != nil {
			o := *a.out
			o.id = "" // WhatsApp's ids hold the phone number
			set(s, &a.out, &o)
		}
	}
	// Events that are kept in the provider's format may name the person in any spelling.
	for _, spelling := range []string{recipient, message.OtherSpelling(recipient)} {
		needle := []byte(strings.TrimPrefix(spelling, "+"))
		if len(needle) == 0 {
			continue
		}
		set(s, &s.orphans, slices.DeleteFunc(slices.Clone(s.orphans), func(o orphan) bool { return bytes.Contains([]byte(o.text), needle) }))
		set(s, &s.notices, slices.DeleteFunc(slices.Clone(s.notices), func(n state.Notice) bool { return bytes.Contains(n.Raw, needle) }))
	}
	if !s.erased[idOf(who)] {
		setKey(s, s.erased, idOf(who), true)
		s.decided()
	}
}

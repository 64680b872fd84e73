package memstate

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// person is never changed: another one takes its place.
type person struct {
	recipient   string                     // as it was spelled first
	windows     map[string]delivery.Window // by sending number
	lastInbound int64
	shut        int64 // when all windows were found closed
	username    string
	usernameAt  int64
	opt         delivery.Opt
	cooldown    int64
	profile     string
	profileAt   int64
	attributes  map[string]string
	handover    bool
}

// erasedPrefix begins the name that takes the place of an erased recipient's.
const erasedPrefix = "erased:"

func isErased(recipient string) bool { return strings.HasPrefix(recipient, erasedPrefix) }

// known is what is known of a person.
func (s *Store) known(recipient string) person {
	if p := s.people[s.place(recipient)]; p != nil {
		return *p
	}
	return person{recipient: recipient}
}

// change changes what is known of a person.
func (s *Store) change(recipient string, change func(*person)) {
	s.changeAt(s.place(recipient), recipient, change)
}

// changeAt is change by the key of people; recipient is for a new person.
func (s *Store) changeAt(key, recipient string, change func(*person)) {
	p := person{recipient: recipient}
	if known := s.people[key]; known != nil {
		p = *known
	}
	change(&p)
	setKey(s, s.people, key, &p)
}

// tell changes what is known of the person behind an address, unless erased.
func (s *Store) tell(a message.Address, change func(*person)) {
	if a.Key() != "" && !s.erased[message.Canonical(a.Key())] {
		s.change(a.Key(), change)
	}
}

func (p *person) export(recipient string) state.Person {
	out := state.Person{Recipient: recipient, LastInbound: moment(p.lastInbound), Shut: moment(p.shut), Username: p.username,
		OptedOut: p.opt.Choice == delivery.OptedOut, Cooldown: moment(p.cooldown), ProfileName: p.profile, Attributes: maps.Clone(p.attributes), Handover: p.handover}
	if out.OptedOut {
		out.OptOut, out.OptOutAt = p.opt.Reason, moment(p.opt.At)
	}
	return out
}

// Person implements state.Store.
func (s *Store) Person(ctx context.Context, number, recipient string) (out state.Person, err error) {
	err = s.read(ctx, func() error {
		p := s.known(recipient)
		out = p.export(recipient)
		w := p.window(number)
		out.WindowEnds = moment(w.Ends())
		if s.erased[message.Canonical(recipient)] {
			out.OptedOut, out.OptOut = true, "erased"
		}
		return nil
	})
	return out, err
}

func (s *Store) decide(ctx context.Context, recipient string, change func(*person)) error {
	return s.write(ctx, func() error {
		s.tell(addressOf(recipient), change)
		return nil
	})
}

// SetAttributes implements state.Store.
func (s *Store) SetAttributes(ctx context.Context, recipient string, values map[string]string) error {
	return s.decide(ctx, recipient, func(p *person) {
		all := map[string]string{}
		maps.Copy(all, p.attributes)
		maps.Copy(all, values)
		maps.DeleteFunc(all, func(_, v string) bool { return v == "" })
		if p.attributes = all; len(all) == 0 {
			p.attributes = nil
		}
	})
}

// Handover implements state.Store.
func (s *Store) Handover(ctx context.Context, recipient string, on bool) error {
	return s.decide(ctx, recipient, func(p *person) { p.handover = on })
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
	return s.decide(ctx, recipient, func(p *person) {
		o.At = max(s.now, p.opt.At+1) // it holds, even when a provider's clock is ahead
		p.opt = p.opt.Join(o)
	})
}

// sorted are all people, by the way they were spelled first.
func (s *Store) sorted() []person {
	var out []person
	shown := map[string]string{}
	for _, person := range s.who.Persons() {
		ids, _ := s.who.Of(person)
		shown[placeOf(person)] = s.keys[delivery.Display(ids).ID-1]
	}
	for place, p := range s.people {
		one := *p
		one.recipient = cmp.Or(shown[place], one.recipient)
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b person) int { return cmp.Compare(a.recipient, b.recipient) })
	return out
}

// OptOuts implements state.Store.
func (s *Store) OptOuts(ctx context.Context) iter.Seq2[state.OptOutEntry, error] {
	var out []state.OptOutEntry
	err := s.read(ctx, func() error {
		for _, p := range s.sorted() {
			if p.opt.Choice != delivery.OptedOut {
				continue
			}
			for _, id := range s.held(p.recipient) {
				out = append(out, state.OptOutEntry{Recipient: id, Reason: p.opt.Reason, Evidence: p.opt.Evidence, At: moment(p.opt.At)})
			}
		}
		return nil
	})
	return all(out, err)
}

// all yields what was found, or the error.
func all[T any](list []T, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// Erase implements state.Store.
func (s *Store) Erase(ctx context.Context, recipient string) error {
	return s.write(ctx, func() error {
		s.fold(len(s.inbox)) // what is in there may be about the person
		s.erase(recipient)
		return nil
	})
}

func (s *Store) erase(recipient string) {
	keys := []string{recipient}
	if person := s.who.Person(s.id(recipient)); person != 0 {
		ids, _ := s.who.Of(person)
		for _, t := range ids {
			if key := s.keys[t.ID.ID-1]; key != message.Canonical(recipient) {
				keys = append(keys, key)
			}
		}
		set(s, &s.who, s.who.Without(person))
		dropKey(s, s.people, placeOf(person))
	}
	for _, key := range keys {
		s.eraseID(key)
	}
}

func (s *Store) eraseID(recipient string) {
	who := message.Canonical(recipient)
	theirs := func(r string) bool { return message.Canonical(r) == who }
	dropKey(s, s.people, who)
	for i, in := range s.inbound {
		if in != nil && theirs(in.recipient) {
			set(s, &s.inbound[i], nil)
		}
	}
	name := fmt.Sprint(erasedPrefix, len(s.erased)+1)
	for _, a := range s.of(recipient) {
		key := a.key
		key.Recipient = name
		set(s, &a.key, key)
		set(s, &a.digest, [16]byte{})
		if a.out != nil {
			o := *a.out
			o.id = "" // WhatsApp's ids hold the phone number
			set(s, &a.out, &o)
		}
	}
	// Events that are kept as they came name people in their own ways.
	for _, spelling := range []string{recipient, message.OtherSpelling(recipient)} {
		needle := []byte(strings.TrimPrefix(spelling, "+"))
		if len(needle) == 0 {
			continue
		}
		set(s, &s.orphans, slices.DeleteFunc(slices.Clone(s.orphans), func(o orphan) bool { return bytes.Contains([]byte(o.text), needle) }))
		set(s, &s.notices, slices.DeleteFunc(slices.Clone(s.notices), func(n state.Notice) bool { return bytes.Contains(n.Raw, needle) }))
	}
	if !s.erased[who] {
		setKey(s, s.erased, who, true)
		s.decided()
	}
}

package memstate

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// number is the integer of a recipient's key, or of an address.
func (s *Store) number(key string) int64 {
	n, known := s.numbers[key]
	if !known {
		s.keys = append(s.keys, key)
		n = int64(len(s.keys))
		s.numbers[key] = n
	}
	return n
}

func (s *Store) id(key string) delivery.ID {
	return delivery.ID{ID: s.number(message.Canonical(key)), Kind: delivery.KindOf(key)}
}

// place is the key under which a person is known: in either spelling of the
// number, and under every id of theirs.
func (s *Store) place(recipient string) string {
	if person := s.who.Person(s.id(recipient)); person != 0 {
		return placeOf(person)
	}
	return message.Canonical(recipient)
}

func placeOf(person int64) string { return fmt.Sprint("person ", person) }

// everyID are all ids under which a person was sent to or wrote, canonical.
func (s *Store) everyID(recipient string) map[string]bool {
	out := map[string]bool{message.Canonical(recipient): true}
	if person := s.who.Person(s.id(recipient)); person != 0 {
		ids, former := s.who.Of(person)
		for _, t := range append(ids, former...) {
			out[s.keys[t.ID.ID-1]] = true
		}
	}
	return out
}

// held are the ids of a person; the recipient alone where there is no other.
func (s *Store) held(recipient string) (out []string) {
	person := s.who.Person(s.id(recipient))
	if person == 0 {
		return []string{recipient}
	}
	ids, _ := s.who.Of(person)
	for _, t := range ids {
		out = append(out, s.keys[t.ID.ID-1])
	}
	slices.Sort(out)
	return out
}

// shown is the recipient as which a person is shown.
func (s *Store) shown(recipient string) string {
	if person := s.who.Person(s.id(recipient)); person != 0 {
		ids, _ := s.who.Of(person)
		return s.keys[delivery.Display(ids).ID-1]
	}
	return recipient
}

func keysOf(a message.Address, parent string) []string {
	return slices.DeleteFunc([]string{a.Phone, a.UserID, parent}, func(k string) bool { return k == "" })
}

// see takes in what an event says about who is who, and returns whom it is
// about; "" where it names nobody, or somebody who was erased.
func (s *Store) see(provider string, received int64, ev *message.Event) (who string) {
	now, old := keysOf(ev.From, ev.Parent), []string(nil)
	if ev.Kind == message.EventIdentity {
		now, old = keysOf(ev.NewAddress, ev.NewParent), now
	}
	all := append(slices.Clone(old), now...)
	if slices.ContainsFunc(all, func(k string) bool { return s.erased[message.Canonical(k)] }) {
		for _, key := range all { // who was erased stays erased, under every id
			if !s.erased[message.Canonical(key)] {
				s.erase(key)
			}
		}
		return ""
	}
	if len(all) == 0 {
		return ""
	}
	sighting := delivery.Sighting{At: delivery.EventTime(ev, received), Number: s.number(provider)}
	for _, key := range now {
		sighting.IDs = append(sighting.IDs, s.id(key))
	}
	for _, key := range old {
		sighting.Old = append(sighting.Old, s.id(key))
	}
	before := s.who
	after, c := s.who.See(sighting)
	set(s, &s.who, after)
	s.tie(&c, before)
	if slices.Contains(c.Earlier, s.id(all[0])) && len(all) > 1 {
		return all[1] // the number is somebody else's by now
	}
	return all[0]
}

// tie joins what is known of those who turn out to be one.
func (s *Store) tie(c *delivery.Change, before delivery.Registry) {
	for _, t := range c.Parted {
		s.pass(placeOf(t.Person), placeOf(c.Person))
	}
	for _, t := range c.Ties {
		if before.Person(t.ID) == 0 {
			s.absorb(s.keys[t.ID.ID-1], placeOf(c.Person))
		}
	}
	for _, id := range c.Earlier {
		s.late = append(s.late, [2]string{placeOf(c.Person), placeOf(before.Person(id))})
	}
	for _, from := range c.Strict {
		s.pass(placeOf(from), placeOf(c.Person))
	}
	for _, from := range c.Merged {
		s.absorb(placeOf(from), placeOf(c.Person))
	}
}

// pass gives what forbids of one person to another with the same number.
func (s *Store) pass(from, to string) {
	if p := s.people[from]; p != nil {
		s.changeAt(to, "", func(o *person) {
			o.opt = o.opt.Stricter(p.opt.Passed())
			o.cooldown, o.shut = max(o.cooldown, p.cooldown), max(o.shut, p.shut)
		})
	}
}

// absorb joins what is known under one key into another's.
func (s *Store) absorb(from, into string) {
	o := s.people[from]
	if o == nil {
		return
	}
	dropKey(s, s.people, from)
	s.changeAt(into, o.recipient, func(p *person) {
		p.opt = p.opt.Stricter(o.opt)
		p.cooldown, p.lastInbound, p.shut = max(p.cooldown, o.cooldown), max(p.lastInbound, o.lastInbound), max(p.shut, o.shut)
		p.handover = p.handover || o.handover
		if o.profileAt > p.profileAt || o.profileAt == p.profileAt && o.profile < p.profile {
			p.profile, p.profileAt = o.profile, o.profileAt
		}
		if o.usernameAt > p.usernameAt {
			p.username, p.usernameAt = o.username, o.usernameAt
		}
		mine := p.attributes
		p.attributes = maps.Clone(o.attributes)
		if p.attributes == nil {
			p.attributes = mine
		} else {
			maps.Copy(p.attributes, mine)
		}
		for number, w := range o.windows {
			p.join(number, w)
		}
	})
}

// join adds what is told of a window.
func (p *person) join(number string, w delivery.Window) {
	p.windows = maps.Clone(p.windows)
	if p.windows == nil {
		p.windows = map[string]delivery.Window{}
	}
	p.windows[number] = p.windows[number].Join(w)
}

// shutAt notes that a window was found closed: at a number, or at all.
func (p *person) shutAt(number string, at int64) {
	if number == "" {
		p.shut = max(p.shut, at)
		return
	}
	p.join(number, delivery.Window{Shut: at})
}

// window is what is known of the window at a sending number.
func (p *person) window(number string) delivery.Window {
	return p.windows[number].Join(delivery.Window{Shut: p.shut})
}

func (s *snapshot) Ties(ctx context.Context) iter.Seq2[state.Tie, error] {
	return all(s.ties, s.ready(ctx))
}

func (s *snapshot) Windows(ctx context.Context, number string) iter.Seq2[state.PersonWindow, error] {
	list := slices.DeleteFunc(slices.Clone(s.windows), func(w state.PersonWindow) bool { return w.Number != number })
	return all(list, s.ready(ctx))
}

// listTies are the ids of everybody who has several.
func (s *Store) listTies() (out []state.Tie) {
	for _, person := range s.who.Persons() {
		ids, former := s.who.Of(person)
		shown := ""
		if len(ids) > 0 {
			shown = s.keys[delivery.Display(ids).ID-1]
		}
		for i, t := range append(ids, former...) {
			out = append(out, state.Tie{Recipient: s.keys[t.ID.ID-1], Person: shown, Since: moment(t.Since), Seen: moment(t.Seen), Left: moment(t.Left), Former: i >= len(ids)})
		}
	}
	return out
}

package memstate

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// circle is immutable: a change replaces it.
type circle struct {
	delivery.Circle
	people []delivery.Person
}

func idOf(key string) delivery.ID { return delivery.ID(message.Canonical(key)) }

func idsOf(keys ...string) (out []delivery.ID) {
	for _, key := range keys {
		if key != "" {
			out = append(out, idOf(key))
		}
	}
	return out
}

// person returns the person who has an id.
func (s *Store) person(recipient string) delivery.Person {
	id := idOf(recipient)
	if c := s.circles[id]; c != nil {
		return delivery.Find(c.people, id)
	}
	return delivery.Find(nil, id)
}

// everyID returns all ids of a person, current and former, in canonical spelling.
func (s *Store) everyID(recipient string) map[string]bool {
	out := map[string]bool{message.Canonical(recipient): true}
	p := s.person(recipient)
	for _, t := range slices.Concat(p.Ties, p.Former) {
		out[string(t.ID)] = true
	}
	return out
}

// shown returns the recipient by which a person is shown. A person with only one
// known id is shown as it was spelled first.
func (s *Store) shown(p *delivery.Person, recipient string) string {
	id := p.Ties[0].ID
	if c := s.circles[id]; c != nil {
		if _, lone := c.Lone(); !lone {
			return string(delivery.Display(p.Ties))
		}
	}
	return cmp.Or(recipient, s.spelled[id], string(id))
}

// gather returns one circle with all that is known of these ids.
func (s *Store) gather(ids ...delivery.ID) (one delivery.Circle) {
	var joined []*circle
	for _, id := range ids {
		if c := s.circles[id]; c != nil && !slices.Contains(joined, c) {
			joined = append(joined, c)
			one.Join(&c.Circle)
		}
	}
	return one
}

func (s *Store) keep(c delivery.Circle) {
	now := &circle{c, c.People()}
	for _, id := range c.IDs() {
		setKey(s, s.circles, id, now)
	}
}

// tell records facts about the person behind an id.
func (s *Store) tell(recipient string, change func(*delivery.Facts)) {
	id := idOf(recipient)
	if s.spelled[id] == "" {
		setKey(s, s.spelled, id, recipient)
	}
	c := s.gather(id)
	c.Tell(id, change)
	s.keep(c)
}

// decide records a decision about a person, under every id that is theirs.
func (s *Store) decide(ctx context.Context, recipient string, change func(known *delivery.Known, f *delivery.Facts)) error {
	return s.write(ctx, func() error {
		if s.erased[idOf(recipient)] {
			return nil
		}
		p := s.person(recipient)
		for _, t := range p.Ties {
			known := p.Known
			spelled := string(t.ID)
			if len(p.Ties) == 1 {
				spelled = recipient
			}
			s.tell(spelled, func(f *delivery.Facts) { change(&known, f) })
		}
		return nil
	})
}

// see records what an event says about who is who. It reports whether the event
// names somebody, and nobody who was erased.
func (s *Store) see(provider string, received int64, ev *message.Event) bool {
	now, old := delivery.Names(ev)
	return s.together(provider, delivery.EventTime(ev, received), idsOf(now...), idsOf(old...))
}

// together records that at a moment, according to events of a sending number, the
// ids now were one person's and had replaced the ids old. It reports the same as see.
func (s *Store) together(number string, at int64, now, old []delivery.ID) bool {
	all := slices.Concat(old, now)
	if slices.ContainsFunc(all, func(id delivery.ID) bool { return s.erased[id] }) {
		for _, id := range all { // who was erased stays erased, under every id
			if !s.erased[id] {
				s.erase(string(id))
			}
		}
		return false
	}
	if len(slices.Compact(slices.Clone(all))) > 1 {
		c := s.gather(all...)
		if c.See(delivery.Sighting{At: at, Number: number, IDs: now, Old: old}) {
			s.keep(c)
		}
	}
	return len(all) > 0
}

// writer returns who wrote a message, even if the number is somebody else's by now;
// same is false then.
func (s *Store) writer(in *inbound) (shown string, same bool) {
	id, now := idOf(in.recipient), s.person(in.recipient)
	if c := s.circles[id]; c != nil {
		p := delivery.Writer(c.people, id, delivery.EventTime(&in.event, in.received))
		return s.shown(p, in.recipient), p.Has(id)
	}
	return s.shown(&now, in.recipient), true
}

func (s *snapshot) Ties(ctx context.Context) iter.Seq2[state.Tie, error] {
	return state.Listed(s.ties, s.ready(ctx))
}

func (s *snapshot) Windows(ctx context.Context, number string) iter.Seq2[state.PersonWindow, error] {
	list := slices.DeleteFunc(slices.Clone(s.windows), func(w state.PersonWindow) bool { return w.Number != number })
	return state.Listed(list, s.ready(ctx))
}

// everybody returns all people, sorted by how they are shown.
func (s *Store) everybody() (out []shownPerson) {
	done := map[*circle]bool{}
	for _, c := range s.circles {
		if done[c] {
			continue
		}
		done[c] = true
		for i := range c.people {
			out = append(out, shownPerson{s.shown(&c.people[i], ""), c.people[i]})
		}
	}
	slices.SortFunc(out, func(a, b shownPerson) int { return cmp.Compare(a.recipient, b.recipient) })
	return out
}

type shownPerson struct {
	recipient string
	delivery.Person
}

// listTies returns the ids of everybody who has several.
func (s *Store) listTies() (out []state.Tie) {
	for _, p := range s.everybody() {
		if len(p.Ties)+len(p.Former) < 2 {
			continue
		}
		for i, t := range slices.Concat(p.Ties, p.Former) {
			out = append(out, state.Tie{Recipient: string(t.ID), Person: p.recipient, Since: state.Moment(t.Since), Seen: state.Moment(t.Seen), Left: state.Moment(t.Left), Former: i >= len(p.Ties)})
		}
	}
	return out
}

// listWindows returns the windows of everybody.
func (s *Store) listWindows() (out []state.PersonWindow) {
	for _, p := range s.everybody() {
		for _, number := range slices.Sorted(maps.Keys(p.Windows)) {
			out = append(out, state.PersonWindow{Recipient: p.recipient, Number: number, Window: p.Windows[number]})
		}
	}
	return out
}

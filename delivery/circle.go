package delivery

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Circle is everything known about ids that were seen together, directly or
// through other ids: who was seen under which id, when, and what was reported about
// each. The same reports make the same circle in any order and with any repetition.
// Who is who, and what is known of each person, follows from it in the order of the
// times at which things happened. See People.
//
// The zero value knows nothing. Adding to a circle leaves copies of it unchanged.
type Circle struct {
	// Base is who was who before everything else here, from a state that is older
	// than format 6.
	Base  []Person     `json:",omitempty"`
	Seen  []Seen       `json:",omitempty"`
	Facts map[ID]Facts `json:",omitempty"`
}

// Person is somebody with the ids that are theirs, the ids that were theirs and
// passed to somebody else, and what is known of them.
type Person struct {
	Ties   []Tie `json:",omitempty"`
	Former []Tie `json:",omitempty"`
	Known
}

// Seen is a sighting, At when it was first made.
type Seen struct {
	Sighting
	Last int64 `json:",omitempty"` // the start of the seenStep in which it was last made
}

// key identifies a sighting.
func (s *Sighting) key() string {
	var b strings.Builder
	for _, list := range [...][]ID{s.IDs, s.Old} {
		for _, id := range list {
			b.WriteString(string(id) + "\x00")
		}
		b.WriteByte('>')
	}
	return b.String() + s.Number
}

func toStep(at int64) int64 { return at - at%seenStep.Milliseconds() }

// See adds a sighting of several ids. It reports whether the sighting was new to
// the circle.
func (c *Circle) See(s Sighting) bool {
	s.IDs, s.Old = sortedIDs(s.IDs), sortedIDs(s.Old)
	return c.seen(Seen{s, toStep(s.At)})
}

func sortedIDs(ids []ID) []ID { return slices.Compact(slices.Sorted(slices.Values(ids))) }

func (c *Circle) seen(s Seen) bool {
	key := s.key()
	at, known := slices.BinarySearchFunc(c.Seen, key, func(o Seen, key string) int { return cmp.Compare(o.key(), key) })
	if !known {
		c.Seen = slices.Insert(slices.Clone(c.Seen), at, s)
		return true
	}
	now := c.Seen[at]
	now.At, now.Last = min(now.At, s.At), max(now.Last, s.Last)
	if now.At == c.Seen[at].At && now.Last == c.Seen[at].Last {
		return false
	}
	c.Seen = slices.Clone(c.Seen)
	c.Seen[at] = now
	return true
}

// Tell adds what was reported about the person behind an id.
func (c *Circle) Tell(id ID, change func(*Facts)) {
	f := c.Facts[id]
	change(&f)
	c.Facts = maps.Clone(c.Facts)
	if c.Facts == nil {
		c.Facts = map[ID]Facts{}
	}
	c.Facts[id] = f
}

// Join adds another circle, which must share no id with this one.
func (c *Circle) Join(o *Circle) {
	c.Base = slices.Concat(c.Base, o.Base)
	for _, s := range o.Seen {
		c.seen(s)
	}
	for id, f := range o.Facts {
		c.Tell(id, func(mine *Facts) { *mine = f })
	}
}

// IDs are all ids of the circle, in order.
func (c *Circle) IDs() []ID {
	ids := map[ID]bool{}
	for _, p := range c.Base {
		for _, t := range slices.Concat(p.Ties, p.Former) {
			ids[t.ID] = true
		}
	}
	for i := range c.Seen {
		for _, id := range slices.Concat(c.Seen[i].IDs, c.Seen[i].Old) {
			ids[id] = true
		}
	}
	for id := range c.Facts {
		ids[id] = true
	}
	return slices.Sorted(maps.Keys(ids))
}

// Without returns the circle after the person with an id was forgotten, and which
// ids were theirs. It does not decide anew about the others: who is who among them
// stays as it is.
func (c *Circle) Without(id ID) (left Circle, theirs []ID) {
	people := c.People()
	people = slices.DeleteFunc(people, func(p Person) bool {
		if !p.Has(id) {
			return false
		}
		for _, t := range p.Ties {
			theirs = append(theirs, t.ID)
		}
		return true
	})
	for i := range people {
		people[i].Former = slices.DeleteFunc(people[i].Former, func(t Tie) bool { return slices.Contains(theirs, t.ID) })
	}
	return Circle{Base: people}, theirs
}

// Find returns the person who has an id; somebody with nothing but the id if nobody
// has.
func Find(people []Person, id ID) Person {
	for i := range people {
		if people[i].Has(id) {
			return people[i]
		}
	}
	return Person{Ties: []Tie{{ID: id}}}
}

// Writer returns the person of a circle who had one of its ids at a moment.
func Writer(people []Person, id ID, at int64) *Person {
	var ties []Tie
	for i := range people {
		for _, t := range slices.Concat(people[i].Ties, people[i].Former) {
			if t.ID == id {
				ties = append(ties, t)
			}
		}
	}
	return &people[Holder(ties, at).Person-1]
}

// Has reports whether an id is the person's now.
func (p *Person) Has(id ID) bool {
	return slices.ContainsFunc(p.Ties, func(t Tie) bool { return t.ID == id })
}

// Lone reports whether the circle holds only what is known of a single id, and
// which id.
func (c *Circle) Lone() (id ID, ok bool) {
	if len(c.Base)+len(c.Seen) > 0 || len(c.Facts) != 1 {
		return "", false
	}
	for id, f := range c.Facts {
		return id, len(f.Words) == 0 || len(f.Words) == 1 && !f.Words[0].Stay
	}
	return "", false
}

// Row returns how the number and the user id of a row of the plan are seen together:
// the ids that are theirs now, and those that they left. The row may be older than
// what the state knows. If the user id has another number now, the row's number is
// one that its person left. ok is false if the number's person is known under
// another user id. The circle must contain both ids.
func (c *Circle) Row(number, user ID) (now, old []ID, ok bool) {
	people := c.People()
	phone := number
	for i := range people {
		p := &people[i]
		if !p.Has(number) {
			continue
		}
		for _, t := range p.Ties {
			if t.ID.Kind() != IDPhone {
				return nil, nil, false
			}
		}
		phone = cmp.Or(p.phone(), number)
	}
	for i := range people {
		if p := &people[i]; p.Has(user) && p.phone() != "" && p.phone() != phone {
			return []ID{p.phone(), user}, []ID{phone}, true
		}
	}
	return []ID{phone, user}, nil, true
}

// phone returns the person's present number; "" for none.
func (p *Person) phone() ID {
	for _, t := range p.Ties {
		if t.ID.Kind() == IDPhone && t.Left == 0 {
			return t.ID
		}
	}
	return ""
}

// People returns who is who, and what is known of them, from everything reported,
// in the order of the times at which it happened. What happened in one moment has a
// fixed order, so the order of the reports does not matter. The Person of a tie is
// its person's place in the list, from 1.
func (c *Circle) People() []Person {
	r := replay{known: map[int64]*Known{}, alone: map[ID]*Known{}}
	r.base(c.Base)
	var all []moment
	for i := range c.Seen {
		s := &c.Seen[i]
		all = append(all, r.sighting(s.Sighting))
		if s.Last > s.At {
			again := s.Sighting
			again.At = s.Last
			all = append(all, r.sighting(again))
		}
	}
	for id, f := range c.Facts {
		all = r.facts(all, id, &f)
	}
	slices.SortStableFunc(all, func(a, b moment) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.rank, b.rank), cmp.Compare(a.key, b.key))
	})
	for _, m := range all {
		m.do()
	}
	r.end(c.Facts)
	return r.people()
}

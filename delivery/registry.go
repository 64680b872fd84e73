package delivery

import "slices"

// Registry keeps who is who in memory. The zero value is empty. It is immutable:
// methods that add something return a new one.
type Registry struct {
	ties   []Tie // those that hold now
	former []Tie // ids that passed to somebody else
	last   int64 // the newest person
}

// See adds a sighting, and returns what it changed. The change's Person is set if
// the sighting tied anything.
func (r Registry) See(s Sighting) (Registry, Change) {
	r.ties, r.former = slices.Clone(r.ties), slices.Clone(r.former)
	c := r.see(s)
	return r, c
}

func (r *Registry) see(s Sighting) Change {
	var persons []int64
	for _, id := range append(slices.Clone(s.IDs), s.Old...) {
		if p := r.Person(id); p != 0 {
			persons = append(persons, p)
		}
	}
	var ties []Tie
	for _, t := range r.ties {
		if slices.Contains(persons, t.Person) {
			ties = append(ties, t)
		}
	}
	c := s.See(ties)
	if c.Person == 0 && len(c.Ties) > 0 {
		r.last++
		c.Person = r.last
	}
	r.former = append(r.former, c.Parted...)
	for _, id := range c.Earlier {
		r.former = append(r.former, Tie{ID: id, Person: c.Person, Since: s.At, Seen: s.At, Left: s.At})
	}
	for _, t := range c.Ties {
		t.Person = c.Person
		r.ties = append(slices.DeleteFunc(r.ties, func(o Tie) bool { return o.ID == t.ID }), t)
	}
	for _, list := range [][]Tie{r.ties, r.former} {
		for i := range list {
			if slices.Contains(c.Merged, list[i].Person) {
				list[i].Person = c.Person
			}
		}
	}
	return c
}

// Person returns whom an id belongs to; 0 for an id without a tie.
func (r Registry) Person(id ID) int64 {
	for i := range r.ties {
		if r.ties[i].ID == id {
			return r.ties[i].Person
		}
	}
	return 0
}

// Of returns the ids of a person, and those that were theirs and passed to somebody
// else.
func (r Registry) Of(person int64) (ids, former []Tie) {
	theirs := func(list []Tie) (out []Tie) {
		for _, t := range list {
			if t.Person == person {
				out = append(out, t)
			}
		}
		return out
	}
	return theirs(r.ties), theirs(r.former)
}

// Persons returns all who have ties, in the order in which they became known.
func (r Registry) Persons() (out []int64) {
	for _, t := range slices.Concat(r.ties, r.former) {
		out = append(out, t.Person)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Holder returns, of all ties that an id ever had, the tie of the person who had
// it at a moment.
func Holder(ties []Tie, at int64) (held Tie) {
	for i, t := range ties {
		if since := held.Since; i == 0 || since > at && t.Since < since || t.Since <= at && t.Since > since {
			held = t
		}
	}
	return held
}

// Display returns the id under which a person is shown, the first of equally good
// ones; "" for none.
func Display(ties []Tie) (id ID) {
	best := 0
	for _, t := range ties {
		if rank := DisplayRank(t.ID.Kind(), t.Left != 0); rank > best {
			best, id = rank, t.ID
		}
	}
	return id
}

// DisplayRank says how well an id represents its person, from 1: best their present
// phone number, then a former one, then a user id.
func DisplayRank(kind IDKind, left bool) int {
	switch {
	case kind == IDPhone && !left:
		return 4
	case kind == IDPhone:
		return 3
	case kind == IDUser && !left:
		return 2
	}
	return 1
}

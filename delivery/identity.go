package delivery

import (
	"slices"
	"strings"
	"time"
)

// IDKind is the kind of an id under which WhatsApp knows a person.
type IDKind uint8

// The kinds of ids. Source: Meta, business-scoped-user-ids, read 2026-09-11.
const (
	IDPhone  IDKind = iota + 1 // a phone number; it can pass to somebody else
	IDUser                     // a user id within one business portfolio; it never passes on, and can be replaced
	IDParent                   // a user id within linked portfolios, the same otherwise
)

// kindOf returns the kind of a recipient's key.
func kindOf(key string) IDKind {
	switch {
	case strings.HasPrefix(key, "+"):
		return IDPhone
	case strings.Contains(key, ".ENT."):
		return IDParent
	}
	return IDUser
}

// ID is one id of a person: a recipient's key, the same for every spelling of a
// phone number (message.Canonical).
type ID string

// Kind is the kind of the id.
func (id ID) Kind() IDKind { return kindOf(string(id)) }

// Tie says that an id belongs to a person. An id without a tie is a person by
// itself.
type Tie struct {
	ID     ID
	Person int64  `json:"-"`
	Number string // the sending number through which it was seen last
	Since  int64  // when it was first seen as this person's
	Seen   int64  // when it was last seen as this person's
	Left   int64  `json:",omitempty"` // when the person had another one in its place; 0 while it is theirs
}

// Sighting is what one event says about who is who: its ids are one person's at
// that moment.
type Sighting struct {
	At     int64
	Number string // the sending number through which it was made
	IDs    []ID
	// Old are the ids that IDs replaced, if the event reports a change of ids.
	Old []ID `json:",omitempty"`
}

// Change is what a sighting changes.
type Change struct {
	// Person is the owner of the ids; 0 for somebody who has no ties yet.
	Person int64
	// Merged are the persons found to be the same as Person.
	Merged []int64
	// Ties are the ties of Person that are new or changed. Their Person is not
	// set.
	Ties []Tie
	// Parted are ties that end because somebody else has the id now. Opt-outs stay
	// with both.
	Parted []Tie
	// Earlier are ids that were Person's at the time and have passed to somebody
	// else since.
	Earlier []ID
	// Strict are other persons whose opt-outs hold for Person too, since they may be
	// the same person.
	Strict []int64
}

// seenStep is the precision of the time at which an id was last seen. It is coarse
// so that most events change nothing.
const seenStep = time.Hour

// See returns what a sighting changes. ties must be all ties of every person who
// has a tie to one of its ids.
//
//   - Ids that are seen together are one person's.
//   - A person has one phone number, and one id of each other kind per sending
//     number. A newer one replaces the older, which stays theirs until somebody
//     else is seen with it.
//   - A phone number has passed on when it is seen with a user id while its
//     person has another one through the same sending number, when somebody else
//     changes to it, or when it is seen without the person who had left it. User
//     ids never pass on.
func (s Sighting) See(ties []Tie) Change {
	r := resolver{Sighting: s, ties: ties}
	for _, id := range append(slices.Clone(s.IDs), s.Old...) {
		if id.Kind() != IDPhone {
			r.join(r.tie(id))
		}
	}
	for _, id := range s.Old {
		switch t := r.tie(id); {
		case id.Kind() != IDPhone || t == nil:
		case t.Since <= s.At && r.other(t.Person, s.Old, 0) == 0:
			r.join(t)
		case !slices.Contains(r.persons, t.Person): // somebody else has it since
			r.out.Strict = append(r.out.Strict, t.Person)
		}
	}
	for _, id := range s.IDs {
		if id.Kind() == IDPhone {
			r.phone(id)
		} else {
			r.hold(id)
		}
	}
	for _, id := range s.Old {
		r.leave(id)
	}
	r.renumber()
	return r.change()
}

// resolver works out one sighting.
type resolver struct {
	Sighting
	ties    []Tie
	persons []int64 // found to be one
	held    []Tie   // what the person holds by this sighting
	left    []Tie   // replaced by another id of the person
	out     Change
}

func (r *resolver) tie(id ID) *Tie {
	for i := range r.ties {
		if r.ties[i].ID == id {
			return &r.ties[i]
		}
	}
	return nil
}

func (r *resolver) join(t *Tie) {
	if t != nil && !slices.Contains(r.persons, t.Person) {
		r.persons = append(r.persons, t.Person)
	}
}

func (r *resolver) names(id ID) bool { return slices.Contains(r.IDs, id) || slices.Contains(r.Old, id) }

// phone decides whose a phone number is.
func (r *resolver) phone(id ID) {
	t := r.tie(id)
	if t == nil || slices.Contains(r.persons, t.Person) {
		r.hold(id)
		return
	}
	// Somebody who changes to a number may be seen with it, under a new user id,
	// before the change is reported, but not before it happens.
	other := r.other(t.Person, r.IDs, 0)
	if len(r.Old) > 0 && !slices.Contains(r.Old, id) {
		other = r.other(t.Person, nil, r.At)
	}
	switch {
	case other >= r.At:
		r.out.Earlier = append(r.out.Earlier, id)
	case other != 0, t.Left != 0 && r.At > t.Left:
		r.out.Parted = append(r.out.Parted, *t)
		r.held = append(r.held, r.fresh(id))
	default:
		r.join(t)
		r.hold(id)
	}
}

// other returns when a person was last seen under an id that never passes on and
// that proves that the sighting is about somebody else: one of the same kind as one
// of ids, or one that was theirs before the given moment. It is 0 for never.
func (r *resolver) other(person int64, ids []ID, before int64) (seen int64) {
	for i := range r.ties {
		t := &r.ties[i]
		if t.Person != person || slices.Contains(r.persons, person) || t.ID.Kind() == IDPhone || t.Left != 0 || t.Number != r.Number {
			continue
		}
		if t.Since < before || slices.ContainsFunc(ids, func(id ID) bool { return id.Kind() == t.ID.Kind() }) {
			seen = max(seen, t.Seen)
		}
	}
	return seen
}

func (r *resolver) fresh(id ID) Tie {
	return Tie{ID: id, Number: r.Number, Since: r.At, Seen: r.At}
}

// hold records that the person has the id at the time.
func (r *resolver) hold(id ID) {
	now := r.fresh(id)
	if t := r.tie(id); t != nil {
		now.Since, now.Seen = min(t.Since, r.At), max(t.Seen, r.At)
		if t.Seen > r.At {
			now.Number = t.Number
		}
		if t.Left >= r.At { // a late report from before that
			now.Left = t.Left
		}
	}
	r.held = append(r.held, now)
}

// leave records that the person had the id before.
func (r *resolver) leave(id ID) {
	t := r.tie(id)
	switch {
	case slices.Contains(r.IDs, id):
	case !slices.ContainsFunc(r.IDs, func(n ID) bool { return n.Kind() == id.Kind() }): // it was not replaced
		if t == nil || slices.Contains(r.persons, t.Person) {
			r.hold(id)
		}
	case t == nil:
		gone := r.fresh(id)
		gone.Left = r.At
		r.left = append(r.left, gone)
	case slices.Contains(r.persons, t.Person) && t.Left == 0 && t.Seen <= r.At:
		gone := *t
		gone.Left = r.At
		r.left = append(r.left, gone)
	}
}

// renumber records that somebody with a new number gets new user ids: WhatsApp
// replaces them, at once or later.
func (r *resolver) renumber() {
	changed := func(id ID) bool { return id.Kind() == IDPhone && !slices.Contains(r.IDs, id) }
	if !slices.ContainsFunc(r.Old, changed) || !slices.ContainsFunc(r.IDs, func(id ID) bool { return id.Kind() == IDPhone }) {
		return
	}
	for _, t := range r.ties {
		if t.ID.Kind() != IDPhone && t.Left == 0 && t.Seen <= r.At && slices.Contains(r.persons, t.Person) && !r.names(t.ID) {
			t.Left = r.At
			r.left = append(r.left, t)
		}
	}
}

// change finishes the sighting: what is held replaces what the person held before.
func (r *resolver) change() Change {
	if len(r.held)+len(r.left) < 2 && len(r.persons) == 0 && len(r.out.Parted)+len(r.out.Earlier) == 0 {
		return r.out // one id alone, of which nothing else is known
	}
	for i := range r.ties {
		t := r.ties[i]
		if t.Left != 0 || r.names(t.ID) || !slices.Contains(r.persons, t.Person) || slices.ContainsFunc(r.left, func(l Tie) bool { return l.ID == t.ID }) {
			continue
		}
		for j := range r.held {
			now := &r.held[j]
			switch {
			case now.ID.Kind() != t.ID.Kind() || now.ID.Kind() != IDPhone && now.Number != t.Number || now.Left != 0:
			case t.Seen > now.Seen:
				now.Left = t.Seen
			case t.Left == 0:
				t.Left = now.Seen
				r.left = append(r.left, t)
			}
		}
	}
	if len(r.persons) > 0 {
		slices.Sort(r.persons)
		r.out.Person, r.out.Merged = r.persons[0], r.persons[1:]
	}
	for _, t := range append(r.held, r.left...) {
		t.Person = r.out.Person
		if old := r.tie(t.ID); old == nil || *old != t {
			t.Person = 0
			r.out.Ties = append(r.out.Ties, t)
		}
	}
	return r.out
}

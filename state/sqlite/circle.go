package sqlite

import (
	"encoding/json"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// circle is everything that was told about some ids that were seen together,
// and where the state keeps it. Who is who follows from it (delivery.Circle),
// so that the order in which it was told does not matter. An id that was never
// seen with another has no row of circles: all that is known of it is its row
// of people.
type circle struct {
	delivery.Circle
	rows  []int64                  // of circles, that it was read from
	alone map[int64]delivery.Known // by id of people: of ids that were by themselves
	place int64                    // the id of people for one that is by itself
}

// gather reads the circles of some ids and joins them into one. It gives ids
// that the state does not know an integer.
func (t *tx) gather(keys ...string) (*circle, error) {
	c := &circle{alone: map[int64]delivery.Known{}}
	for _, key := range keys {
		who, err := t.recipient(key)
		if err != nil {
			return nil, err
		}
		row, tied, err := t.c.queryInt("SELECT circle FROM ties WHERE recipient = ? AND former = 0", canonicalID(who))
		switch {
		case err != nil:
			return nil, err
		case !tied:
			err = t.gatherAlone(c, who, delivery.ID(message.Canonical(key)))
		case !slices.Contains(c.rows, row):
			c.rows = append(c.rows, row)
			err = t.gatherRow(c, row)
		}
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

// gatherRow joins a row of circles into c. The row holds JSON of
// delivery.Circle.
func (t *tx) gatherRow(c *circle, row int64) error {
	var told []byte
	err := t.c.each("SELECT told FROM circles WHERE id = ?", func(st *sqlite.Stmt) error {
		told = columnBlob(st, 0)
		return nil
	}, row)
	if err != nil {
		return err
	}
	var o delivery.Circle
	if err := json.Unmarshal(told, &o); err != nil {
		return fmt.Errorf("%w: what was told about people: %w", state.ErrDamaged, err)
	}
	c.Join(&o)
	return nil
}

// gatherAlone joins what is known of an id that was by itself so far. Its
// opt-out becomes something that was said of it, as in a circle.
func (t *tx) gatherAlone(c *circle, who int64, id delivery.ID) (err error) {
	if c.place, err = t.c.personID(who); err != nil {
		return err
	}
	k, ok, err := t.c.known(c.place)
	if err != nil || !ok {
		return err
	}
	c.alone[c.place] = k
	tellAlone(&c.Circle, id, k)
	return nil
}

// tellAlone adds to a circle what is known of an id that was by itself.
func tellAlone(c *delivery.Circle, id delivery.ID, k delivery.Known) {
	c.Tell(id, func(f *delivery.Facts) {
		if f.Known = k; k.Opt.Choice != delivery.NoChoice {
			f.Say(delivery.Word{Opt: k.Opt})
		}
		f.Opt = delivery.Opt{}
	})
}

// tell records something that was told of the person behind an id, and what
// follows from it for who is who.
func (t *tx) tell(key string, change func(*delivery.Facts)) error {
	c, err := t.gather(key)
	if err != nil {
		return err
	}
	c.Tell(delivery.ID(message.Canonical(key)), change)
	return t.keep(c)
}

// keep writes a circle back, with the people and ties that follow from it. Rows
// of circles that were joined become one.
func (t *tx) keep(c *circle) error {
	people := c.People()
	if _, alone := c.Lone(); alone && len(c.rows) == 0 {
		before := c.alone[c.place]
		return t.putKnown(c.place, &before, &people[0].Known)
	}
	// Ids that were by themselves are in a circle now: what was kept under each
	// is in the circle too.
	for place := range c.alone {
		if err := t.forgetPerson(place, 0); err != nil {
			return err
		}
	}
	var old []tieRow
	for i, row := range c.rows {
		rows, err := t.c.tieRows("circle = ?", row)
		if err != nil {
			return err
		}
		old = append(old, rows...)
		if i > 0 || len(people) == 0 {
			if err := t.remove(tCircles, row); err != nil {
				return err
			}
		}
	}
	if len(people) == 0 {
		return t.putPeople(0, nil, old)
	}
	told, err := json.Marshal(&c.Circle)
	if err != nil {
		return err
	}
	row := int64(0)
	if len(c.rows) > 0 {
		row = c.rows[0]
	}
	w := t.replace(tCircles, row)
	w.blob(told)
	if row, err = w.done(); err != nil {
		return err
	}
	return t.putPeople(row, people, old)
}

// putPeople writes who is who in a circle, in place of what was written before:
// a tie for each id, and what is known of each person.
func (t *tx) putPeople(row int64, people []delivery.Person, old []tieRow) error {
	ids := map[delivery.ID]int64{}
	for i := range people {
		for _, tie := range slices.Concat(people[i].Ties, people[i].Former) {
			who, err := t.recipient(string(tie.ID))
			if err != nil {
				return err
			}
			ids[tie.ID] = who
		}
	}
	numbers, err := t.numbered(people, old, ids)
	if err != nil {
		return err
	}
	var now []tieRow
	for i := range people {
		for j, tie := range slices.Concat(people[i].Ties, people[i].Former) {
			now = append(now, tieRow{recipient: ids[tie.ID], person: numbers[i], circle: row, kind: tie.ID.Kind(),
				since: tie.Since, seen: tie.Seen, left: tie.Left, former: j >= len(people[i].Ties)})
		}
	}
	if err := t.putTies(now, old); err != nil {
		return err
	}
	for i := range people {
		before, _, err := t.c.known(numbers[i])
		if err == nil {
			err = t.putKnown(numbers[i], &before, &people[i].Known)
		}
		if err != nil {
			return err
		}
	}
	// People who are gone, since two turned out to be one.
	for i := range old {
		if !slices.Contains(numbers, old[i].person) {
			if err := t.forgetPerson(old[i].person, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// putTies replaces ties where they changed. The order of the rows is the order
// of delivery.Person, which readers rely on.
func (t *tx) putTies(now, old []tieRow) error {
	same := func(a, b tieRow) bool { a.row, b.row = 0, 0; return a == b }
	if slices.EqualFunc(now, old, same) {
		return nil
	}
	for i := range old {
		if err := t.remove(tTies, old[i].row); err != nil {
			return err
		}
	}
	for i := range now {
		if err := t.addTie(&now[i]); err != nil {
			return err
		}
	}
	return nil
}

// numbered gives each person their integer: the one that an id of theirs had
// before, or the next free one.
func (t *tx) numbered(people []delivery.Person, old []tieRow, ids map[delivery.ID]int64) ([]int64, error) {
	had := map[int64]int64{}
	for i := range old {
		if !old[i].former {
			had[old[i].recipient] = old[i].person
		}
	}
	last, _, err := t.c.queryInt("SELECT coalesce(max(person), ?) FROM ties", personBit)
	if err != nil {
		return nil, err
	}
	out := make([]int64, len(people))
	for i := range people {
		for _, tie := range people[i].Ties {
			if n := had[ids[tie.ID]]; n != 0 && !slices.Contains(out, n) {
				out[i] = n
				break
			}
		}
		if out[i] == 0 {
			last++
			out[i] = last
		}
	}
	return out, nil
}

// circlesFromTies makes circles of a state from before format 6, which kept only
// what followed. Its column of ties that is called circle now has the number
// through which the id was seen last.
func (t *tx) circlesFromTies() error {
	all, err := t.c.tieRows("1 = 1")
	if err != nil {
		return err
	}
	for len(all) > 0 {
		group := []tieRow{all[0]} // with all who have, or had, an id of theirs
		for i := 0; i < len(group); i++ {
			all = slices.DeleteFunc(all, func(r tieRow) bool {
				with := r.person == group[i].person || canonicalID(r.recipient) == canonicalID(group[i].recipient)
				if with && r.row != group[0].row {
					group = append(group, r)
				}
				return with
			})
		}
		if err := t.circleFromTies(group); err != nil {
			return err
		}
	}
	return nil
}

// circleFromTies makes the circle of one group of ties.
func (t *tx) circleFromTies(group []tieRow) error {
	people, err := t.peopleFromTies(group)
	if err != nil {
		return err
	}
	c := &circle{}
	for _, p := range joinTies(people) {
		if len(p.Ties) > 0 {
			c.Base = append(c.Base, *p)
		}
	}
	told, err := json.Marshal(&c.Circle)
	if err != nil {
		return err
	}
	w := t.insert(tCircles, 0)
	w.blob(told)
	row, err := w.done()
	if err != nil {
		return err
	}
	return t.putPeople(row, c.People(), group)
}

// peopleFromTies reads the persons of a group of ties. What was kept under one
// spelling of a number by itself is theirs too.
func (t *tx) peopleFromTies(group []tieRow) (out []*delivery.Person, err error) {
	people := map[int64]*delivery.Person{}
	for i := range group {
		r := &group[i]
		p := people[r.person]
		if p == nil {
			k, _, err := t.c.known(r.person)
			if err != nil {
				return nil, err
			}
			p = &delivery.Person{Known: k}
			people[r.person], out = p, append(out, p)
		}
		who := canonicalID(r.recipient)
		key, err := t.c.recipientText(who)
		if err != nil {
			return nil, err
		}
		number, err := t.c.addressText(r.circle)
		if err != nil {
			return nil, err
		}
		tie := delivery.Tie{ID: delivery.ID(key), Number: number, Since: r.since, Seen: r.seen, Left: r.left}
		if r.former {
			p.Former = append(p.Former, tie)
			continue
		}
		p.Ties = append(p.Ties, tie)
		if err := t.takeAlone(&p.Known, 0, who); err != nil {
			return nil, err
		}
	}
	return out, nil
}

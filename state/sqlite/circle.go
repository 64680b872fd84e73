package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// circle is what was told about some ids, with where the state has it.
type circle struct {
	delivery.Circle
	rows  []int64                  // of circles, that it was read from
	alone map[int64]delivery.Known // by id of people: of ids that were by themselves
	place int64                    // the id of people for one that is by itself
}

// gather reads what was told about some ids, each with all that it is in a circle
// with.
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

func (t *tx) gatherAlone(c *circle, who int64, id delivery.ID) (err error) {
	if c.place, err = t.c.personID(who); err != nil {
		return err
	}
	k, ok, err := t.c.known(c.place)
	if err != nil || !ok {
		return err
	}
	c.alone[c.place] = k
	c.Tell(id, func(f *delivery.Facts) {
		if f.Known = k; k.Opt.Choice != delivery.NoChoice {
			f.Say(delivery.Word{Opt: k.Opt})
		}
		f.Opt = delivery.Opt{}
	})
	return nil
}

// tell takes in what is told of the person behind an id.
func (t *tx) tell(key string, change func(*delivery.Facts)) error {
	c, err := t.gather(key)
	if err != nil {
		return err
	}
	c.Tell(delivery.ID(message.Canonical(key)), change)
	return t.keep(c)
}

// keep writes a circle, and what follows from it.
func (t *tx) keep(c *circle) error {
	people := c.People()
	if _, alone := c.Lone(); alone && len(c.rows) == 0 {
		before := c.alone[c.place]
		return t.putKnown(c.place, &before, &people[0].Known)
	}
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

// putPeople writes who is who in a circle, in place of what was written before.
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
	for i := range old {
		if !slices.Contains(numbers, old[i].person) {
			if err := t.forgetPerson(old[i].person, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// putTies writes ties, each person's in the order of delivery.Person: that is the
// order of the rows.
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

// numbered are the numbers of people, which they keep where they had one.
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

// known is what is known under an id of people.
func (c *conn) known(id int64) (k delivery.Known, ok bool, err error) {
	p, ok, err := c.personAt(id)
	if err != nil {
		return k, false, err
	}
	k = delivery.Known{Opt: p.opt, Cooldown: p.cooldown, LastInbound: p.lastInbound, Shut: p.shut, Profile: p.profile, ProfileAt: p.profileAt, Handover: p.handover}
	if p.attributes != "" {
		if err := json.Unmarshal([]byte(p.attributes), &k.Attributes); err != nil {
			return k, false, fmt.Errorf("%w: the attributes of a person: %w", state.ErrDamaged, err)
		}
	}
	if k.Username, k.UsernameAt, err = c.username(id); err != nil {
		return k, false, err
	}
	err = c.each("SELECT a.address, w.inbound, w.shut FROM windows w JOIN addresses a ON a.id = w.number WHERE w.person = ?", func(st *sqlite.Stmt) error {
		if k.Windows == nil {
			k.Windows = map[string]delivery.Window{}
		}
		k.Windows[st.ColumnText(0)] = delivery.Window{Inbound: st.ColumnInt64(1), Shut: st.ColumnInt64(2)}
		return nil
	}, id)
	return k, ok || !k.Empty(), err
}

// putKnown writes what is known under an id of people, as far as it changed.
func (t *tx) putKnown(id int64, before, now *delivery.Known) error {
	was, err := rowOf(before)
	if err != nil {
		return err
	}
	is, err := rowOf(now)
	if err != nil {
		return err
	}
	switch _, ok, err := t.c.personAt(id); {
	case err != nil:
		return err
	case ok && now.Empty():
		err = t.remove(tPeople, id)
		return errors.Join(err, t.putWindows(id, before.Windows, now.Windows), t.putUsername(id, before, now))
	case !now.Empty() && (!ok || was != is):
		if err := t.putPerson(id, &is); err != nil {
			return err
		}
	}
	return errors.Join(t.putWindows(id, before.Windows, now.Windows), t.putUsername(id, before, now))
}

func rowOf(k *delivery.Known) (personRow, error) {
	p := personRow{lastInbound: k.LastInbound, shut: k.Shut, opt: k.Opt, cooldown: k.Cooldown, profile: k.Profile, profileAt: k.ProfileAt, handover: k.Handover}
	if len(k.Attributes) == 0 {
		return p, nil
	}
	text, err := json.Marshal(k.Attributes)
	p.attributes = string(text)
	return p, err
}

func (t *tx) putWindows(id int64, before, now map[string]delivery.Window) error {
	all := maps.Clone(before)
	if all == nil {
		all = map[string]delivery.Window{}
	}
	maps.Copy(all, now)
	for _, number := range slices.Sorted(maps.Keys(all)) {
		if before[number] == now[number] {
			continue
		}
		at, err := t.address(number)
		if err != nil {
			return err
		}
		row, _, err := t.c.window(id, at)
		if err != nil {
			return err
		}
		if _, keeps := now[number]; !keeps {
			if err := t.remove(tWindows, row); err != nil {
				return err
			}
			continue
		}
		w := t.replace(tWindows, row)
		w.int(id)
		w.int(at)
		w.maybe(now[number].Inbound)
		w.maybe(now[number].Shut)
		if _, err := w.done(); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) putUsername(id int64, before, now *delivery.Known) error {
	switch {
	case before.Username == now.Username && before.UsernameAt == now.UsernameAt:
		return nil
	case now.Username == "":
		return t.remove(tUsernames, id)
	}
	w := t.replace(tUsernames, id)
	w.text(now.Username)
	w.int(now.UsernameAt)
	_, err := w.done()
	return err
}

func (c *conn) username(id int64) (name string, at int64, err error) {
	err = c.each("SELECT name, at FROM usernames WHERE id = ?", func(st *sqlite.Stmt) error {
		name, at = st.ColumnText(0), st.ColumnInt64(1)
		return nil
	}, id)
	return name, at, err
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

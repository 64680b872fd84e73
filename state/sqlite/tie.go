package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// personBit tells the number of a person under several ids from a recipient: a
// phone number has 18 digits at most, and names are negative.
const personBit = int64(1) << 62

// canonicalID is the recipient under which every spelling of a number is tied.
func canonicalID(who int64) int64 {
	if who <= 0 || who >= personBit {
		return who
	}
	id, _ := phoneID(message.Canonical(phoneText(who)))
	return id
}

// tieRow is a row of ties.
type tieRow struct {
	row    int64
	former bool
	delivery.Tie
}

const tieColumns = "id, recipient, kind, person, number, since, seen, gone, former"

func scanTie(st *sqlite.Stmt) tieRow {
	return tieRow{row: st.ColumnInt64(0), former: st.ColumnInt64(8) == 1, Tie: delivery.Tie{
		ID:     delivery.ID{ID: st.ColumnInt64(1), Kind: delivery.IDKind(st.ColumnInt64(2))},
		Person: st.ColumnInt64(3), Number: st.ColumnInt64(4), Since: st.ColumnInt64(5), Seen: st.ColumnInt64(6), Left: st.ColumnInt64(7)}}
}

func (t *tx) putTie(r *tieRow) error {
	w := t.replace(tTies, r.row)
	w.int(r.ID.ID)
	w.int(int64(r.Kind))
	w.int(r.Person)
	w.int(r.Number)
	w.int(r.Since)
	w.int(r.Seen)
	w.maybe(r.Left)
	w.bool(r.former)
	_, err := w.done()
	return err
}

// tiedTo is the person of a recipient; 0 for one by itself.
func (c *conn) tiedTo(who int64) (int64, error) {
	if who >= personBit {
		return who, nil
	}
	person, _, err := c.one("SELECT person FROM ties WHERE recipient = ? AND former = 0", canonicalID(who))
	return person, err
}

// ties are those of a person, former ones as well.
func (c *conn) ties(person int64) (out []tieRow, err error) {
	err = c.each("SELECT "+tieColumns+" FROM ties WHERE person = ? ORDER BY id", func(st *sqlite.Stmt) error {
		out = append(out, scanTie(st))
		return nil
	}, person)
	return out, err
}

// everyID are all recipients under which a person was sent to or wrote: the one
// that is asked for first, in every spelling, also those that passed on since.
func (c *conn) everyID(who int64) ([]int64, error) {
	person, err := c.tiedTo(who)
	if err != nil {
		return nil, err
	}
	out := []int64{who}
	if other := otherID(who); other != 0 {
		out = append(out, other)
	}
	if person == 0 {
		return out, nil
	}
	rows, err := c.ties(person)
	for i := range rows {
		id := rows[i].ID.ID
		for _, id := range [...]int64{id, otherID(id)} {
			if id != 0 && !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out, err
}

// idList is a list for "IN (SELECT value FROM json_each(?))".
func (c *conn) idList(who int64) (string, error) {
	ids, err := c.everyID(who)
	text := []byte{'['}
	for i, id := range ids {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, id, 10)
	}
	return string(append(text, ']')), err
}

// keys are the ids that an event names of one person.
func keysOf(a message.Address, parent string) (out []string) {
	for _, key := range [...]string{a.Phone, a.UserID, parent} {
		if key != "" {
			out = append(out, key)
		}
	}
	return out
}

// see takes in what an event says about who is who, and returns the recipient
// whom the event is about; 0 where it names nobody. gone says that one of its
// ids was erased: then the others are erased too, and nothing else is to be kept.
func (t *tx) see(number, received int64, ev *message.Event) (who int64, gone bool, err error) {
	now, old := keysOf(ev.From, ev.Parent), []string(nil)
	if ev.Kind == message.EventIdentity {
		now, old = keysOf(ev.NewAddress, ev.NewParent), now
	}
	if gone, err = t.erasedWith(append(slices.Clone(now), old...)); err != nil || gone {
		return 0, gone, err
	}
	s := delivery.Sighting{At: delivery.EventTime(ev, received), Number: number}
	if s.IDs, err = t.named(now); err == nil {
		s.Old, err = t.named(old)
	}
	if err != nil || len(s.IDs)+len(s.Old) == 0 {
		return 0, false, err
	}
	all := append(slices.Clone(s.Old), s.IDs...)
	c, err := t.sight(s)
	if err != nil {
		return 0, false, err
	}
	who = all[0].ID
	if slices.Contains(c.Earlier, all[0]) && len(all) > 1 {
		who = all[1].ID // the number is somebody else's by now
	}
	return t.spelled(who, ev), false, nil
}

// spelled is the recipient as the event writes it.
func (t *tx) spelled(who int64, ev *message.Event) int64 {
	if id, ok := phoneID(ev.From.Phone); ok && canonicalID(id) == who {
		return id
	}
	return who
}

func (t *tx) named(keys []string) (out []delivery.ID, err error) {
	for _, key := range keys {
		id, err := t.recipient(key)
		if err != nil {
			return nil, err
		}
		out = append(out, delivery.ID{ID: canonicalID(id), Kind: delivery.KindOf(key)})
	}
	return out, nil
}

// sight asks the rules what a sighting changes, and writes it down.
func (t *tx) sight(s delivery.Sighting) (delivery.Change, error) {
	any, _, err := t.c.one("SELECT EXISTS (SELECT 1 FROM ties)")
	if err != nil || any == 0 && len(s.IDs)+len(s.Old) < 2 {
		return delivery.Change{}, err
	}
	rows := map[delivery.ID]tieRow{}
	var ties []delivery.Tie
	var persons []int64
	for _, id := range append(slices.Clone(s.IDs), s.Old...) {
		person, err := t.c.tiedTo(id.ID)
		if err != nil {
			return delivery.Change{}, err
		}
		if person == 0 || slices.Contains(persons, person) {
			continue
		}
		persons = append(persons, person)
		all, err := t.c.ties(person)
		if err != nil {
			return delivery.Change{}, err
		}
		for _, r := range all {
			if !r.former {
				ties, rows[r.ID] = append(ties, r.Tie), r
			}
		}
	}
	c := s.See(ties)
	return c, t.tie(&s, &c, rows)
}

// tie writes down a change of who is who, and joins what is known of those who
// turn out to be one. The stricter holds.
func (t *tx) tie(s *delivery.Sighting, c *delivery.Change, rows map[delivery.ID]tieRow) error {
	if c.Person == 0 && len(c.Ties) > 0 {
		last, _, err := t.c.one("SELECT coalesce(max(person), ?) FROM ties", personBit)
		if err != nil {
			return err
		}
		c.Person = last + 1
	}
	for _, old := range c.Parted {
		r := rows[old.ID]
		r.former = true
		if err := errors.Join(t.putTie(&r), t.pass(old.Person, c.Person)); err != nil {
			return err
		}
		delete(rows, old.ID)
	}
	for _, tie := range c.Ties {
		r, known := rows[tie.ID]
		tie.Person = c.Person
		r.Tie = tie
		if err := t.putTie(&r); err != nil {
			return err
		}
		if known {
			continue
		}
		for _, lone := range [...]int64{tie.ID.ID, otherID(tie.ID.ID)} {
			if err := t.absorb(lone, c.Person); err != nil {
				return err
			}
		}
	}
	for _, id := range c.Earlier {
		r := tieRow{former: true, Tie: delivery.Tie{ID: id, Person: c.Person, Number: s.Number, Since: s.At, Seen: s.At, Left: s.At}}
		if err := t.putTie(&r); err != nil {
			return err
		}
		t.late = append(t.late, passing{c.Person, rows[id].Person})
	}
	for _, from := range c.Strict {
		if err := t.pass(from, c.Person); err != nil {
			return err
		}
	}
	for _, from := range c.Merged {
		if err := t.merge(from, c.Person); err != nil {
			return err
		}
	}
	return nil
}

// passing is from whom to whom what forbids is given.
type passing struct{ from, to int64 }

// pass gives what is known of one person to another who has, or had, the same
// number: only what forbids.
func (t *tx) pass(from, to int64) error {
	p, ok, err := t.c.person(from)
	if err != nil || !ok || to == 0 {
		return err
	}
	return t.changePerson(to, func(o *personRow) {
		o.opt = o.opt.Stricter(p.opt.Passed())
		o.cooldown = max(o.cooldown, p.cooldown)
		o.shut = max(o.shut, p.shut)
	})
}

// merge makes one person of two.
func (t *tx) merge(from, into int64) error {
	rows, err := t.c.ties(from)
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].Person = into
		if err := t.putTie(&rows[i]); err != nil {
			return err
		}
	}
	return t.absorb(from, into)
}

// absorb joins what is kept under one number of people into another's.
func (t *tx) absorb(from, into int64) error {
	if from == 0 {
		return nil
	}
	p, ok, err := t.c.personAt(from)
	if err != nil {
		return err
	}
	if ok {
		// Away first: into may be the other spelling of from, and is looked for under both.
		var failed error
		err := t.remove(tPeople, from)
		if err == nil {
			err = t.changePerson(into, func(o *personRow) { failed = o.merge(&p) })
		}
		if err := errors.Join(err, failed); err != nil {
			return err
		}
	}
	if err := t.absorbWindows(from, into); err != nil {
		return err
	}
	return t.absorbUsername(from, into)
}

// merge adds what was known of the same person under another id.
func (p *personRow) merge(o *personRow) error {
	p.opt = p.opt.Stricter(o.opt)
	p.cooldown = max(p.cooldown, o.cooldown)
	p.lastInbound = max(p.lastInbound, o.lastInbound)
	p.shut = max(p.shut, o.shut)
	p.handover = p.handover || o.handover
	if o.profileAt > p.profileAt || o.profileAt == p.profileAt && o.profile < p.profile {
		p.profile, p.profileAt = o.profile, o.profileAt
	}
	if p.attributes == "" || o.attributes == "" {
		p.attributes += o.attributes
		return nil
	}
	all, mine := map[string]string{}, map[string]string{}
	if err := errors.Join(json.Unmarshal([]byte(o.attributes), &all), json.Unmarshal([]byte(p.attributes), &mine)); err != nil {
		return fmt.Errorf("%w: the attributes of a person: %w", state.ErrDamaged, err)
	}
	maps.Copy(all, mine)
	text, err := json.Marshal(all)
	p.attributes = string(text)
	return err
}

// username keeps what a person calls themselves.
func (t *tx) username(who int64, name string, at int64) error {
	if name == "" {
		return nil
	}
	who, err := t.c.personID(who)
	if err != nil {
		return err
	}
	before, was, err := t.c.usernameAt(who)
	if err != nil || before == name || was > at {
		return err
	}
	w := t.replace(tUsernames, who)
	w.text(name)
	w.int(at)
	_, err = w.done()
	return err
}

func (c *conn) usernameAt(who int64) (name string, at int64, err error) {
	err = c.each("SELECT name, at FROM usernames WHERE id = ?", func(st *sqlite.Stmt) error {
		name, at = st.ColumnText(0), st.ColumnInt64(1)
		return nil
	}, who)
	return name, at, err
}

func (t *tx) absorbUsername(from, into int64) error {
	name, at, err := t.c.usernameAt(from)
	if err != nil || name == "" {
		return err
	}
	return errors.Join(t.remove(tUsernames, from), t.username(into, name, at))
}

// display is the recipient as which a person is shown.
func display(rows []tieRow) int64 {
	var ties []delivery.Tie
	for i := range rows {
		if !rows[i].former {
			ties = append(ties, rows[i].Tie)
		}
	}
	return delivery.Display(ties).ID
}

// held are the ids of who is known under a number of people.
func (d *dictionary) held(c *conn, who int64) (out []string, err error) {
	if who < personBit {
		return []string{d.recipient(who)}, nil
	}
	rows, err := c.ties(who)
	for i := range rows {
		if !rows[i].former {
			out = append(out, d.recipient(rows[i].ID.ID))
		}
	}
	slices.Sort(out)
	return out, err
}

// personKey is the key under which the person of a recipient is shown: the
// recipient's own where they have no other.
func (c *conn) personKey(who int64) (string, error) {
	person, err := c.tiedTo(who)
	if err != nil {
		return "", err
	}
	if person != 0 {
		rows, err := c.ties(person)
		if err != nil {
			return "", err
		}
		who = display(rows)
	}
	return c.recipientText(who)
}

// persons are the keys under which people with several ids are shown.
func (c *conn) persons() (map[int64]int64, error) {
	out, rows := map[int64]int64{}, []tieRow(nil)
	err := c.each("SELECT "+tieColumns+" FROM ties ORDER BY person, id", func(st *sqlite.Stmt) error {
		r := scanTie(st)
		if len(rows) > 0 && rows[0].Person != r.Person {
			rows = rows[:0]
		}
		rows = append(rows, r)
		out[r.Person] = display(rows)
		return nil
	})
	return out, err
}

// Ties are the ids of everybody who has several.
func (s *Snapshot) Ties(ctx context.Context) iter.Seq2[state.Tie, error] {
	return func(yield func(state.Tie, error) bool) {
		err := s.ready(ctx)
		if err == nil {
			err = s.ties(yield)
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(state.Tie{}, err)
		}
	}
}

func (s *Snapshot) ties(yield func(state.Tie, error) bool) error {
	if any, _, err := s.c.one("SELECT EXISTS (SELECT 1 FROM ties)"); err != nil || any == 0 {
		return err
	}
	d, err := s.s.dictionary(s.c)
	if err != nil {
		return err
	}
	return s.c.fresh("SELECT "+tieColumns+" FROM ties ORDER BY id", func(st *sqlite.Stmt) error {
		r := scanTie(st)
		out := state.Tie{Recipient: d.recipient(r.ID.ID), Person: d.recipient(r.Person), Since: fromMillis(r.Since), Seen: fromMillis(r.Seen),
			Left: fromMillis(r.Left), Former: r.former}
		if !yield(out, nil) {
			return errStop
		}
		return nil
	})
}

// tiesFromInbound finds who is who in what a state from before format 3 has kept
// of the messages that people wrote.
func (t *tx) tiesFromInbound() error {
	type kept struct {
		number, received int64
		event            message.Event
	}
	var all []kept
	err := t.c.each("SELECT provider, received, event FROM inbound ORDER BY id", func(st *sqlite.Stmt) error {
		k := kept{number: st.ColumnInt64(0), received: st.ColumnInt64(1)}
		if err := json.Unmarshal(columnBlob(st, 2), &k.event); err != nil {
			return fmt.Errorf("%w: an inbound event: %w", state.ErrDamaged, err)
		}
		if k.event.From.Phone != "" && k.event.From.UserID != "" {
			all = append(all, k)
		}
		return nil
	})
	for i := range all {
		if err == nil {
			_, _, err = t.see(all[i].number, all[i].received, &all[i].event)
		}
	}
	return err
}

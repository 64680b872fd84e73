package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/packed"
)

// personBit is the lowest integer of a person with several ids. Phone numbers have
// at most 18 digits and are below it; user ids are negative.
const personBit = int64(1) << 62

// canonicalID is the integer of a phone number in its canonical spelling, under
// which ties keep it. Other integers stay as they are.
func canonicalID(who int64) int64 {
	if who <= 0 || who >= personBit {
		return who
	}
	id, _ := packed.PhoneID(message.Canonical(packed.PhoneText(who)))
	return id
}

// tieRow is a row of ties: an id that is, or with former was, one of a person
// who has several. It follows from what the circle holds.
type tieRow struct {
	row, recipient, person, circle int64           // row is its own id
	kind                           delivery.IDKind // phone number or user id
	since, seen, left              int64           // left is 0 while they have it
	former                         bool            // it is somebody else's now
}

// tieColumns are the columns that scanTie reads, in its order.
const tieColumns = "id, recipient, kind, person, circle, since, seen, gone, former"

// scanTie reads a row of ties.
func scanTie(st *sqlite.Stmt) tieRow {
	return tieRow{row: st.ColumnInt64(0), recipient: st.ColumnInt64(1), kind: delivery.IDKind(st.ColumnInt64(2)), person: st.ColumnInt64(3),
		circle: st.ColumnInt64(4), since: st.ColumnInt64(5), seen: st.ColumnInt64(6), left: st.ColumnInt64(7), former: st.ColumnInt64(8) == 1}
}

// addTie adds a row of ties.
func (t *tx) addTie(r *tieRow) error {
	w := t.insert(tTies, 0)
	w.int(r.recipient)
	w.int(int64(r.kind))
	w.int(r.person)
	w.int(r.circle)
	w.int(r.since)
	w.int(r.seen)
	w.maybe(r.left)
	w.bool(r.former)
	_, err := w.done()
	return err
}

// tiedTo returns the integer of the person whose id a recipient is; 0 for an id that
// was never seen with another.
func (c *conn) tiedTo(who int64) (int64, error) {
	if who >= personBit {
		return who, nil
	}
	person, _, err := c.queryInt("SELECT person FROM ties WHERE recipient = ? AND former = 0", canonicalID(who))
	return person, err
}

// ties reads the ties of a person, former ones too.
func (c *conn) ties(person int64) ([]tieRow, error) { return c.tieRows("person = ?", person) }

// tieRows reads the ties that a condition selects.
func (c *conn) tieRows(where string, args ...any) (out []tieRow, err error) {
	err = c.each("SELECT "+tieColumns+" FROM ties WHERE "+where+" ORDER BY id", func(st *sqlite.Stmt) error {
		out = append(out, scanTie(st))
		return nil
	}, args...)
	return out, err
}

// everyID returns all integers under which a person may have been sent to or may
// have written: the one that is asked for first, then its other spelling, then
// the person's other ids, also those that belong to somebody else now.
func (c *conn) everyID(who int64) ([]int64, error) {
	person, err := c.tiedTo(who)
	if err != nil {
		return nil, err
	}
	return c.idsTied(who, person)
}

// idsTied is everyID of a recipient whose person is known, 0 for none.
func (c *conn) idsTied(who, person int64) (out []int64, err error) {
	out = []int64{who}
	if other := otherID(who); other != 0 {
		out = append(out, other)
	}
	if person == 0 {
		return out, nil
	}
	rows, err := c.ties(person)
	for i := range rows {
		id := rows[i].recipient
		for _, id := range [...]int64{id, otherID(id)} {
			if id != 0 && !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out, err
}

// addressee is whom an intent goes to, looked up once for all that is asked of them.
type addressee struct {
	who, also           int64   // the recipient, and another id that the plan has of them; 0 for none
	place, anotherPlace int64   // where what is known under each is kept
	ids                 []int64 // under which they may have been sent to, in the order of everyID
}

// addressee looks a recipient up.
func (c *conn) addressee(who, also int64) (a addressee, err error) {
	a.who, a.also = who, also
	if a.place, a.ids, err = c.lookUp(who); err != nil || also == 0 {
		return a, err
	}
	place, ids, err := c.lookUp(also)
	a.anotherPlace = place
	for _, id := range ids {
		if !slices.Contains(a.ids, id) {
			a.ids = append(a.ids, id)
		}
	}
	return a, err
}

// lookUp is personID and everyID at once.
func (c *conn) lookUp(who int64) (place int64, ids []int64, err error) {
	person, err := c.tiedTo(who)
	if err != nil {
		return 0, nil, err
	}
	if place, err = c.placeOf(who, person); err != nil {
		return 0, nil, err
	}
	ids, err = c.idsTied(who, person)
	return place, ids, err
}

// idList is a list for "IN (SELECT value FROM json_each(?))".
func (c *conn) idList(who int64) (string, error) {
	ids, err := c.everyID(who)
	return jsonList(ids), err
}

// jsonList is a list of ids as SQL's json_each reads it.
func jsonList(ids []int64) string {
	text := []byte{'['}
	for i, id := range ids {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, id, 10)
	}
	return string(append(text, ']'))
}

// see records what an event says about who is who. gone says that one of its ids
// was erased: then the others are erased too, and the caller keeps nothing of the
// event. named says that the event names anybody.
func (t *tx) see(number, received int64, ev *message.Event) (named, gone bool, err error) {
	now, old := delivery.Names(ev)
	through, err := t.c.addressText(number)
	if err != nil {
		return false, false, err
	}
	gone, err = t.together(through, delivery.EventTime(ev, received), now, old)
	return len(now)+len(old) > 0, gone, err
}

// together records that a sending number was told that ids belong to one person
// at a moment, in place of the old ones. gone is that of see.
func (t *tx) together(number string, at int64, now, old []string) (gone bool, err error) {
	all := idsOf(slices.Concat(now, old))
	if gone, err = t.erasedWith(slices.Concat(now, old)); err != nil || gone || len(slices.Compact(all)) < 2 {
		return gone, err
	}
	c, err := t.gather(slices.Concat(now, old)...)
	if err != nil || !c.See(delivery.Sighting{At: at, Number: number, IDs: idsOf(now), Old: idsOf(old)}) {
		return false, err
	}
	return false, t.keep(c)
}

// idsOf are keys as package delivery takes them.
func idsOf(keys []string) (out []delivery.ID) {
	for _, key := range keys {
		out = append(out, delivery.ID(message.Canonical(key)))
	}
	return out
}

// textsOf is the reverse of idsOf.
func textsOf(ids []delivery.ID) (out []string) {
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}

// display returns the id under which a person is shown; see delivery.DisplayRank.
func display(rows []tieRow) (who int64) {
	best := 0
	for i := range rows {
		if r := &rows[i]; !r.former {
			if rank := delivery.DisplayRank(r.kind, r.left != 0); rank > best {
				best, who = rank, r.recipient
			}
		}
	}
	return who
}

// held lists the ids that belong to the person with an integer of people.
func (d *dictionary) held(c *conn, who int64) (out []string, err error) {
	if who < personBit {
		return []string{d.recipient(who)}, nil
	}
	rows, err := c.ties(who)
	for i := range rows {
		if !rows[i].former {
			out = append(out, d.recipient(rows[i].recipient))
		}
	}
	slices.Sort(out)
	return out, err
}

// writer returns the key of the person who had an id at a moment: the one under
// which they are shown now. same says that the id is still theirs.
func (c *conn) writer(who, at int64) (key string, same bool, err error) {
	all, err := c.tieRows("recipient = ?", canonicalID(who))
	if err != nil {
		return "", false, err
	}
	if len(all) > 0 {
		var ties []delivery.Tie
		for i := range all {
			ties = append(ties, delivery.Tie{Person: all[i].person, Since: all[i].since})
		}
		held := delivery.Holder(ties, at).Person
		same = slices.ContainsFunc(all, func(r tieRow) bool { return r.person == held && !r.former })
		rows, err := c.ties(held)
		if err != nil {
			return "", false, err
		}
		who = display(rows)
	}
	key, err = c.recipientText(who)
	return key, same || len(all) == 0, err
}

// persons returns for each person with several ids the one under which they are
// shown.
func (c *conn) persons() (map[int64]int64, error) {
	out, rows := map[int64]int64{}, []tieRow(nil)
	err := c.each("SELECT "+tieColumns+" FROM ties ORDER BY person, id", func(st *sqlite.Stmt) error {
		r := scanTie(st)
		if len(rows) > 0 && rows[0].person != r.person {
			rows = rows[:0]
		}
		rows = append(rows, r)
		out[r.person] = display(rows)
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

// ties streams the ties of people with several ids.
func (s *Snapshot) ties(yield func(state.Tie, error) bool) error {
	if any, _, err := s.c.queryInt("SELECT EXISTS (SELECT 1 FROM ties)"); err != nil || any == 0 {
		return err
	}
	d, err := s.s.dictionary(s.c)
	if err != nil {
		return err
	}
	several := "person IN (SELECT person FROM ties GROUP BY person HAVING count(*) > 1)"
	return s.c.eachNested("SELECT "+tieColumns+" FROM ties WHERE "+several+" ORDER BY id", func(st *sqlite.Stmt) error {
		r := scanTie(st)
		out := state.Tie{Recipient: d.recipient(r.recipient), Person: d.recipient(r.person), Since: state.Moment(r.since), Seen: state.Moment(r.seen),
			Left: state.Moment(r.left), Former: r.former}
		if !yield(out, nil) {
			return errStop
		}
		return nil
	})
}

// tiesFromInbound works out who is who from the messages that a state of format 1
// or 2 kept.
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

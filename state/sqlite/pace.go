package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/state"
	"zombiezen.com/go/sqlite"
)

// slotsPrefix begins the names of the blobs with the slots of sending numbers,
// such as "pace/provider.cloud.main". Package pace has their format.
const slotsPrefix = "pace/"

// numberSlots are a number's slots while a transaction has them.
type numberSlots struct {
	pace.Slots
	changed bool // by this transaction
}

// ownSlots are slots as this process wrote them. While nobody else has written,
// they are better than the blob: they hold monotonic times, which do not jump when
// somebody sets the wall clock.
type ownSlots struct {
	pace.Slots
	data []byte // the blob that they became
}

// Slots gives many slots of a number to messages that missed theirs, and returns
// the first; the others follow a.Gap apart. It writes nothing else.
func (s *Store) Slots(ctx context.Context, number string, a pace.Ask, many int) (first time.Time, err error) {
	err = s.write(ctx, func(t *tx) error {
		t.retimes = true
		n, err := t.slots(number)
		if err != nil {
			return err
		}
		first, n.changed = n.Again(a, t.clock, many), true
		return t.keepSlots()
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("taking other moments to send at: %w", err)
	}
	return first, nil
}

// slots reads the slots of a number, once a transaction. A blob that cannot be
// read counts as none, since slots only concern the next seconds.
func (t *tx) slots(number string) (*numberSlots, error) {
	if n := t.paces[number]; n != nil {
		return n, nil
	}
	n := &numberSlots{}
	err := t.c.each("SELECT data FROM blobs WHERE name = ?", func(st *sqlite.Stmt) error {
		data := columnBlob(st, 0)
		// See ownSlots.
		if own, ok := t.s.slots[number]; ok && bytes.Equal(data, own.data) {
			n.Slots = own.Slots
		} else if n.UnmarshalBinary(data) != nil {
			n.Slots = pace.Slots{}
		}
		return nil
	}, slotsPrefix+number)
	if err != nil {
		return nil, err
	}
	if t.paces == nil {
		t.paces = map[string]*numberSlots{}
	}
	t.paces[number] = n
	return n, nil
}

// keepSlots writes the slots that the transaction took.
func (t *tx) keepSlots() error {
	for number, n := range t.paces {
		if !n.changed {
			continue
		}
		data, err := n.MarshalBinary()
		if err != nil {
			return err
		}
		if err := t.putBlob(slotsPrefix+number, data); err != nil {
			return err
		}
		n.changed = false
		t.s.slots[number] = ownSlots{n.Slots, data}
	}
	return nil
}

// slot gives an intent that passed all other gates the moment at which it leaves,
// or says when to ask again.
func (t *tx) slot(number string, in *state.Intent) (state.Verdict, error) {
	if in.Pace.Gap <= 0 {
		return state.Verdict{}, nil
	}
	n, err := t.slots(number)
	if err != nil {
		return state.Verdict{}, err
	}
	leave, ok := n.Take(in.Pace, t.clock)
	if !ok {
		return state.Verdict{Gate: delivery.GatePace, Until: leave}, nil
	}
	n.changed = true
	return state.Verdict{Leave: leave}, nil
}

// hold closes the slots of a number until the moment that the provider asked for.
func (t *tx) hold(o *state.Outcome) error {
	if o.Hold.IsZero() || o.Number == "" {
		return nil
	}
	n, err := t.slots(o.Number)
	if err == nil {
		n.Hold(o.Hold, t.clock)
		n.changed = true
	}
	return err
}

// recent remembers who was written to in the last seconds, by any process, so that
// keeping two messages to one person apart needs no query for each message. It may
// also hold somebody who was written to a little earlier; the query decides.
type recent struct {
	upto  int64              // attempts up to this id were looked at; 0 for none
	begun int64              // when now was begun
	now   map[int64]struct{} // recipients that were written to since then
	then  map[int64]struct{} // and those before, for at least as long as is remembered
}

// remembered is how long recent keeps a recipient at least, in milliseconds:
// longer than any spacing that is asked for.
const remembered = int64(10 * time.Second / time.Millisecond)

// errEnough ends a query that has found what it looked for.
var errEnough = errors.New("enough")

// read adds the attempts of other processes, up to the one before next, and drops
// those that are too old.
func (r *recent) read(c *conn, next, now int64) error {
	if r.now == nil || now-r.begun > remembered {
		r.begun, r.now, r.then = now, map[int64]struct{}{}, r.now
	}
	if next-1 > r.upto {
		// Ids rise with time, but for those of an import, which tells of the past.
		err := c.each("SELECT recipient, intended, lane FROM attempts WHERE id > ? AND id < ? ORDER BY id DESC", func(st *sqlite.Stmt) error {
			switch {
			case st.ColumnInt64(2) == laneImport:
			case st.ColumnInt64(1) <= now-remembered:
				return errEnough
			default:
				r.add(st.ColumnInt64(0))
			}
			return nil
		}, r.upto, next)
		if err != nil && !errors.Is(err, errEnough) {
			return err
		}
	}
	r.upto = next - 1
	return nil
}

// add notes that a recipient was written to.
func (r *recent) add(who int64) { r.now[who] = struct{}{} }

// has reports whether a recipient may have been written to lately.
func (r *recent) has(who int64) bool {
	_, now := r.now[who]
	_, then := r.then[who]
	return now || then
}

// forget drops everything after a transaction that failed.
func (r *recent) forget() { *r = recent{} }

// spaced holds a message back that would come too soon after another to the same
// person, by whatever sent it.
func (t *tx) spaced(ids []int64, in *state.Intent) (state.Verdict, error) {
	if in.Spacing <= 0 {
		return state.Verdict{}, nil
	}
	if !slices.ContainsFunc(ids, t.s.recent.has) {
		return state.Verdict{}, nil
	}
	last, _, err := t.c.queryInt(`SELECT coalesce(max(a.intended), 0) FROM attempts a LEFT JOIN outcomes o ON o.id = a.id
		WHERE a.recipient IN (SELECT value FROM json_each(?)) AND a.intended > ? AND a.lane <> -1 AND (o.send IS NULL OR o.send <> ?)`,
		jsonList(ids), t.now-remembered, int(state.Pending))
	if err != nil {
		return state.Verdict{}, err
	}
	gate, until := delivery.Spaced(last, t.now, in.Spacing)
	if gate == delivery.GateNone {
		return state.Verdict{}, nil
	}
	return state.Verdict{Gate: gate, Until: state.Moment(until)}, nil
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/handbill/handbill/state"
)

// take gives the lane of a sending number to a run, or to the server that answers if
// run is 0.
func (t *tx) take(number string, run int64) (state.Lane, error) {
	if number == "" {
		return state.Lane{}, errors.New("a lane needs a sending number")
	}
	l := state.Lane{Number: number, Run: run}
	t.one("SELECT (SELECT coalesce(max(id), 0) + 1 FROM lanes), (SELECT coalesce(max(epoch), 0) + 1 FROM lanes WHERE number = $1 AND replies = $2)",
		args(number, run == 0), &l.ID, &l.Epoch)
	t.later("INSERT INTO lanes (id, number, replies, epoch, run) VALUES ($1, $2, $3, $4, $5)", l.ID, number, run == 0, l.Epoch, run)
	return l, nil
}

// laneRow is a lane as the state has it.
type laneRow struct {
	state.Lane
	over    bool // it is done, or its run is over
	taken   bool // another process has taken its number since
	limited bool // it has an owner for a limited time
}

// askLanes reads lanes with the next flush.
func (t *tx) askLanes(ids []int64) {
	for _, id := range ids {
		t.lanes[id] = nil
	}
	var r laneRow
	t.ask(`SELECT l.id, l.number, l.epoch, l.run, l.done OR coalesce((SELECT over FROM runs WHERE id = l.run), false), NOT (`+newest+`) AND NOT (`+joined+`), l.until IS NOT NULL
		FROM lanes l WHERE l.id = ANY($1)`, args(ids), []any{&r.ID, &r.Number, &r.Epoch, &r.Run, &r.over, &r.taken, &r.limited}, func() error {
		one := r
		t.lanes[r.ID] = &one
		return nil
	}, nil)
}

// fence refuses a lane if another process has taken its number since. It begins the
// limit of a lane anew that has one: the transaction orders that against a takeover.
func (t *tx) fence(l state.Lane) error {
	if _, ok := t.lanes[l.ID]; !ok {
		t.askLanes([]int64{l.ID})
		t.flush()
	}
	r := t.lanes[l.ID]
	open := r != nil && r.Number == l.Number && r.Epoch == l.Epoch && r.Run == l.Run
	switch {
	case t.err != nil:
		return t.err
	case open && r.limited && (r.taken || r.over):
		return state.ErrFenced // somebody took it over, or began another run when nobody drove this one
	case !open || r.over:
		return fmt.Errorf("lane %d is not open", l.ID)
	case r.taken:
		return state.ErrFenced
	case r.limited:
		t.limits = append(t.limits, l.ID)
	}
	return nil
}

// putLimits begins the limits of lanes anew.
func (t *tx) putLimits() {
	if len(t.limits) > 0 {
		slices.Sort(t.limits)
		ids := slices.Compact(t.limits)
		t.limits = nil
		t.later("UPDATE lanes SET until = clock_timestamp() + $2 * interval '1 millisecond' WHERE id = ANY($1)", ids, laneLimit().Milliseconds())
	}
}

// Unsettled implements state.Store.
func (s *Store) Unsettled(ctx context.Context) (numbers []string, err error) {
	err = s.read(ctx, func(t *tx) error {
		numbers = t.texts("SELECT number FROM lanes WHERE NOT replies AND NOT over GROUP BY number ORDER BY number COLLATE \"C\"")
		return nil
	})
	return numbers, err
}

// texts reads rows with one text column.
func (t *tx) texts(sql string, a ...any) (out []string) {
	var text string
	t.each(sql, a, []any{&text}, func() error {
		out = append(out, text)
		return nil
	})
	return out
}

// Recover implements state.Store.
func (s *Store) Recover(ctx context.Context, number string) (n int, err error) {
	err = s.write(ctx, func(t *tx) error {
		// What the owner of a lane has under way is not lost.
		n = t.recover(number, "a.run > 0 AND NOT EXISTS (SELECT FROM lanes l WHERE l.run = a.run AND l.number = a.number AND NOT l.replies AND NOT l.done AND l.until > clock_timestamp() AND "+newest+")")
		t.later(`UPDATE lanes l SET over = true WHERE l.number = $1 AND NOT l.replies AND NOT l.over AND
			(EXISTS (SELECT FROM runs r WHERE r.id = l.run AND r.over) OR EXISTS (SELECT FROM lanes o WHERE o.number = l.number AND NOT o.replies AND o.epoch > l.epoch))`, number)
		return nil
	})
	return n, named(err, "recovering what was left open at "+number)
}

// recover marks the open attempts of some runs at a number as in doubt.
func (t *tx) recover(number, of string) int {
	return t.exec(`INSERT INTO outcomes (id, send, proof, settled, code, title, cause, sent_id)
		SELECT a.id, $1, '', $2, '', '', 'interrupted', '' FROM attempts a WHERE a.number = $3 AND `+of+` AND NOT EXISTS (SELECT FROM outcomes o WHERE o.id = a.id)`,
		int16(state.InDoubt), t.now, number)
}

// RecoverReplies implements state.Store.
func (s *Store) RecoverReplies(ctx context.Context, number string) (l state.Lane, n int, err error) {
	err = s.write(ctx, func(t *tx) (err error) {
		if l, err = t.take(number, 0); err != nil {
			return err
		}
		ended := t.ints("SELECT id FROM lanes l WHERE l.number = $1 AND NOT l.done AND "+joined, number)
		n = t.recover(number, "a.run = 0") + t.endReplies(ended)
		return nil
	})
	return l, n, named(err, "taking "+number+" for answers")
}

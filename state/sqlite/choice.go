package sqlite

import (
	"context"
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
)

// putChoice writes which text an attempt sends, where the campaign has several.
func (t *tx) putChoice(id int64, c *state.Choice) error {
	if *c == (state.Choice{}) {
		return nil
	}
	w := t.replace(tChoices, id)
	w.maybeText(c.Arm)
	w.maybeText(c.Variant)
	w.maybeText(c.Attributes)
	_, err := w.done()
	return err
}

// choiceColumns are the columns that scanChoice reads.
const choiceColumns = "id, arm, variant, attributes"

// scanChoice reads a row of choices whose arm is in column first.
func scanChoice(st *sqlite.Stmt, first int) state.Choice {
	return state.Choice{Arm: st.ColumnText(first), Variant: st.ColumnText(first + 1), Attributes: st.ColumnText(first + 2)}
}

// forgetAttributes removes the attributes that were kept with an attempt.
func (t *tx) forgetAttributes(id int64) error {
	var c state.Choice
	err := t.c.each("SELECT "+choiceColumns+" FROM choices WHERE id = ? AND attributes IS NOT NULL", func(st *sqlite.Stmt) error {
		c = scanChoice(st, 1)
		return nil
	}, id)
	if err != nil || c.Attributes == "" {
		return err
	}
	if c.Attributes = ""; c == (state.Choice{}) {
		return t.remove(tChoices, id)
	}
	return t.putChoice(id, &c)
}

// HoldOut implements state.Store.
func (s *Store) HoldOut(ctx context.Context, lane state.Lane, who []state.Key) (n int, err error) {
	err = s.write(ctx, func(t *tx) error {
		n = 0
		if err := t.fence(lane); err != nil {
			return err
		}
		for i := range who {
			held, err := t.holdOut(&who[i])
			if err != nil {
				return err
			}
			if held {
				n++
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("recording who is held out: %w", err)
	}
	return n, nil
}

// holdOut records that a recipient is held out, unless the delivery is recorded
// already, and reports whether they are.
func (t *tx) holdOut(key *state.Key) (bool, error) {
	if erased, err := t.s.isErased(t.c, key.Recipient); err != nil || erased {
		return false, err
	}
	known, err := t.attemptAt(*key)
	if err == nil {
		o, settled, err := t.c.outcome(known)
		return settled && o.send == state.HeldOut, err
	}
	if !errors.Is(err, state.ErrUnknown) {
		return false, err
	}
	campaign, err := t.address(key.Campaign)
	if err != nil {
		return false, err
	}
	text, err := t.address("")
	if err != nil {
		return false, err
	}
	to, err := t.recipient(key.Recipient)
	if err != nil {
		return false, err
	}
	w := t.insert(tAttempts, 0)
	for _, v := range [...]int64{to, campaign, int64(key.Revision), 1, laneImport, text, t.now} {
		w.int(v)
	}
	w.blob(make([]byte, 16))
	w.blob(make([]byte, 16))
	w.null()
	id, err := w.done()
	if err != nil {
		return false, err
	}
	return true, t.putOutcome(&outcomeRow{id: id, send: state.HeldOut, settled: t.now}, false)
}

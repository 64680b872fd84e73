package sqlite

import (
	"context"
	"fmt"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state"
	"zombiezen.com/go/sqlite"
)

// outcomeRow is a row of outcomes. sentID is the provider's message id, packed;
// hash is what it is found by.
type outcomeRow struct {
	id      int64 // of the attempt
	send    state.Send
	proof   state.Proof // how an accepted one is known
	settled int64       // when, in milliseconds
	code    string      // of the provider
	title   string      // the code in a few words
	cause   string      // of a doubt
	hash    int64       // hash48 of the message id
	sentID  any         // packed
}

// outcome reads the outcome of an attempt; ok is false while it is open.
func (c *conn) outcome(id int64) (o outcomeRow, ok bool, err error) {
	err = c.each("SELECT send, proof, settled, code, title, cause, hash, sent_id FROM outcomes WHERE id = ?",
		func(st *sqlite.Stmt) error {
			ok = true
			o = outcomeRow{id: id, send: state.Send(st.ColumnInt(0)), proof: proofOf(st.ColumnInt64(1)), settled: st.ColumnInt64(2),
				code: st.ColumnText(3), title: st.ColumnText(4), cause: st.ColumnText(5), hash: st.ColumnInt64(6), sentID: columnPacked(st, 7)}
			return nil
		}, id)
	return o, ok, err
}

// columnPacked reads a column that rowWriter.packed wrote.
func columnPacked(st *sqlite.Stmt, col int) any {
	switch st.ColumnType(col) {
	case sqlite.TypeBlob:
		return columnBlob(st, col)
	case sqlite.TypeText:
		return st.ColumnText(col)
	}
	return nil
}

// putOutcome writes an outcome; exists says that it takes the place of one.
func (t *tx) putOutcome(o *outcomeRow, exists bool) error {
	var w *rowWriter
	if exists {
		w = t.replace(tOutcomes, o.id)
	} else {
		w = t.insert(tOutcomes, o.id)
	}
	w.int(int64(o.send))
	w.int(proofNumber(o.proof))
	w.int(o.settled)
	w.maybeText(o.code)
	w.maybeText(o.title)
	w.maybeText(o.cause)
	w.maybe(o.hash)
	w.packed(o.sentID)
	_, err := w.done()
	return err
}

// Settle records outcomes in one durable transaction. An outcome for an attempt
// that an event settled already is joined, never overwritten.
func (s *Store) Settle(ctx context.Context, lane state.Lane, outcomes []state.Outcome) error {
	_, err := s.Turn(ctx, lane, outcomes, nil)
	return err
}

// settleAll records outcomes. Whether events wait and whether anybody was
// erased is asked once for all of them.
func (t *tx) settleAll(outcomes []state.Outcome) error {
	if len(outcomes) == 0 {
		return nil
	}
	waiting, _, err := t.c.queryInt("SELECT EXISTS (SELECT 1 FROM orphans)")
	if err != nil {
		return err
	}
	erased, _, err := t.c.queryInt("SELECT EXISTS (SELECT 1 FROM erased)")
	if err != nil {
		return err
	}
	for i := range outcomes {
		if erased == 1 {
			if outcomes[i], err = t.nameless(outcomes[i]); err != nil {
				return err
			}
		}
		if err := t.settle(&outcomes[i]); err != nil {
			return err
		}
		if err := t.hold(&outcomes[i]); err != nil {
			return err
		}
		// The answer tells the message id that these events wait for.
		if waiting == 1 && outcomes[i].ID != "" {
			if err := t.adopt(outcomes[i].ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// nameless removes the message id from the outcome of somebody who was erased
// while the message was on its way, and drops the events that waited for it:
// WhatsApp's ids hold the phone number.
func (t *tx) nameless(o state.Outcome) (state.Outcome, error) {
	who, _, err := t.c.queryInt("SELECT recipient FROM attempts WHERE id = ?", o.Attempt)
	if err != nil || o.ID == "" {
		return o, err
	}
	gone, err := t.isErasedID(who)
	if err != nil || !gone {
		return o, err
	}
	_, err = t.removeAll(tOrphans, "SELECT id FROM orphans WHERE hash = ?", hash48(o.ID))
	o.ID = ""
	return o, err
}

// settle records one outcome. An attempt that an event or a recovery settled
// meanwhile is joined by the rules of delivery.Joins.
func (t *tx) settle(o *state.Outcome) error {
	old, exists, err := t.c.outcome(o.Attempt)
	if err != nil {
		return err
	}
	if !exists {
		// An attempt that was given up may have been removed since.
		if _, there, err := t.c.queryInt("SELECT 1 FROM attempts WHERE id = ?", o.Attempt); err != nil || !there {
			return err
		}
	}
	next := outcomeRow{id: o.Attempt, send: o.Send, proof: o.Proof, settled: state.Millis(o.At), code: o.Code, title: o.Title,
		cause: o.Cause, hash: hash48(o.ID), sentID: packID(o.ID)}
	if exists {
		err = t.join(&old, &next, o.ID)
	} else if err = delivery.Transition(state.Sending, o.Send, o.Proof); err == nil {
		err = t.putOutcome(&next, false)
	}
	if err != nil {
		return err
	}
	return t.consequences(o)
}

// join adds an answer to an outcome that an event or a recovery wrote before it.
func (t *tx) join(old, next *outcomeRow, messageID string) error {
	how, err := delivery.Joins(old.send, next.send, next.proof)
	if err != nil {
		return err
	}
	switch how {
	case delivery.JoinReplace:
		return t.putOutcome(next, true)
	case delivery.JoinComplete:
		return t.joinAccepted(old, next)
	case delivery.JoinContradict:
		return t.find(state.FindingContradiction, old.id, fmt.Sprintf("accepted by %s, and the answer said %s %s", old.proof, next.send, next.code))
	case delivery.JoinAfterAll:
		return t.acceptedAfterAll(old, next, messageID)
	}
	return nil
}

// acceptedAfterAll records an answer that says accepted, where an operator or an
// earlier answer said that the provider did not take the message. Where another
// attempt was made since, that one stands for the delivery.
func (t *tx) acceptedAfterAll(old, next *outcomeRow, messageID string) error {
	later, err := t.later(old.id)
	if err != nil {
		return err
	}
	if later != 0 {
		_, err = t.provenLate(old.id, later, next, messageID)
		return err
	}
	if err := t.find(state.FindingContradiction, old.id, fmt.Sprintf("believed to be %s, and then its answer said accepted", old.send)); err != nil {
		return err
	}
	return t.putOutcome(next, true)
}

// joinAccepted adds the message id to an accepted outcome that has none, and keeps a
// finding where it has another.
func (t *tx) joinAccepted(old, next *outcomeRow) error {
	switch {
	case next.sentID == nil || same(old.sentID, next.sentID):
		return nil
	case old.sentID != nil:
		return t.find(state.FindingDuplicate, old.id, "the provider has two ids for one message")
	}
	who, _, err := t.c.queryInt("SELECT recipient FROM attempts WHERE id = ?", old.id)
	if err != nil {
		return err
	}
	if erased, err := t.isErasedID(who); err != nil || erased {
		return err // WhatsApp's ids hold the phone number
	}
	old.sentID, old.hash = next.sentID, next.hash
	return t.putOutcome(old, true)
}

// consequences records what an answer says about the person: an opt-out, a
// cool-down, a closed window, or another id of theirs.
func (t *tx) consequences(o *state.Outcome) error {
	if !o.Tells() && o.UserID == "" {
		return nil
	}
	who, ok, err := t.c.queryInt("SELECT recipient FROM attempts WHERE id = ?", o.Attempt)
	if err != nil || !ok {
		return err
	}
	if erased, err := t.isErasedID(who); err != nil || erased {
		if err == nil && o.UserID != "" { // erased is erased under every id
			return t.erase(o.UserID, t.s.ledgerName(o.UserID))
		}
		return err
	}
	key, err := t.c.recipientText(who)
	if err != nil {
		return err
	}
	if o.UserID != "" {
		if gone, err := t.together(o.Number, state.Millis(o.At), []string{key, o.UserID}, nil); err != nil || gone {
			return err
		}
	}
	if !o.Tells() {
		return nil
	}
	return t.tell(key, o.Tell)
}

// find keeps a contradiction as a finding; the same one is kept once.
func (t *tx) find(kind string, attempt int64, detail string) error {
	_, ok, err := t.c.queryInt("SELECT 1 FROM findings WHERE kind = ? AND attempt = ? AND detail = ?", kind, attempt, detail)
	if err != nil || ok {
		return err
	}
	w := t.insert(tFindings, 0)
	w.int(t.now)
	w.text(kind)
	w.int(attempt)
	w.text(detail)
	_, err = w.done()
	return err
}

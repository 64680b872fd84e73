package sqlite

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"zombiezen.com/go/sqlite"
)

// Events joins events that were asked for, as by a poll: at once, and in one
// transaction.
func (s *Store) Events(ctx context.Context, provider string, evs []message.Event) error {
	err := s.write(ctx, func(t *tx) error {
		from, err := t.address(provider)
		if err != nil {
			return err
		}
		for i := range evs {
			if err := t.event(from, t.now, &evs[i], state.ProofPoll); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("joining %d events of %s: %w", len(evs), provider, err)
	}
	return nil
}

// event joins one event. Any order and any repetition of events end in the
// same state.
func (t *tx) event(provider, received int64, ev *message.Event, by state.Proof) error {
	switch ev.Kind {
	case message.EventStatus:
		return t.statusEvent(provider, received, ev, by)
	case message.EventInbound:
		return t.inboundEvent(provider, received, ev)
	case message.EventPreference:
		return t.preferenceEvent(provider, received, ev)
	case message.EventIdentity:
		return t.identityEvent(provider, received, ev)
	case message.EventGroup:
		return t.groupEvent(provider, received, ev)
	}
	if ev.Template != nil {
		if err := t.tellTemplate(provider, received, ev); err != nil {
			return err
		}
	}
	return t.notice(provider, received, ev)
}

// eventTime is when an event happened, as delivery.EventTime decides.
func eventTime(ev *message.Event, received int64) int64 { return delivery.EventTime(ev, received) }

// attemptOf finds the attempt that an event is about, by its reference or else by
// the provider's id; 0 for none. A reference holds a keyed hash, so it proves what
// it names; an id is the provider's word.
func (t *tx) attemptOf(ref, id string) (int64, error) {
	if packed := packRef(t.s.refHead, ref); packed != nil {
		// The index of references holds their first six bytes, to be small. The
		// rows that share them are compared as a whole.
		at, err := t.findPacked("SELECT id, ref FROM attempts WHERE substr(ref, 1, 6) = substr(?1, 1, 6) AND ref IS NOT NULL", packed, packed)
		if err != nil || at != 0 {
			return at, err
		}
	}
	if id == "" {
		return 0, nil
	}
	return t.findPacked("SELECT id, sent_id FROM outcomes WHERE hash = ? AND hash IS NOT NULL ORDER BY id", packID(id), hash48(id))
}

// findPacked runs a query by hash and returns the id of the row whose packed
// value is really equal.
func (t *tx) findPacked(query string, want, arg any) (found int64, err error) {
	err = t.c.each(query, func(st *sqlite.Stmt) error {
		if found == 0 && same(want, columnPacked(st, 1)) {
			found = st.ColumnInt64(0)
		}
		return nil
	}, arg)
	return found, err
}

// statusEvent joins a status. One about a message that is not known waits as an
// orphan: the answer with its id may still be on its way. A status with a
// reference of this state that it does not know proves that the state is older
// than what was sent from it.
func (t *tx) statusEvent(provider, received int64, ev *message.Event, by state.Proof) error {
	if now, _ := delivery.Names(ev); len(now) > 1 {
		if _, _, err := t.see(provider, received, ev); err != nil {
			return err
		}
	}
	id, err := t.attemptOf(ev.Ref, ev.ID)
	if err != nil {
		return err
	}
	if id == 0 {
		if ev.Ref != "" && message.OurRef(t.s.lineage, ev.Ref) {
			if err := t.find(state.FindingRollback, 0, "a status came for reference "+ev.Ref+", which this state does not know: it is older than what was sent from it"); err != nil {
				return err
			}
		}
		return t.orphan(provider, received, ev.ID, ev)
	}
	return t.joinStatus(id, provider, received, ev, by)
}

// joinStatus joins a status to the attempt that it is about.
func (t *tx) joinStatus(id, provider, received int64, ev *message.Event, by state.Proof) error {
	id, err := t.proven(id, ev, by, eventTime(ev, received))
	if err != nil {
		return err
	}
	st, err := t.c.status(id)
	if err != nil {
		return err
	}
	before := st
	at := eventTime(ev, received)
	st.join(ev, at)
	if st != before {
		if err := t.putStatus(&st); err != nil {
			return err
		}
	}
	if err := t.billed(id, ev, at); err != nil || !ev.Failed {
		return err
	}
	return t.failed(id, provider, ev.Code, at)
}

// proven records that the provider took an attempt, since a status of it came. It
// returns the attempt that the status counts for: this one, or a later attempt
// at the same delivery, which was made because this one was believed lost.
func (t *tx) proven(id int64, ev *message.Event, by state.Proof, at int64) (int64, error) {
	o, exists, err := t.c.outcome(id)
	if err != nil {
		return id, err
	}
	next := outcomeRow{id: id, send: state.Accepted, proof: by, settled: at, hash: hash48(ev.ID), sentID: packID(ev.ID)}
	if exists && o.send == state.Accepted {
		old := o.sentID
		if err := t.joinAccepted(&o, &next); err != nil || old != nil || ev.ID == "" {
			return id, err
		}
		return id, t.adopt(ev.ID)
	}
	if later, err := t.later(id); err != nil || later != 0 {
		return t.provenLate(id, later, &next, ev.ID)
	}
	from := state.Sending
	if exists {
		from = o.send
	}
	switch from {
	case state.Rejected:
		err = t.find(state.FindingContradiction, id, "refused with "+o.code+", and then a status came for it")
	case state.Pending:
		err = t.find(state.FindingContradiction, id, "believed to be not taken, and then a status came for it")
	}
	if err != nil {
		return id, err
	}
	if err := delivery.Transition(from, state.Accepted, by); err != nil {
		return id, err
	}
	return id, t.accept(&next, exists, ev.ID)
}

// later returns the last attempt at the same delivery after this one; 0 for none.
// Attempts after a new order by a person (superseded) belong to another message
// and do not count.
func (t *tx) later(id int64) (int64, error) {
	last, _, err := t.c.queryInt(`SELECT b.id FROM attempts a, attempts b WHERE a.id = ? AND b.recipient = a.recipient
		AND b.campaign = a.campaign AND b.revision = a.revision AND b.attempt > a.attempt
		AND NOT EXISTS (SELECT 1 FROM superseded s JOIN attempts c ON c.id = s.id WHERE c.recipient = a.recipient
			AND c.campaign = a.campaign AND c.revision = a.revision AND c.attempt >= a.attempt AND c.attempt < b.attempt)
		ORDER BY b.attempt DESC LIMIT 1`, id)
	return last, err
}

// provenLate handles proof of an attempt that was believed lost and was made
// again. The last attempt stands for the delivery. It becomes accepted by this
// proof, unless it is already, so that no third attempt is made. That the person
// may have got two messages is kept as a finding.
func (t *tx) provenLate(id, last int64, next *outcomeRow, messageID string) (int64, error) {
	l, exists, err := t.c.outcome(last)
	if err != nil {
		return id, err
	}
	if exists && l.send == state.Accepted && next.sentID != nil {
		switch {
		case same(l.sentID, next.sentID):
			return last, nil
		case l.sentID == nil: // an operator said so, who knew no id
			if err := t.joinAccepted(&l, next); err != nil {
				return last, err
			}
			return last, t.adopt(messageID)
		}
	}
	if err := t.find(state.FindingDuplicate, id, "believed to be not taken and made again, and then a status came for it"); err != nil {
		return id, err
	}
	from := state.Sending
	if exists {
		from = l.send
	}
	if from == state.Accepted {
		return id, nil
	}
	if err := delivery.Transition(from, state.Accepted, next.proof); err != nil {
		return last, err
	}
	next.id = last
	return last, t.accept(next, exists, messageID)
}

// accept writes an accepted outcome and joins the events that waited for its
// id.
func (t *tx) accept(o *outcomeRow, exists bool, id string) error {
	if err := t.putOutcome(o, exists); err != nil {
		return err
	}
	if id == "" {
		return nil
	}
	return t.adopt(id)
}

// statusRow is a row of statuses: how far an accepted message got, and when the
// person answered it first.
type statusRow struct {
	id      int64           // of the attempt
	joined  delivery.Status // how far the message got, or that it failed
	replied int64           // 0 for never
}

// join adds what an event says.
func (s *statusRow) join(ev *message.Event, at int64) {
	if ev.Failed {
		s.joined = s.joined.Failed(ev.Code, ev.Title, at)
		return
	}
	s.joined = s.joined.Reached(ev.Rank, at)
}

// status reads the status of an attempt; zero when nothing was told.
func (c *conn) status(id int64) (statusRow, error) {
	out := statusRow{id: id}
	err := c.each("SELECT rank, rank_at, failed_at, fail_code, fail_title, replied FROM statuses WHERE id = ?", func(st *sqlite.Stmt) error {
		out = scanStatus(st, id, 0)
		return nil
	}, id)
	return out, err
}

// scanStatus reads the columns rank to replied, of which the first is number
// from.
func scanStatus(st *sqlite.Stmt, id int64, from int) statusRow {
	return statusRow{id: id, replied: st.ColumnInt64(from + 5), joined: delivery.Status{Rank: message.Rank(st.ColumnInt(from)), RankAt: st.ColumnInt64(from + 1),
		FailedAt: st.ColumnInt64(from + 2), FailCode: st.ColumnText(from + 3), FailTitle: st.ColumnText(from + 4)}}
}

// putStatus writes a row of statuses.
func (t *tx) putStatus(s *statusRow) error {
	w := t.replace(tStatuses, s.id)
	w.int(int64(s.joined.Rank))
	w.int(s.joined.RankAt)
	w.maybe(s.joined.FailedAt)
	w.maybeText(s.joined.FailCode)
	w.maybeText(s.joined.FailTitle)
	w.maybe(s.replied)
	_, err := w.done()
	return err
}

// failed records what a failure says about the person: an opt-out, a cool-down or
// a closed window, by the code.
func (t *tx) failed(id, number int64, code string, at int64) error {
	if delivery.ConsequenceOf(code) == delivery.NoConsequence {
		return nil
	}
	who, ok, err := t.c.queryInt("SELECT recipient FROM attempts WHERE id = ?", id)
	if err != nil || !ok {
		return err
	}
	gone, err := t.isErasedID(who)
	if err != nil || gone {
		return err
	}
	key, err := t.c.recipientText(who)
	if err != nil {
		return err
	}
	through, err := t.c.addressText(number)
	if err != nil {
		return err
	}
	return t.tell(key, func(f *delivery.Facts) { f.Failure(code, through, at) })
}

// preferenceEvent records what a person chose about marketing in WhatsApp itself.
func (t *tx) preferenceEvent(provider, received int64, ev *message.Event) error {
	named, gone, err := t.see(provider, received, ev)
	if err != nil || gone || !named {
		return err
	}
	return t.tell(delivery.About(ev), func(f *delivery.Facts) { f.Say(delivery.Preference(ev, eventTime(ev, received))) })
}

// groupEvent keeps what somebody wrote in a group as a notice. It opens no window
// and gets no answer, but a stop word in it holds.
func (t *tx) groupEvent(provider, received int64, ev *message.Event) error {
	named, gone, err := t.see(provider, received, ev)
	switch {
	case err != nil || gone:
		return err
	case !named:
		return t.notice(provider, received, ev)
	}
	if _, err := t.heed(ev, eventTime(ev, received)); err != nil {
		return err
	}
	return t.notice(provider, received, ev)
}

// identityEvent records that a person has other ids now, and keeps the event as a
// notice.
func (t *tx) identityEvent(provider, received int64, ev *message.Event) error {
	if named, gone, err := t.see(provider, received, ev); err != nil || gone || !named {
		return err
	}
	return t.notice(provider, received, ev)
}

// erasedWith reports whether one of a person's ids was erased. Then it erases the
// others: somebody who was erased stays erased under every id.
func (t *tx) erasedWith(keys []string) (bool, error) {
	var left []string
	for _, key := range keys {
		gone, err := t.s.isErased(t.c, key)
		if err != nil {
			return false, err
		}
		if !gone {
			left = append(left, key)
		}
	}
	if len(left) == len(keys) {
		return false, nil
	}
	for _, key := range left {
		if err := t.erase(key, t.s.ledgerName(key)); err != nil {
			return true, err
		}
	}
	return true, nil
}

// ledgerName is the pseudonym of somebody who is erased because another id of
// theirs was. It is a keyed hash, so that erasing again gives the same name.
func (s *Store) ledgerName(recipient string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte("ledger name " + recipient))
	return state.ErasedPrefix + hex.EncodeToString(mac.Sum(nil)[:8])
}

// notice keeps an event about the account, or one that is not understood.
func (t *tx) notice(provider, received int64, ev *message.Event) error {
	raw := ev.Raw
	if len(raw) == 0 {
		var err error
		if raw, err = json.Marshal(ev); err != nil {
			return err
		}
	}
	w := t.insert(tNotices, 0)
	w.int(provider)
	w.int(eventTime(ev, received))
	w.text(string(ev.Kind))
	w.text(ev.Field)
	w.text(delivery.NoticeReason(ev))
	w.blob(raw)
	_, err := w.done()
	return err
}

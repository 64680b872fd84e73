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
	return t.notice(provider, received, ev)
}

// eventTime is delivery.EventTime.
func eventTime(ev *message.Event, received int64) int64 { return delivery.EventTime(ev, received) }

// attemptOf finds the attempt that a status is about: by the reference, which
// proves it, else by the provider's id; 0 for none.
func (t *tx) attemptOf(ref, id string) (int64, error) {
	if packed := packRef(t.s.refHead, ref); packed != nil {
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

func (t *tx) findPacked(query string, want, arg any) (found int64, err error) {
	err = t.c.each(query, func(st *sqlite.Stmt) error {
		if found == 0 && same(want, columnPacked(st, 1)) {
			found = st.ColumnInt64(0)
		}
		return nil
	}, arg)
	return found, err
}

func (t *tx) statusEvent(provider, received int64, ev *message.Event, by state.Proof) error {
	if len(keysOf(ev.From, ev.Parent)) > 1 {
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

// proven settles an attempt by the proof that a status of it is,
// or the later attempt at the same delivery, and says which.
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
	case state.Pending, state.Cancelled:
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

// later is the last attempt at the same delivery after this one, of those that
// were made by the same order; 0 for none.
func (t *tx) later(id int64) (int64, error) {
	last, _, err := t.c.queryInt(`SELECT b.id FROM attempts a, attempts b WHERE a.id = ? AND b.recipient = a.recipient
		AND b.campaign = a.campaign AND b.revision = a.revision AND b.attempt > a.attempt
		AND NOT EXISTS (SELECT 1 FROM superseded s JOIN attempts c ON c.id = s.id WHERE c.recipient = a.recipient
			AND c.campaign = a.campaign AND c.revision = a.revision AND c.attempt >= a.attempt AND c.attempt < b.attempt)
		ORDER BY b.attempt DESC LIMIT 1`, id)
	return last, err
}

// provenLate takes the proof of an attempt that was believed to be not taken
// and was made again. The last attempt stands for the delivery: it is accepted
// by this proof where it is not already, so that no third one is made.
func (t *tx) provenLate(id, last int64, next *outcomeRow, messageID string) (int64, error) {
	l, exists, err := t.c.outcome(last)
	if err != nil {
		return id, err
	}
	if exists && l.send == state.Accepted && next.sentID != nil {
		switch {
		case same(l.sentID, next.sentID):
			return last, nil
		case l.sentID == nil: // somebody said so who knew no id
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

func (t *tx) accept(o *outcomeRow, exists bool, id string) error {
	if err := t.putOutcome(o, exists); err != nil {
		return err
	}
	if id == "" {
		return nil
	}
	return t.adopt(id)
}

// statusRow is a row of statuses.
type statusRow struct {
	id      int64
	joined  delivery.Status
	replied int64
}

// join adds what an event says.
func (s *statusRow) join(ev *message.Event, at int64) {
	if ev.Failed {
		s.joined = s.joined.Failed(ev.Code, ev.Title, at)
		return
	}
	s.joined = s.joined.Reached(ev.Rank, at)
}

func (c *conn) status(id int64) (statusRow, error) {
	out := statusRow{id: id}
	err := c.each("SELECT rank, rank_at, failed_at, fail_code, fail_title, replied FROM statuses WHERE id = ?", func(st *sqlite.Stmt) error {
		out = scanStatus(st, id, 0)
		return nil
	}, id)
	return out, err
}

func scanStatus(st *sqlite.Stmt, id int64, from int) statusRow {
	return statusRow{id: id, replied: st.ColumnInt64(from + 5), joined: delivery.Status{Rank: message.Rank(st.ColumnInt(from)), RankAt: st.ColumnInt64(from + 1),
		FailedAt: st.ColumnInt64(from + 2), FailCode: st.ColumnText(from + 3), FailTitle: st.ColumnText(from + 4)}}
}

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

// failed carries what a failure says about the person.
func (t *tx) failed(id, number int64, code string, at int64) error {
	consequence := delivery.ConsequenceOf(code)
	if consequence == delivery.NoConsequence {
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
	return t.tell(key, func(f *delivery.Facts) {
		switch consequence {
		case delivery.ConsequenceStop:
			f.Say(delivery.Word{Opt: delivery.Opt{Choice: delivery.OptedOut, At: at, Reason: code, Evidence: "failed status"}})
		case delivery.ConsequenceCool:
			f.Cooldown = max(f.Cooldown, delivery.CooldownUntil(at))
		case delivery.ConsequenceShut:
			f.ShutAt(through, at)
		}
	})
}

// preferenceEvent is a person's own word on marketing.
func (t *tx) preferenceEvent(provider, received int64, ev *message.Event) error {
	opt := delivery.Opt{Choice: delivery.OptedIn, At: eventTime(ev, received), Reason: "user_preferences", Evidence: ev.Category}
	if ev.OptOut {
		opt.Choice = delivery.OptedOut
	}
	named, gone, err := t.see(provider, received, ev)
	if err != nil || gone || !named {
		return err
	}
	return t.tell(about(ev), func(f *delivery.Facts) { f.Say(delivery.Word{Opt: opt}) })
}

// groupEvent keeps what was written in a group. It opens no window and waits for
// no answer; a clear stop holds all the same.
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

// identityEvent says that a person has other ids now, and is kept.
func (t *tx) identityEvent(provider, received int64, ev *message.Event) error {
	if named, gone, err := t.see(provider, received, ev); err != nil || gone || !named {
		return err
	}
	return t.notice(provider, received, ev)
}

// erasedWith reports whether one of the ids of a person was erased, and then
// erases the others: who was erased stays erased, under every id.
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

// ledgerName takes the place of an erased recipient's key in the ledger. It
// tells nothing without the state's key.
func (s *Store) ledgerName(recipient string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte("ledger name " + recipient))
	return erasedPrefix + hex.EncodeToString(mac.Sum(nil)[:8])
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

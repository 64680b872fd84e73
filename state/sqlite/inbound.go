package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"zombiezen.com/go/sqlite"
)

// The states of an inbound event. Before format 7 there was a state 1, for events
// that a server had taken up.
const (
	inboundNew      = 0
	inboundAnswered = 2
)

// inboundEvent records what a person wrote, once: it keeps the event, opens the
// window at the number that it came to, heeds stop words, and marks the
// delivery that it answers.
func (t *tx) inboundEvent(provider, received int64, ev *message.Event) error {
	if ev.From.Key() == "" {
		return t.notice(provider, received, ev)
	}
	_, gone, err := t.see(provider, received, ev)
	if err != nil || gone {
		return err
	}
	who, err := t.recipient(ev.From.Key())
	if err != nil {
		return err
	}
	// A webhook may bring an event again long after its body was forgotten.
	hash := inboundHash(provider, ev)
	if _, ok, err := t.c.queryInt("SELECT 1 FROM inbound WHERE hash = ?", hash); err != nil || ok {
		return err
	}
	attempt, err := t.attemptOf("", ev.ContextID)
	if err != nil {
		return err
	}
	at := eventTime(ev, received)
	stopped, err := t.heed(ev, at)
	if err != nil {
		return err
	}
	if err := t.putInbound(provider, received, who, attempt, hash, &inboundJSON{Event: *ev, Stopped: stopped}); err != nil {
		return err
	}
	through, err := t.c.addressText(provider)
	if err != nil {
		return err
	}
	err = t.tell(delivery.About(ev), func(f *delivery.Facts) {
		f.Wrote(through, at)
		f.Named(ev.ProfileName, ev.Username, at)
	})
	switch {
	case err != nil || ev.ContextID == "":
		return err
	case attempt == 0:
		return t.orphan(provider, received, ev.ContextID, ev)
	}
	return t.replied(attempt, ev, received, hash)
}

// inboundHash identifies an inbound event, so that a repetition is recognised.
// Without an id of the provider, the same words of the same person at the same
// time are taken for one.
func inboundHash(provider int64, ev *message.Event) []byte {
	id := ev.ID
	if id == "" { // without an id, the same words at the same time are the same
		id = ev.From.Key() + "\x00" + ev.At.UTC().String() + "\x00" + ev.Type + "\x00" + ev.Text + "\x00" + ev.ReplyID
	}
	sum := sha256.Sum256([]byte(strconv.FormatInt(provider, 10) + "\x00" + id))
	return sum[:16]
}

// putInbound writes a row of inbound, and notes whether it is the first of the
// person.
func (t *tx) putInbound(provider, received, who, attempt int64, hash []byte, ev *inboundJSON) error {
	ids, err := t.c.idList(who)
	if err != nil {
		return err
	}
	before, _, err := t.c.queryInt("SELECT EXISTS (SELECT 1 FROM inbound WHERE recipient IN (SELECT value FROM json_each(?)))", ids)
	if err != nil {
		return err
	}
	text, err := json.Marshal(ev)
	if err != nil {
		return err
	}
	w := t.insert(tInbound, 0)
	w.int(provider)
	w.int(who)
	w.int(eventTime(&ev.Event, received))
	w.int(received)
	w.int(inboundNew)
	w.int(1 - before)
	w.maybe(attempt)
	w.bool(ev.Order != nil)
	w.blob(hash)
	w.blob(text)
	_, err = w.done()
	return err
}

// replied marks a delivery as answered, and the inbound event as its answer.
func (t *tx) replied(attempt int64, ev *message.Event, received int64, hash []byte) error {
	st, err := t.c.status(attempt)
	if err != nil {
		return err
	}
	if at := eventTime(ev, received); st.replied == 0 || at < st.replied {
		st.replied = at
		if err := t.putStatus(&st); err != nil {
			return err
		}
	}
	seq, ok, err := t.c.queryInt("SELECT id FROM inbound WHERE hash = ? AND attempt IS NULL", hash)
	if err != nil || !ok {
		return err
	}
	return t.changeInbound(seq, func(r *inboundRow) { r.attempt = attempt })
}

// Unanswered implements state.Store.
func (s *Store) Unanswered(ctx context.Context) (numbers []string, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.each("SELECT address FROM addresses WHERE id IN (SELECT provider FROM inbound WHERE state = 0) ORDER BY address", func(st *sqlite.Stmt) error {
			numbers = append(numbers, st.ColumnText(0))
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("looking for inbound events that wait for an answer: %w", err)
	}
	return numbers, nil
}

// Claim implements state.Store. What is claimed is written down nowhere: a lane
// is one process's, which knows what it works on.
func (s *Store) Claim(ctx context.Context, lane state.Lane, after int64, n int) (refs []state.InboundRef, upto int64, err error) {
	upto = after
	err = s.claims(ctx, lane, func(c *conn, number int64) error {
		// The plus sign keeps SQLite at the index of what is open.
		rows, err := c.openEvents("state = 0 AND id > ? AND +provider = ? ORDER BY id LIMIT ?", after, number, n)
		if err != nil {
			return err
		}
		oldest := map[string]int64{}
		for _, r := range rows {
			who := message.Canonical(r.writer)
			if _, known := oldest[who]; !known {
				first, _, err := c.oldestEvent(number, r.writer)
				if err != nil {
					return err
				}
				oldest[who] = first.seq
			}
			if upto = r.seq; oldest[who] == r.seq || oldest[who] == 0 {
				refs = append(refs, state.InboundRef{Seq: r.seq, Provider: lane.Number, Recipient: r.writer})
			}
		}
		return nil
	})
	if err != nil {
		return nil, after, err
	}
	return refs, upto, nil
}

// ClaimNext implements state.Store.
func (s *Store) ClaimNext(ctx context.Context, lane state.Lane, recipient string) (ref state.InboundRef, ok bool, err error) {
	err = s.claims(ctx, lane, func(c *conn, number int64) (err error) {
		var r openEvent
		if r, ok, err = c.oldestEvent(number, recipient); ok {
			ref = state.InboundRef{Seq: r.seq, Provider: lane.Number, Recipient: r.writer}
		}
		return err
	})
	return ref, ok, err
}

// claims runs a read for the holder of a lane of replies; ErrFenced for others.
func (s *Store) claims(ctx context.Context, lane state.Lane, read func(c *conn, number int64) error) error {
	err := s.read(ctx, func(c *conn) error {
		number, err := c.openLane(lane)
		if err == nil {
			err = c.overtaken(number, lane)
		}
		if err != nil {
			return err
		}
		return read(c, number)
	})
	if err != nil {
		return fmt.Errorf("reading inbound events that wait for an answer: %w", err)
	}
	return nil
}

// openEvent is an inbound event that waits, and who wrote it.
type openEvent struct {
	seq, recipient, at int64  // recipient as it was written down
	writer             string // the key of who had it then
}

// openEvents reads inbound events by a condition, with the key of who wrote
// each.
func (c *conn) openEvents(where string, args ...any) (rows []openEvent, err error) {
	err = c.each("SELECT id, recipient, at FROM inbound WHERE "+where, func(st *sqlite.Stmt) error {
		rows = append(rows, openEvent{seq: st.ColumnInt64(0), recipient: st.ColumnInt64(1), at: st.ColumnInt64(2)})
		return nil
	}, args...)
	for i := range rows {
		if err == nil {
			rows[i].writer, _, err = c.writer(rows[i].recipient, rows[i].at)
		}
	}
	return rows, err
}

// oldestEvent finds a person's oldest unanswered event at a sending number. An
// event counts for whoever had the phone number when it was written, which may
// have been somebody else.
func (c *conn) oldestEvent(number int64, person string) (openEvent, bool, error) {
	who, err := c.recipientID(person)
	if err != nil {
		return openEvent{}, false, err
	}
	now, _, err := c.writer(who, endID)
	if err != nil {
		return openEvent{}, false, err
	}
	ids, err := c.idList(who)
	if err != nil {
		return openEvent{}, false, err
	}
	// The plus signs keep SQLite at the index by recipient.
	rows, err := c.openEvents("recipient IN (SELECT value FROM json_each(?)) AND +state = 0 AND +provider = ? ORDER BY id", ids, number)
	for _, r := range rows {
		if w := message.Canonical(r.writer); w == message.Canonical(person) || w == message.Canonical(now) {
			return r, true, err
		}
	}
	return openEvent{}, false, err
}

// Answered implements state.Store.
func (s *Store) Answered(ctx context.Context, lane state.Lane, seqs ...int64) error {
	return s.write(ctx, func(t *tx) error {
		if err := t.fence(lane); err != nil {
			return err
		}
		return t.setInbound(seqs, inboundAnswered)
	})
}

// setInbound rewrites rows of inbound with another state.
func (t *tx) setInbound(seqs []int64, state int64) error {
	for _, seq := range seqs {
		if err := t.changeInbound(seq, func(r *inboundRow) { r.state = state }); err != nil {
			return err
		}
	}
	return nil
}

// inboundRow is a row of inbound.
type inboundRow struct {
	provider, recipient, at, received, state, first, attempt, cart int64  // as in the table
	hash, event                                                    []byte // event is JSON of inboundJSON
}

// changeInbound reads, changes and writes a row of inbound. A row that is gone,
// since its sender was erased, is no error.
func (t *tx) changeInbound(seq int64, change func(*inboundRow)) error {
	var r inboundRow
	found := false
	err := t.c.each("SELECT provider, recipient, at, received, state, first, attempt, cart, hash, event FROM inbound WHERE id = ?",
		func(st *sqlite.Stmt) error {
			found = true
			r = inboundRow{st.ColumnInt64(0), st.ColumnInt64(1), st.ColumnInt64(2), st.ColumnInt64(3), st.ColumnInt64(4),
				st.ColumnInt64(5), st.ColumnInt64(6), st.ColumnInt64(7), columnBlob(st, 8), columnBlob(st, 9)}
			return nil
		}, seq)
	if err != nil || !found {
		return err
	}
	change(&r)
	return t.writeInbound(t.replace(tInbound, seq), &r)
}

// writeInbound writes the columns of a row of inbound.
func (t *tx) writeInbound(w *rowWriter, r *inboundRow) error {
	for _, v := range [...]int64{r.provider, r.recipient, r.at, r.received, r.state, r.first} {
		w.int(v)
	}
	w.maybe(r.attempt)
	w.int(r.cart)
	w.blob(r.hash)
	w.blob(r.event)
	_, err := w.done()
	return err
}

// LastReply implements state.Store.
func (s *Store) LastReply(ctx context.Context, rule, recipient string) (at time.Time, err error) {
	err = s.read(ctx, func(c *conn) error {
		campaign, err := c.addressID(rule)
		if err != nil {
			return err
		}
		who, err := c.recipientID(recipient)
		if err != nil {
			return err
		}
		ids, err := c.idList(who)
		if err != nil {
			return err
		}
		ms, _, err := c.queryInt(`SELECT a.intended FROM attempts a LEFT JOIN outcomes o ON o.id = a.id
			WHERE a.recipient IN (SELECT value FROM json_each(?)) AND a.campaign = ? AND (o.send IS NULL OR o.send IN (2, 4)) ORDER BY a.intended DESC LIMIT 1`, ids, campaign)
		at = state.Moment(ms)
		return err
	})
	return at, err
}

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

// The states of an inbound event.
const (
	inboundNew      = 0
	inboundClaimed  = 1 // by a server of an older handbill
	inboundAnswered = 2
)

// inboundEvent stores what a person wrote, once, opens the window of the number
// that it came to, and counts it as the answer to a delivery where it says to
// which.
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
	hash := inboundHash(provider, ev)
	if _, ok, err := t.c.one("SELECT 1 FROM inbound WHERE hash = ?", hash); err != nil || ok {
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
	err = t.tell(about(ev), func(f *delivery.Facts) {
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

// inboundHash is what tells an inbound event from a repetition.
func inboundHash(provider int64, ev *message.Event) []byte {
	id := ev.ID
	if id == "" { // without an id, the same words at the same time are the same
		id = ev.From.Key() + "\x00" + ev.At.UTC().String() + "\x00" + ev.Type + "\x00" + ev.Text + "\x00" + ev.ReplyID
	}
	sum := sha256.Sum256([]byte(strconv.FormatInt(provider, 10) + "\x00" + id))
	return sum[:16]
}

func (t *tx) putInbound(provider, received, who, attempt int64, hash []byte, ev *inboundJSON) error {
	ids, err := t.c.idList(who)
	if err != nil {
		return err
	}
	before, _, err := t.c.one("SELECT EXISTS (SELECT 1 FROM inbound WHERE recipient IN (SELECT value FROM json_each(?)))", ids)
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
	seq, ok, err := t.c.one("SELECT id FROM inbound WHERE hash = ? AND attempt IS NULL", hash)
	if err != nil || !ok {
		return err
	}
	return t.changeInbound(seq, func(r *inboundRow) { r.attempt = attempt })
}

// OpenInbound returns up to n inbound events after from.Seq that no rule has
// answered, oldest first: those of from.Recipient at from.Provider where they
// are set, else everybody's.
func (s *Store) OpenInbound(ctx context.Context, from state.InboundRef, n int) (out []state.InboundRef, err error) {
	err = s.read(ctx, func(c *conn) error {
		names, err := c.addressNames()
		if err != nil {
			return err
		}
		add := func(st *sqlite.Stmt) error {
			who, _, err := c.writer(st.ColumnInt64(2), st.ColumnInt64(3))
			out = append(out, state.InboundRef{Seq: st.ColumnInt64(0), Provider: names[st.ColumnInt64(1)], Recipient: who})
			return err
		}
		if from.Recipient == "" {
			return c.each("SELECT id, provider, recipient, at FROM inbound WHERE state = 0 AND id > ? ORDER BY id LIMIT ?", add, from.Seq, n)
		}
		provider, err := c.addressID(from.Provider)
		if err != nil {
			return err
		}
		who, err := c.recipientID(from.Recipient)
		if err != nil {
			return err
		}
		// The plus signs keep SQLite at the index by recipient.
		ids, err := c.idList(who)
		if err != nil {
			return err
		}
		return c.each("SELECT id, provider, recipient, at FROM inbound WHERE recipient IN (SELECT value FROM json_each(?)) AND id > ? AND +state = 0 AND +provider = ? ORDER BY id LIMIT ?",
			add, ids, from.Seq, provider, n)
	})
	if err != nil {
		return nil, fmt.Errorf("reading inbound events that wait for an answer: %w", err)
	}
	return out, nil
}

// Answered says that the rules are done with inbound events, whatever they
// answered.
func (s *Store) Answered(ctx context.Context, seqs ...int64) error {
	return s.write(ctx, func(t *tx) error { return t.setInbound(seqs, inboundAnswered) })
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
	provider, recipient, at, received, state, first, attempt, cart int64
	hash, event                                                    []byte
}

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
	w := t.replace(tInbound, seq)
	for _, v := range [...]int64{r.provider, r.recipient, r.at, r.received, r.state, r.first} {
		w.int(v)
	}
	w.maybe(r.attempt)
	w.int(r.cart)
	w.blob(r.hash)
	w.blob(r.event)
	_, err = w.done()
	return err
}

// LastReply is when a rule last answered a recipient; zero for never. Doubts
// count.
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
		ms, _, err := c.one(`SELECT a.intended FROM attempts a LEFT JOIN outcomes o ON o.id = a.id
			WHERE a.recipient IN (SELECT value FROM json_each(?)) AND a.campaign = ? AND (o.send IS NULL OR o.send IN (2, 4)) ORDER BY a.intended DESC LIMIT 1`, ids, campaign)
		at = fromMillis(ms)
		return err
	})
	return at, err
}

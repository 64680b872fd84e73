package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// FoldAll joins every accepted webhook. Commands call it before they plan or send,
// so that they know what people said before. It also looks for stop words in
// inbound events that an older handbill joined without looking.
func (s *Store) FoldAll(ctx context.Context) error {
	for {
		n, err := s.Fold(ctx, foldStep)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	return s.heedOpen(ctx)
}

// foldStep is how many webhooks FoldAll joins in one transaction.
const foldStep = 512

// InboxWaits reports whether an accepted webhook waits to be joined.
func (s *Store) InboxWaits(ctx context.Context) (waits bool, err error) {
	err = s.read(ctx, func(c *conn) error {
		waits, err = c.inboxWaits()
		return err
	})
	return waits, err
}

// inboxWaits reports whether an accepted webhook waits.
func (c *conn) inboxWaits() (bool, error) {
	any, _, err := c.queryInt("SELECT EXISTS (SELECT 1 FROM inbox)")
	return any == 1, err
}

// foldWaiting joins every webhook that was accepted before this transaction, so
// that a stop that was answered with 200 holds for the intents that follow.
func (t *tx) foldWaiting() error {
	for {
		waits, err := t.c.inboxWaits()
		if err != nil || !waits {
			return err
		}
		if _, err := t.fold(foldStep); err != nil {
			return fmt.Errorf("joining accepted webhooks: %w", err)
		}
	}
}

// heed records what a message says about being written to, in the transaction that
// joins it. It reports whether marketing to the person stopped because of it.
func (t *tx) heed(ev *message.Event, at int64) (stopped bool, err error) {
	if t.s.opt.Wish == nil {
		return false, nil
	}
	w := t.s.opt.Wish(ev, state.Moment(at))
	if w.Kind == state.WishNone {
		return false, nil
	}
	who, err := t.recipient(delivery.About(ev))
	if err != nil {
		return false, err
	}
	before, _, err := t.c.person(who)
	if err != nil {
		return false, err
	}
	said := delivery.Opt{At: at, Reason: w.Reason, Evidence: w.Evidence}
	_, stopped = before.opt.Heed(w.Kind, said)
	return stopped, t.tell(delivery.About(ev), func(f *delivery.Facts) { f.Say(delivery.WordOf(w.Kind, said)) })
}

// heedOpen heeds the inbound events that no rule has answered. For events that
// this version joined, that changes nothing.
func (s *Store) heedOpen(ctx context.Context) error {
	if s.opt.Wish == nil {
		return nil
	}
	open := func(c *conn) ([]int64, error) { return c.queryInts("SELECT id FROM inbound WHERE state < 2") }
	var seqs []int64
	err := s.read(ctx, func(c *conn) (err error) {
		seqs, err = open(c)
		return err
	})
	if err != nil || len(seqs) == 0 {
		return err
	}
	err = s.write(ctx, func(t *tx) error {
		if seqs, err = open(t.c); err != nil {
			return err
		}
		for _, seq := range seqs {
			if err := t.heedInbound(seq); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("heeding stop words of messages that wait for an answer: %w", err)
	}
	return nil
}

// heedInbound heeds one event that was joined before, and notes in it when
// marketing stopped.
func (t *tx) heedInbound(seq int64) error {
	var at int64
	var ev inboundJSON
	err := t.c.each("SELECT at, event FROM inbound WHERE id = ?", func(st *sqlite.Stmt) error {
		at = st.ColumnInt64(0)
		return json.Unmarshal(columnBlob(st, 1), &ev)
	}, seq)
	if err != nil {
		return fmt.Errorf("%w: an inbound event: %w", state.ErrDamaged, err)
	}
	stopped, err := t.heed(&ev.Event, at)
	if err != nil || !stopped {
		return err
	}
	ev.Stopped = true
	text, err := json.Marshal(&ev)
	if err != nil {
		return err
	}
	return t.changeInbound(seq, func(r *inboundRow) { r.event = text })
}

// inboundJSON is how an inbound event is kept.
type inboundJSON struct {
	message.Event
	Stopped bool `json:",omitempty"` // see InboundEvent.Stopped
}

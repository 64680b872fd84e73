package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
)

// PutAll keeps several blobs in one durable transaction; nil removes a name.
func (s *Store) PutAll(ctx context.Context, blobs map[string][]byte) error {
	return s.write(ctx, func(t *tx) error {
		for name, data := range blobs {
			if err := t.putBlob(name, data); err != nil {
				return err
			}
		}
		return nil
	})
}

// Get is the blob of that name; nil for none.
func (s *Store) Get(ctx context.Context, name string) (data []byte, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.each("SELECT data FROM blobs WHERE name = ?", func(st *sqlite.Stmt) error {
			data = columnBlob(st, 0)
			return nil
		}, name)
	})
	return data, err
}

// Blobs are those whose names begin with prefix.
func (s *Store) Blobs(ctx context.Context, prefix string) (map[string][]byte, error) {
	out := map[string][]byte{}
	err := s.read(ctx, func(c *conn) error {
		return c.each("SELECT name, data FROM blobs WHERE substr(name, 1, length(?1)) = ?1", func(st *sqlite.Stmt) error {
			out[st.ColumnText(0)] = columnBlob(st, 1)
			return nil
		}, prefix)
	})
	return out, err
}

// Inbound is the inbound event of that number; ok is false when the state has
// none, as after its sender was erased.
func (s *Store) Inbound(ctx context.Context, seq int64) (ev state.InboundEvent, ok bool, err error) {
	err = s.read(ctx, func(c *conn) error {
		names, err := c.addressNames()
		if err != nil {
			return err
		}
		return c.each(`SELECT i.id, i.provider, i.received, i.recipient, i.first, i.event, a.campaign, a.message, i.at
			FROM inbound i LEFT JOIN attempts a ON a.id = i.attempt WHERE i.id = ?`,
			func(st *sqlite.Stmt) (err error) {
				ok = true
				ev, err = scanInbound(c, st, names)
				return err
			}, seq)
	})
	return ev, ok, err
}

// scanInbound reads an inbound event. It shows the id that the person wrote
// under, or where that has passed to somebody else, the one under which they
// are shown now.
func scanInbound(c *conn, st *sqlite.Stmt, names map[int64]string) (state.InboundEvent, error) {
	ev := state.InboundEvent{Seq: st.ColumnInt64(0), Provider: names[st.ColumnInt64(1)], Received: state.Moment(st.ColumnInt64(2)),
		First: st.ColumnInt64(4) == 1, Campaign: names[st.ColumnInt64(6)], Message: names[st.ColumnInt64(7)]}
	shown, same, err := c.writer(st.ColumnInt64(3), st.ColumnInt64(8))
	if err != nil {
		return ev, err
	}
	if ev.Recipient = shown; same {
		if ev.Recipient, err = c.recipientText(st.ColumnInt64(3)); err != nil {
			return ev, err
		}
	}
	var kept inboundJSON
	if err := json.Unmarshal(columnBlob(st, 5), &kept); err != nil {
		return ev, fmt.Errorf("%w: an inbound event: %w", state.ErrDamaged, err)
	}
	ev.Event, ev.Stopped = kept.Event, kept.Stopped
	return ev, nil
}

// RepliedBy are the addresses of the rules that have an attempt at answering
// an inbound event, whatever became of it.
func (s *Store) RepliedBy(ctx context.Context, recipient string, seq int64) (rules []string, err error) {
	err = s.read(ctx, func(c *conn) error {
		who, err := c.recipientID(recipient)
		if err != nil || who == 0 {
			return err
		}
		names, err := c.addressNames()
		if err != nil {
			return err
		}
		return c.each("SELECT campaign FROM attempts WHERE recipient = ? AND "+ofReplies+" AND revision = ? ORDER BY id",
			func(st *sqlite.Stmt) error {
				rules = append(rules, names[st.ColumnInt64(0)])
				return nil
			}, who, seq)
	})
	return rules, err
}

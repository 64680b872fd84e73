package postgres

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// snapshot reads the state in its own transaction.
type snapshot struct {
	s  *Store
	c  *pgxpool.Conn // nil when it is closed
	tx *tx
}

// Snapshot implements state.Store.
func (s *Store) Snapshot(ctx context.Context) (state.Snapshot, error) {
	if s.closed.Load() {
		return nil, errClosed
	}
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, s.describe(err)
	}
	sn := &snapshot{s: s, c: c}
	if err := s.begin(ctx, c.Conn(), beginRead, idleRead); err != nil {
		sn.Close()
		return nil, s.describe(err)
	}
	if err := sn.read(ctx, func(t *tx) { t.readMeta(selectMeta) }); err != nil {
		sn.Close()
		return nil, err
	}
	return sn, nil
}

// read makes one call on the snapshot. It does not cache what was read, since a plan
// reads everybody.
func (s *snapshot) read(ctx context.Context, fn func(*tx)) error {
	if s.c == nil {
		return errors.New("reading a snapshot that is closed")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	t := s.s.newTx(ctx, s.c.Conn())
	if s.tx != nil {
		t.meta = s.tx.meta
	}
	fn(t)
	if s.tx == nil {
		s.tx = t
	}
	return s.s.describe(t.err)
}

func (s *snapshot) Close() error {
	if s.c != nil {
		giveBack(s.c)
		s.c = nil
	}
	return nil
}

func (s *snapshot) Meta(ctx context.Context) (m state.Meta, err error) {
	err = s.read(ctx, func(t *tx) { m = t.meta.Meta })
	return m, err
}

func (s *snapshot) Resources(ctx context.Context) (out []state.Resource, err error) {
	err = s.read(ctx, func(t *tx) {
		var r state.Resource
		t.each("SELECT address, type, name, tree, refs FROM resources ORDER BY place", nil, []any{&r.Address, &r.Type, &r.Name, &r.Tree, &r.Refs}, func() error {
			out = append(out, r)
			r = state.Resource{}
			return nil
		})
	})
	return out, err
}

func (s *snapshot) Halts(ctx context.Context) (out []state.Halt, err error) {
	err = s.read(ctx, func(t *tx) { out = t.halts() })
	return out, err
}

func (s *snapshot) Get(ctx context.Context, name string) (data []byte, err error) {
	err = s.read(ctx, func(t *tx) { data = t.blob(name) })
	return data, err
}

// stream yields what read gives, one by one. The caller must not use the snapshot
// for anything else while it ranges over the result.
func stream[T any](ctx context.Context, s *snapshot, read func(t *tx, yield func(T) error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		err := s.read(ctx, func(t *tx) {
			read(t, func(v T) error {
				if !yield(v, nil) {
					return errEnough
				}
				return nil
			})
		})
		if err != nil && !errors.Is(err, errEnough) {
			var none T
			yield(none, err)
		}
	}
}

// errEnough ends a stream when the caller stops ranging over it.
var errEnough = errors.New("enough")

func (s *snapshot) Deliveries(ctx context.Context, campaign string) iter.Seq2[state.Delivery, error] {
	return stream(ctx, s, func(t *tx, yield func(state.Delivery) error) {
		var r attemptRow
		t.each("SELECT "+attemptColumns+attemptTables+"WHERE ($1 = '' OR a.campaign = $1) AND "+newestOnly+" ORDER BY a.id", args(campaign), r.into(), func() error {
			return yield(r.read().export())
		})
	})
}

func (s *snapshot) People(ctx context.Context) iter.Seq2[state.Person, error] {
	return stream(ctx, s, func(t *tx, yield func(state.Person) error) {
		for _, p := range t.everybody("true") {
			if p.Empty() {
				continue
			}
			if err := yield(state.PersonOf(p.recipient, &p.Known)); err != nil {
				return
			}
		}
	})
}

func (s *snapshot) Ties(ctx context.Context) iter.Seq2[state.Tie, error] {
	return stream(ctx, s, func(t *tx, yield func(state.Tie) error) {
		for _, p := range t.everybody("NOT c.lone") {
			if len(p.Ties)+len(p.Former) < 2 {
				continue
			}
			for i, tie := range slices.Concat(p.Ties, p.Former) {
				if err := yield(state.Tie{Recipient: string(tie.ID), Person: p.recipient, Since: state.Moment(tie.Since), Seen: state.Moment(tie.Seen), Left: state.Moment(tie.Left), Former: i >= len(p.Ties)}); err != nil {
					return
				}
			}
		}
	})
}

func (s *snapshot) Windows(ctx context.Context, number string) iter.Seq2[state.PersonWindow, error] {
	return stream(ctx, s, func(t *tx, yield func(state.PersonWindow) error) {
		for _, p := range t.everybody("true") {
			w, ok := p.Windows[number]
			if !ok {
				continue
			}
			if err := yield(state.PersonWindow{Recipient: p.recipient, Number: number, Window: w}); err != nil {
				return
			}
		}
	})
}

func (s *snapshot) RecentSends(ctx context.Context, since time.Time) iter.Seq2[state.RecentSend, error] {
	return stream(ctx, s, func(t *tx, yield func(state.RecentSend) error) {
		var who string
		var at int64
		var send *int16
		t.each("SELECT a.recipient, a.intended, o.send FROM attempts a LEFT JOIN outcomes o ON o.id = a.id WHERE a.run <> 0 AND a.intended > $1", args(state.Millis(since)), []any{&who, &at, &send}, func() error {
			if send != nil && !state.Send(*send).MayHaveReached() {
				return nil
			}
			return yield(state.RecentSend{Recipient: who, At: state.Moment(at)})
		})
	})
}

func (s *snapshot) Orders(ctx context.Context) iter.Seq2[state.PlacedOrder, error] {
	return stream(ctx, s, func(t *tx, yield func(state.PlacedOrder) error) {
		var who string
		var received int64
		var text []byte
		t.each("SELECT recipient, received, event FROM inbound WHERE cart ORDER BY id", nil, []any{&who, &received, &text}, func() error {
			var ev message.Event
			if err := json.Unmarshal(text, &ev); err != nil {
				return fmt.Errorf("%w: an order: %w", state.ErrDamaged, err)
			}
			return yield(state.PlacedOrder{Recipient: who, At: state.Moment(delivery.EventTime(&ev, received))})
		})
	})
}

func (s *snapshot) Erased(ctx context.Context) (func(string) bool, error) {
	var none bool
	hashes, t := map[string]bool{}, (*tx)(nil)
	err := s.read(ctx, func(now *tx) {
		t = now
		var h []byte
		t.each("SELECT hash FROM erased", nil, []any{&h}, func() error {
			hashes[string(h)] = true
			return nil
		})
		none = len(hashes) == 0
	})
	if err != nil {
		return nil, err
	}
	lineage, err := hex.DecodeString(t.meta.Lineage)
	if err != nil {
		return nil, err
	}
	return func(recipient string) bool {
		return !none && slices.ContainsFunc(spellings(idOf(recipient)), func(id delivery.ID) bool { return hashes[string(erasedHash(lineage, id))] })
	}, nil
}

func (s *snapshot) Compact(ctx context.Context, campaign string, revision int) (x state.SentIndex, err error) {
	err = s.read(ctx, func(t *tx) { x = t.compact(campaign, revision) })
	if err != nil {
		return nil, err
	}
	return x, nil
}

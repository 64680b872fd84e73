package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/handbill/handbill/state"
)

// Nothing else in the state depends on forwards, so their transactions wait for no
// other writers.

// AddForward implements state.Store.
func (s *Store) AddForward(ctx context.Context, event int64, rule string) error {
	_, err := s.change(ctx, "INSERT INTO forwards VALUES ($1, $2, 0, 0, '', false) ON CONFLICT DO NOTHING", event, clean(rule))
	return named(err, "keeping a forward")
}

// ClaimForwards implements state.Store. If the answer to the commit is lost, nobody
// has these forwards until the limit is over.
func (s *Store) ClaimForwards(ctx context.Context, owner string, n int) (due []state.Forward, next time.Time, err error) {
	// A subquery in FROM could run more than once, and find others each time.
	const claim = `WITH free AS MATERIALIZED
		(SELECT event, rule FROM forwards WHERE NOT dead AND due <= $3 AND (until IS NULL OR until <= clock_timestamp()) ORDER BY due, event, rule LIMIT $4 FOR UPDATE SKIP LOCKED)
		UPDATE forwards f SET owner = $1, until = clock_timestamp() + $2 * interval '1 millisecond' FROM free
		WHERE f.event = free.event AND f.rule = free.rule RETURNING f.event, f.rule, f.attempts, f.due, f.reason`
	const ask = `SELECT coalesce(min(greatest(due - $1, coalesce(extract(epoch FROM until - clock_timestamp()) * 1000, 0)::bigint, 1)), 0) FROM forwards WHERE NOT dead`
	err = s.persist(ctx, func(c *pgx.Conn) error {
		due, next = nil, time.Time{}
		if err := s.begin(ctx, c, beginWrite, idleWrite); err != nil {
			return err
		}
		now := s.opt.Clock()
		rows, err := c.Query(ctx, claim, owner, state.ForwardLimit.Milliseconds(), now.UnixMilli(), n)
		if err != nil {
			return err
		}
		var f state.Forward
		var at, wait int64
		_, err = pgx.ForEachRow(rows, []any{&f.Event, &f.Rule, &f.Attempts, &at, &f.Reason}, func() error {
			f.Due = state.Moment(at)
			due = append(due, f)
			return nil
		})
		if err == nil && len(due) == 0 {
			if err = c.QueryRow(ctx, ask, now.UnixMilli()).Scan(&wait); wait > 0 {
				next = now.Add(time.Duration(wait) * time.Millisecond)
			}
		}
		if err != nil {
			return err
		}
		_, err = c.Exec(ctx, "commit", pgx.QueryExecModeSimpleProtocol)
		return err
	})
	slices.SortFunc(due, func(a, b state.Forward) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Event, b.Event), cmp.Compare(a.Rule, b.Rule))
	})
	return due, next, named(err, "claiming forwards")
}

// DoneForward implements state.Store.
func (s *Store) DoneForward(ctx context.Context, owner string, f state.Forward, became state.ForwardState) (err error) {
	if became == state.ForwardOver {
		_, err = s.change(ctx, "DELETE FROM forwards WHERE event = $1 AND rule = $2 AND NOT dead", f.Event, clean(f.Rule))
	} else {
		_, err = s.change(ctx, "UPDATE forwards SET attempts = $4, due = $5, reason = $6, dead = $7, owner = NULL, until = NULL WHERE event = $1 AND rule = $2 AND owner = $3",
			f.Event, clean(f.Rule), owner, f.Attempts, state.Millis(f.Due), clean(f.Reason), became == state.ForwardDead)
	}
	return named(err, "noting what became of a forward")
}

// DeadForwards implements state.Store.
func (s *Store) DeadForwards(ctx context.Context) (n int, err error) {
	err = s.read(ctx, func(t *tx) error {
		t.one("SELECT count(*) FROM forwards WHERE dead", nil, &n)
		return nil
	})
	return n, err
}

// ReviveForwards implements state.Store.
func (s *Store) ReviveForwards(ctx context.Context) error {
	_, err := s.change(ctx, "UPDATE forwards SET dead = false, attempts = 0, due = 0, reason = '' WHERE dead")
	return named(err, "reviving forwards")
}

// itemForwards puts forwards in the form in which they move.
func (t *tx) itemForwards(put func(state.Item) error) {
	var f state.Forward
	var at int64
	var dead bool
	t.each("SELECT event, rule, attempts, due, reason, dead FROM forwards ORDER BY event, rule", nil, []any{&f.Event, &f.Rule, &f.Attempts, &at, &f.Reason, &dead}, func() error {
		f.Due = state.Moment(at)
		return put(f.AsBlob(dead))
	})
}

// addBlob writes a blob that moved here. Forwards have a table.
func (t *tx) addBlob(b state.Blob) error {
	f, dead, ok, err := state.ForwardOf(b)
	switch {
	case err != nil:
		return err
	case ok:
		t.later("INSERT INTO forwards VALUES ($1, $2, $3, $4, $5, $6)", f.Event, f.Rule, f.Attempts, state.Millis(f.Due), f.Reason, dead)
	default:
		t.later("INSERT INTO blobs VALUES ($1, $2)", b.Name, some(b.Data))
	}
	return nil
}

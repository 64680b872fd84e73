package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/handbill/handbill/internal/fp"
	"github.com/handbill/handbill/state"
)

var _ state.Shared = (*Store)(nil)

// planPart is how many bytes of a plan one row holds.
const planPart = 1 << 20

// carry makes a run that others can carry on: it closes the runs before, which
// nobody drives, keeps the plan, and gives the lanes their owner.
func (t *tx) carry(r *state.Run) error {
	c := r.Carried
	hold, err := json.Marshal(c.Hold)
	if err != nil {
		return err
	}
	t.later("UPDATE runs SET carried = true, detached = $2, hold = $3 WHERE id = $1", r.ID, c.Detach, hold)
	parts := &partWriter{t: t, run: r.ID}
	if err := c.Plan(parts); err != nil {
		return err
	}
	parts.end()
	for i := range r.Lanes {
		r.Lanes[i].Limit = laneLimit()
		if c.Detach {
			t.later("UPDATE lanes SET until = clock_timestamp() WHERE id = $1", r.Lanes[i].ID)
		} else if err := t.own(r.Lanes[i], c.Owner); err != nil {
			return err
		}
	}
	return t.err
}

// laneLimit is state.LaneLimit, or a shorter one that a test sets.
func laneLimit() time.Duration { return cmp.Or(fp.Limit(), state.LaneLimit) }

// own makes a process the owner of a lane.
func (t *tx) own(l state.Lane, by state.Owner) error {
	owner, err := json.Marshal(by)
	if err != nil {
		return err
	}
	t.later("UPDATE lanes SET owner = $2, since = clock_timestamp() WHERE id = $1", l.ID, owner)
	t.limits = append(t.limits, l.ID)
	return nil
}

// closeOpen closes the open runs that nobody drives, of those that share a number or
// a campaign with a run; of all if that is nil. It fails with a *state.OpenRunError
// when somebody drives one of them.
func (t *tx) closeOpen(with *state.Run) error {
	open := t.openRuns()
	workers := t.workers()
	for i := range open {
		var shares []string
		if with != nil {
			if shares = open[i].Shares(with); len(shares) == 0 {
				continue
			}
		}
		if open[i].Driven(workers) {
			return &state.OpenRunError{Run: open[i], Shares: shares}
		}
		t.later("UPDATE runs SET over = true WHERE id = $1", open[i].ID)
		t.later("DELETE FROM plans WHERE run = $1", open[i].ID)
	}
	return t.err
}

// partWriter writes a plan in parts.
type partWriter struct {
	t    *tx
	run  int64
	part int
	data []byte
}

func (w *partWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		room := min(planPart-len(w.data), len(p))
		w.data, p = append(w.data, p[:room]...), p[room:]
		if len(w.data) == planPart {
			w.end()
			w.t.flush() // keeps few parts in memory
		}
	}
	return n, w.t.err
}

// end writes the part that was begun.
func (w *partWriter) end() {
	if len(w.data) > 0 {
		w.t.later("INSERT INTO plans VALUES ($1, $2, $3)", w.run, w.part, w.data)
		w.part, w.data = w.part+1, nil
	}
}

// Carried implements state.Shared.
func (s *Store) Carried(ctx context.Context, run int64, w io.Writer) error {
	for part := 0; ; part++ {
		var data []byte
		err := s.read(ctx, func(t *tx) error {
			t.one("SELECT data FROM plans WHERE run = $1 AND part = $2", args(run, part), &data)
			return nil
		})
		switch {
		case err != nil:
			return named(err, fmt.Sprintf("reading the plan of run %d", run))
		case data == nil && part == 0:
			return fmt.Errorf("run %d: %w", run, state.ErrUnknown)
		case data == nil:
			return nil
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
}

// OpenRuns implements state.Shared.
func (s *Store) OpenRuns(ctx context.Context) (list []state.OpenRun, err error) {
	err = s.read(ctx, func(t *tx) error { list = t.openRuns(); return nil })
	return list, err
}

// newest says that no other lane of the number has a higher epoch than l.
const newest = "NOT EXISTS (SELECT FROM lanes o WHERE o.number = l.number AND o.replies = l.replies AND o.epoch > l.epoch)"

func (t *tx) openRuns() (list []state.OpenRun) {
	var r state.OpenRun
	var id int64
	var data, hold []byte
	t.each("SELECT id, data, hold, detached, stopped FROM runs WHERE carried AND NOT over ORDER BY id", nil, []any{&id, &data, &hold, &r.Detached, &r.Stopped}, func() error {
		next := state.OpenRun{Detached: r.Detached, Stopped: r.Stopped}
		if err := errors.Join(json.Unmarshal(data, &next.Run), json.Unmarshal(hold, &next.Hold)); err != nil {
			return fmt.Errorf("%w: run %d: %w", state.ErrDamaged, id, err)
		}
		next.ID = id
		list = append(list, next)
		return nil
	})
	for i := range list {
		list[i].Lanes = t.openLanes(list[i].ID)
	}
	return list
}

func (t *tx) openLanes(run int64) (list []state.OpenLane) {
	var l state.OpenLane
	var owner []byte
	var since *time.Time
	var left int64
	t.each(`SELECT l.number, l.done, l.owner, l.since, coalesce(extract(epoch FROM l.until - clock_timestamp()) * 1000, 0)::bigint FROM lanes l
		WHERE l.run = $1 AND NOT l.replies AND `+newest+` ORDER BY l.number COLLATE "C"`, args(run), []any{&l.Number, &l.Done, &owner, &since, &left}, func() error {
		next := state.OpenLane{Number: l.Number, Done: l.Done, Left: time.Duration(left) * time.Millisecond}
		if since != nil {
			next.Since = *since
		}
		if owner != nil {
			if err := json.Unmarshal(owner, &next.Owner); err != nil {
				return fmt.Errorf("%w: the owner of %s: %w", state.ErrDamaged, l.Number, err)
			}
		}
		list = append(list, next)
		return nil
	})
	return list
}

// TakeOver implements state.Shared.
func (s *Store) TakeOver(ctx context.Context, run int64, number string, by state.Owner) (lane state.Lane, doubts int, err error) {
	err = s.write(ctx, func(t *tx) error {
		if halt := t.halted(); halt != nil {
			return halt
		}
		free := false
		t.one(`SELECT EXISTS (SELECT FROM lanes l JOIN runs r ON r.id = l.run WHERE l.run = $1 AND l.number = $2 AND NOT l.replies AND NOT l.done
			AND l.until <= clock_timestamp() AND r.carried AND NOT r.over AND NOT r.stopped AND `+newest+`)`, args(run, number), &free)
		if !free {
			return state.ErrOwned
		}
		if lane, err = t.take(number, run); err != nil {
			return err
		}
		lane.Limit = laneLimit()
		doubts = t.recover(number, "a.run = "+fmt.Sprint(run))
		t.later("UPDATE lanes SET over = true WHERE run = $1 AND number = $2 AND NOT replies AND epoch < $3", run, number, lane.Epoch)
		return t.own(lane, by)
	})
	return lane, doubts, named(err, "taking over "+number)
}

// GiveBack implements state.Shared.
func (s *Store) GiveBack(ctx context.Context, l state.Lane) error {
	err := s.write(ctx, func(t *tx) error {
		if l.Run == 0 {
			t.endReplies(t.ints("SELECT id FROM lanes l WHERE l.id = $1 AND l.epoch = $2 AND NOT l.done AND "+joined, l.ID, l.Epoch))
			return nil
		}
		t.later("UPDATE lanes SET owner = NULL, since = NULL, until = clock_timestamp() WHERE id = $1 AND epoch = $2 AND NOT done AND until IS NOT NULL", l.ID, l.Epoch)
		return nil
	})
	return named(err, "giving "+l.Number+" back")
}

// StopRun implements state.Shared.
func (s *Store) StopRun(ctx context.Context, run int64, stop bool, who string) error {
	err := s.write(ctx, func(t *tx) error {
		if t.exec("UPDATE runs SET stopped = $2 WHERE id = $1 AND carried AND NOT over", run, stop) == 0 && t.err == nil {
			return state.ErrUnknown
		}
		did := "stopped"
		if !stop {
			did = "resumed"
		}
		// The serial stays: what was planned since is as good as before.
		t.later("INSERT INTO decisions (at, who, what, why) VALUES ($1, $2, $3, '')", t.now, who, fmt.Sprintf("%s run %d", did, run))
		return nil
	})
	return named(err, fmt.Sprintf("run %d", run))
}

// Now implements state.Shared.
func (s *Store) Now(ctx context.Context) (now time.Time, err error) {
	err = s.persist(ctx, func(c *pgx.Conn) error { return c.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&now) })
	return now, err
}

// Announce implements state.Shared.
func (s *Store) Announce(ctx context.Context, w state.Worker) error {
	info, err := json.Marshal(w)
	if err != nil {
		return err
	}
	_, err = s.change(ctx, `INSERT INTO workers VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
		ON CONFLICT (id) DO UPDATE SET info = excluded.info, until = excluded.until`, w.ID, info, state.AnnounceLife.Milliseconds())
	return named(err, "announcing the worker")
}

// Retire implements state.Shared.
func (s *Store) Retire(ctx context.Context, id string) error {
	_, err := s.change(ctx, "DELETE FROM workers WHERE id = $1 OR until < clock_timestamp()", id)
	return named(err, "retiring the worker")
}

// Workers implements state.Shared.
func (s *Store) Workers(ctx context.Context) (list []state.Worker, err error) {
	err = s.read(ctx, func(t *tx) error { list = t.workers(); return nil })
	return list, err
}

func (t *tx) workers() (list []state.Worker) {
	var data []byte
	t.each("SELECT info FROM workers WHERE until > clock_timestamp() ORDER BY id", nil, []any{&data}, func() error {
		var w state.Worker
		if err := json.Unmarshal(data, &w); err != nil {
			return fmt.Errorf("%w: a worker: %w", state.ErrDamaged, err)
		}
		list = append(list, w)
		return nil
	})
	return list
}

// change writes a row of those that processes keep about themselves, without
// waiting for writers of the state.
func (s *Store) change(ctx context.Context, sql string, a ...any) (n int64, err error) {
	err = s.persist(ctx, func(c *pgx.Conn) error {
		if err := s.begin(ctx, c, beginWrite, idleWrite); err != nil {
			return err
		}
		tag, err := c.Exec(ctx, sql, a...)
		if err != nil {
			return err
		}
		n = tag.RowsAffected()
		_, err = c.Exec(ctx, "commit", pgx.QueryExecModeSimpleProtocol)
		return err
	})
	return n, err
}

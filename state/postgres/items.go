package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state"
)

var _ state.Movable = (*Store)(nil)

// Items implements state.Movable.
func (s *Store) Items(ctx context.Context) iter.Seq2[state.Item, error] {
	return func(yield func(state.Item, error) bool) {
		snap, err := s.Snapshot(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		defer snap.Close()
		sn := snap.(*snapshot)
		err = sn.read(ctx, func(t *tx) { t.items(yield) })
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}

// items reads everything, table by table, and fails with errEnough when nobody wants
// more.
func (t *tx) items(yield func(state.Item, error) bool) {
	put := func(i state.Item) error {
		if !yield(i, nil) {
			return errEnough
		}
		return nil
	}
	for _, read := range []func(func(state.Item) error){t.itemIdentity, t.itemResources, t.itemManaged, t.itemProducts, t.itemBlobs, t.itemForwards, t.itemRuns, t.itemLanes, t.itemErased,
		t.itemAttempts, t.itemLinks, t.itemCircles, t.itemSeen, t.itemInbox, t.itemOrphans, t.itemInbound, t.itemFindings, t.itemNotices, t.itemDecisions} {
		read(put)
	}
}

func (t *tx) itemIdentity(put func(state.Item) error) {
	i := state.Identity{Lineage: t.meta.Lineage, Serial: t.meta.Serial, Epoch: t.meta.Epoch}
	last := func(table string) string {
		return "coalesce(pg_sequence_last_value(pg_get_serial_sequence('" + table + "', 'id')), 0)"
	}
	t.each("SELECT greatest($1, (SELECT max(received) FROM inbox WHERE id > $2)), "+last("attempts")+", "+last("inbox")+", "+last("inbound"), args(t.meta.latest, t.meta.waived),
		[]any{&i.Latest, &i.Attempts, &i.Bodies, &i.Inbound}, func() error { return put(i) })
}

func (t *tx) itemResources(put func(state.Item) error) {
	var r state.Resource
	t.each("SELECT address, type, name, tree, refs FROM resources ORDER BY place", nil, []any{&r.Address, &r.Type, &r.Name, &r.Tree, &r.Refs}, func() error {
		one := r
		r = state.Resource{}
		return put(one)
	})
}

// itemJSON puts an item for each row with one column of JSON.
func itemJSON[I state.Item](t *tx, put func(state.Item) error, sql, what string) {
	var data []byte
	t.each(sql, nil, []any{&data}, func() error {
		var i I
		if err := json.Unmarshal(data, &i); err != nil {
			return fmt.Errorf("%w: %s: %w", state.ErrDamaged, what, err)
		}
		return put(i)
	})
}

func (t *tx) itemManaged(put func(state.Item) error) {
	itemJSON[state.Managed](t, put, `SELECT data FROM managed ORDER BY address COLLATE "C"`, "what an account has")
}

func (t *tx) itemRuns(put func(state.Item) error) {
	itemJSON[state.Run](t, put, "SELECT data FROM runs ORDER BY id", "a run")
}

func (t *tx) itemBlobs(put func(state.Item) error) {
	itemJSON[state.Halt](t, put, `SELECT data FROM halts ORDER BY campaign COLLATE "C"`, "a halt")
	var name string
	var data []byte
	pair := func(item func() state.Item) func() error {
		return func() error {
			i := item()
			data = nil
			return put(i)
		}
	}
	t.each("SELECT number, data FROM slots ORDER BY number", nil, []any{&name, &data}, pair(func() state.Item { return state.Pace{Number: name, Data: data} }))
	t.each("SELECT name, data FROM blobs ORDER BY name", nil, []any{&name, &data}, pair(func() state.Item { return state.Blob{Name: name, Data: data} }))
}

func (t *tx) itemLanes(put func(state.Item) error) {
	var l state.TakenLane
	t.each("SELECT number, replies, epoch, run, over FROM lanes ORDER BY id", nil, []any{&l.Number, &l.Replies, &l.Epoch, &l.Run, &l.Over}, func() error { return put(l) })
}

func (t *tx) itemErased(put func(state.Item) error) {
	var e state.ErasedHash
	t.each("SELECT hash, at FROM erased ORDER BY hash", nil, []any{&e.Hash, &e.At}, func() error {
		one := e
		e.Hash = nil
		return put(one)
	})
}

// itemAttempts works out when and why an attempt was ordered again from the next one.
func (t *tx) itemAttempts(put func(state.Item) error) {
	var r attemptRow
	var body []byte
	var at, run *int64
	t.each("SELECT "+attemptColumns+", a.body, n.intended, n.run"+attemptTables+`LEFT JOIN LATERAL (SELECT n.intended, n.run FROM attempts n
		WHERE a.ordered AND n.campaign = a.campaign AND n.revision = a.revision AND n.person = a.person AND n.attempt > a.attempt
		ORDER BY n.attempt LIMIT 1) n ON true ORDER BY a.id`, nil, append(r.into(), &body, &at, &run), func() error {
		a := r.read()
		i := state.Attempt{ID: a.id, Key: a.key, Choice: a.choice, Number: a.number, Run: a.run, From: a.from, Intended: a.intended, Message: a.message, Digest: a.digest,
			Ref: a.ref, Status: a.fate.Status, Billed: a.fate.billed, RepliedAt: a.fate.replied}
		copy(i.Body[:], body)
		if o := a.out; o != nil {
			i.Settled = &state.Settled{Send: o.send, Proof: o.proof, At: o.settled, Code: o.code, Title: o.title, Cause: o.cause, ID: o.id}
		}
		if a.ordered {
			i.Again = &state.Again{}
			if at != nil {
				i.Again = &state.Again{At: *at, Why: state.OrderedIn(*run)}
			}
		}
		return put(i)
	})
}

func (t *tx) itemCircles(put func(state.Item) error) {
	t.eachCircle("true", nil, func(c *circle, ids, spelled []string) error {
		i := state.Told{Circle: c.Circle, Spelled: map[delivery.ID]string{}}
		for n, id := range ids {
			i.Spelled[delivery.ID(id)] = spelled[n]
		}
		return put(i)
	}, nil)
	t.flush()
}

// itemSeen puts what all stores keep of the hash of a body.
func (t *tx) itemSeen(put func(state.Item) error) {
	var b state.SeenBody
	t.each("SELECT provider, substr(hash, 1, $1), received FROM seen ORDER BY received, hash", args(seenSize), []any{&b.Provider, &b.Hash, &b.Received}, func() error {
		one := b
		b.Hash = nil
		return put(one)
	})
}

func (t *tx) itemInbox(put func(state.Item) error) {
	var b body
	t.each("SELECT id, provider, received, raw, events FROM inbox ORDER BY id", nil, []any{&b.id, &b.provider, &b.received, &b.raw, &b.events}, func() error {
		one := b
		b.raw, b.events = nil, nil
		return put(state.WaitingBody{ID: one.id, Provider: one.provider, Received: one.received, Raw: one.raw, Events: one.events})
	})
}

func (t *tx) itemOrphans(put func(state.Item) error) {
	var o orphan
	t.each("SELECT provider, received, event FROM orphans ORDER BY id", nil, []any{&o.provider, &o.received, &o.text}, func() error {
		text := o.text
		o.text = nil
		return put(state.WaitingEvent{Provider: o.provider, Received: o.received, Event: text})
	})
}

func (t *tx) itemInbound(put func(state.Item) error) {
	var i state.KeptInbound
	var text []byte
	t.each("SELECT id, provider, recipient, received, answered, first, stopped, coalesce(attempt, 0), event FROM inbound ORDER BY id", nil,
		[]any{&i.Seq, &i.Provider, &i.Recipient, &i.Received, &i.Answered, &i.First, &i.Stopped, &i.Attempt, &text}, func() error {
			one := i
			one.Event, text = text, nil
			return put(one)
		})
}

func (t *tx) itemFindings(put func(state.Item) error) {
	var f state.KeptFinding
	t.each("SELECT id, at, kind, attempt, detail FROM findings ORDER BY id", nil, []any{&f.ID, &f.At, &f.Kind, &f.Attempt, &f.Detail}, func() error { return put(f) })
}

func (t *tx) itemNotices(put func(state.Item) error) {
	var n state.KeptNotice
	t.each("SELECT provider, at, kind, field, reason, raw FROM notices ORDER BY id", nil, []any{&n.Provider, &n.At, &n.Kind, &n.Field, &n.Reason, &n.Raw}, func() error {
		one := n
		n.Raw = nil
		return put(one)
	})
}

func (t *tx) itemDecisions(put func(state.Item) error) {
	var d state.Decision
	t.each("SELECT at, who, what, why FROM decisions ORDER BY id", nil, []any{&d.At, &d.Who, &d.What, &d.Why}, func() error { return put(d) })
}

// idleMove bounds how long a process that was suspended while it moves a state keeps
// writers waiting: between two reads it writes elsewhere and reads that back.
const idleMove = time.Hour

// MoveAway implements state.Movable. The lock of the table keeps writers out before
// the moment is fixed that the transaction sees.
func (s *Store) MoveAway(ctx context.Context, to, who string, take func(iter.Seq2[state.Item, error]) error) error {
	if report, err := s.Verify(ctx); err != nil {
		return err
	} else if len(report.Problems) > 0 {
		return fmt.Errorf("%w: %s", state.ErrDamaged, report.Problems[0].What)
	}
	err := s.once(ctx, func(c *pgx.Conn) error {
		locked := "begin isolation level repeatable read; lock table " + pgx.Identifier{s.schema(), "meta"}.Sanitize() + " in exclusive mode"
		if err := s.begin(ctx, c, locked, idleMove); err != nil {
			return err
		}
		t := s.newTx(ctx, c)
		if !t.readMeta(writeMeta, &t.xid) {
			return t.err
		}
		if err := t.moveAway(to, who, take); err != nil {
			return errors.Join(err, t.err)
		}
		return t.commit()
	})
	return s.describe(err)
}

func (t *tx) moveAway(to, who string, take func(iter.Seq2[state.Item, error]) error) error {
	halt := t.halted()
	if err := state.MayMove(halt, to); err != nil {
		return err
	}
	// The plan of an open run is not moved: nobody drives the run there.
	if err := t.closeOpen(nil); err != nil {
		return err
	}
	var open int64
	t.one("SELECT count(*) FROM attempts a WHERE a.run > 0 AND NOT EXISTS (SELECT FROM outcomes o WHERE o.id = a.id)", nil, &open)
	if err := state.RefuseOpen(open); err != nil {
		return err
	}
	err := take(func(yield func(state.Item, error) bool) {
		if t.items(yield); t.err != nil && !errors.Is(t.err, errEnough) {
			yield(nil, t.s.describe(t.err))
		}
	})
	if err != nil || t.err != nil || halt != nil {
		return err
	}
	t.meta.halt = state.MovingTo(to)
	t.later("INSERT INTO decisions (at, who, what, why) VALUES ($1, $2, $3, '')", t.now, who, "moved the state to "+to)
	return t.err
}

// Moved implements state.Movable.
func (s *Store) Moved(ctx context.Context, to string) error {
	return s.write(ctx, func(t *tx) error { t.meta.halt = state.MovedTo(to); return nil })
}

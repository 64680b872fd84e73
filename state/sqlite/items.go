package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"zombiezen.com/go/sqlite"
)

var _ state.Movable = (*Store)(nil)

// Items implements state.Movable.
func (s *Store) Items(ctx context.Context) iter.Seq2[state.Item, error] {
	return func(yield func(state.Item, error) bool) {
		snap, err := s.snapshot(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = snap.Close() }() // it only read
		s.items(ctx, snap.c)(yield)
	}
}

// items reads everything inside the transaction of a connection.
func (s *Store) items(ctx context.Context, c *conn) iter.Seq2[state.Item, error] {
	return func(yield func(state.Item, error) bool) {
		r := itemReader{s: s, c: c}
		r.put = func(i state.Item) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if !yield(i, nil) {
				return errStop
			}
			return nil
		}
		if err := r.all(); err != nil && !errors.Is(err, errStop) {
			yield(nil, fmt.Errorf("reading the state %s: %w", s.opt.Path, describe(err)))
		}
	}
}

// itemReader reads the tables in one transaction, one after another. This is what
// becomes of each table:
//
//	meta        Identity, with the highest handles that were given out
//	resources   Resource
//	managed     Managed
//	products    KeptProduct
//	blobs       Blob; "halts" Halt, "pace/…" Pace, and "clock_acknowledged" a part
//	            of Identity.Latest
//	runs        Run
//	lanes       TakenLane, without the integers
//	attempts    Attempt, with its rows of outcomes, choices, superseded, statuses and
//	            billings
//	links       KeptLink, without the integers
//	circles     Told
//	people      Told, of ids that were never seen with another; with their rows of
//	            windows and usernames. For those who have ties, all three follow
//	            from circles, as ties do
//	erased      ErasedHash
//	seen        SeenBody
//	inbox       WaitingBody
//	orphans     WaitingEvent
//	inbound     KeptInbound
//	findings    KeptFinding, with its id, which people may have written down
//	notices     KeptNotice
//	decisions   Decision
//	addresses   none: every state numbers addresses for itself
//	names       none, for the same reason
//	sheets      none: the packed index says nothing that attempts do not say
//	ledger      none: the checksums are of this file's rows
type itemReader struct {
	s   *Store
	c   *conn
	d   *dictionary
	put func(state.Item) error
}

// all puts every item, in the order of package state.
func (r *itemReader) all() (err error) {
	if r.d, err = r.s.dictionary(r.c); err != nil {
		return err
	}
	for _, step := range []func() error{r.identity, r.resources, r.managed, r.products, r.blobs, r.runs, r.lanes, r.erased, r.attempts, r.links, r.circles, r.alone,
		r.seen, r.inbox, r.orphans, r.inbound, r.findings, r.notices, r.decisions} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// rows puts an item for each row of a query.
func (r *itemReader) rows(query string, item func(*sqlite.Stmt) (state.Item, error)) error {
	return r.c.eachNested(query, func(st *sqlite.Stmt) error {
		i, err := item(st)
		if err != nil {
			return err
		}
		return r.put(i)
	})
}

// identity puts what the state is, with the highest handles that it gave out.
func (r *itemReader) identity() error {
	m, err := r.c.meta()
	if err != nil {
		return err
	}
	i := state.Identity{Lineage: m.Lineage, Serial: m.Serial, Epoch: m.Epoch}
	if i.Latest, err = r.c.latest(); err != nil {
		return err
	}
	for tab, last := range map[table]*int64{tAttempts: &i.Attempts, tInbox: &i.Bodies, tInbound: &i.Inbound} {
		next, err := r.c.nextID(tab)
		if err != nil {
			return err
		}
		*last = next - 1
	}
	return r.put(i)
}

// resources reads the declarations of the last apply.
func (r *itemReader) resources() error {
	return r.rows("SELECT address, type, name, tree, refs FROM resources ORDER BY id", func(st *sqlite.Stmt) (state.Item, error) { return scanResource(st) })
}

// managed reads what the configuration looks after in accounts, by address.
func (r *itemReader) managed() error {
	return r.rows("SELECT address, data FROM managed ORDER BY address", func(st *sqlite.Stmt) (state.Item, error) { return scanManaged(st) })
}

// blobs puts what is kept under names. Halts and slots have names too, and what
// was said about the clock is in the identity.
func (r *itemReader) blobs() error {
	halts, err := r.c.halts()
	if err != nil {
		return err
	}
	for _, h := range halts {
		if err := r.put(h); err != nil {
			return err
		}
	}
	return r.c.eachNested("SELECT name, data FROM blobs ORDER BY name", func(st *sqlite.Stmt) error {
		name, data := st.ColumnText(0), columnBlob(st, 1)
		if name == haltsBlob || name == clockBlob {
			return nil
		}
		if number, ok := strings.CutPrefix(name, slotsPrefix); ok {
			return r.put(state.Pace{Number: number, Data: data})
		}
		return r.put(state.Blob{Name: name, Data: data})
	})
}

// runs reads the applies, oldest first, with the counts of their campaigns.
func (r *itemReader) runs() error {
	return r.rows("SELECT id, started, ended, version, plan, halted, campaigns FROM runs ORDER BY id", func(st *sqlite.Stmt) (state.Item, error) {
		var run state.Run
		err := scanRun(st, &run)
		return run, err
	})
}

// lanes puts sending numbers as runs and servers took them, without their integers.
func (r *itemReader) lanes() error {
	lanes, err := r.c.lanes("1 = 1")
	for i := range lanes {
		l := &lanes[i]
		if err == nil {
			err = r.put(state.TakenLane{Number: r.d.addresses[l.number], Replies: l.replies, Epoch: l.epoch, Run: l.run, Over: l.over})
		}
	}
	return err
}

// erased puts the hashes of who must never be sent to again. Their key is the
// lineage, so they hold in the other state too.
func (r *itemReader) erased() error {
	return r.rows("SELECT hash, at FROM erased ORDER BY id", func(st *sqlite.Stmt) (state.Item, error) {
		return state.ErasedHash{Hash: columnBlob(st, 0), At: st.ColumnInt64(1)}, nil
	})
}

// attempts puts attempts with everything that became of them.
func (r *itemReader) attempts() error {
	lanes, err := r.c.lanes("1 = 1")
	if err != nil {
		return err
	}
	of := map[int64]*laneRow{}
	for i := range lanes {
		of[lanes[i].id] = &lanes[i]
	}
	return r.rows(`SELECT a.id, a.recipient, a.campaign, a.revision, a.attempt, a.lane, a.message, a.intended, a.digest, a.body, a.ref,
		o.id, o.send, o.proof, o.settled, o.code, o.title, o.cause, o.sent_id, u.id, u.at, u.why,
		s.rank, s.rank_at, s.failed_at, s.fail_code, s.fail_title, s.replied, b.id, b.rank, b.at, b.billable, b.category, b.model, b.type, c.arm, c.variant, c.attributes
		FROM attempts a LEFT JOIN outcomes o ON o.id = a.id LEFT JOIN superseded u ON u.id = a.id LEFT JOIN statuses s ON s.id = a.id
		LEFT JOIN billings b ON b.id = a.id LEFT JOIN choices c ON c.id = a.id ORDER BY a.id`, func(st *sqlite.Stmt) (state.Item, error) {
		a := r.attempt(st)
		switch lane := st.ColumnInt64(5); {
		case lane == laneImport:
			a.Run = -1
		case of[lane] != nil:
			a.Run, a.From = of[lane].run, r.d.addresses[of[lane].number]
		case lane != 0:
			return a, fmt.Errorf("%w: attempt %d has no lane", state.ErrDamaged, a.ID)
		}
		return a, nil
	})
}

// attempt reads the columns of attempts, but for the lane.
func (r *itemReader) attempt(st *sqlite.Stmt) state.Attempt {
	a := state.Attempt{ID: st.ColumnInt64(0), Number: st.ColumnInt(4), Message: r.d.addresses[st.ColumnInt64(6)], Intended: st.ColumnInt64(7),
		Key:    state.Key{Campaign: r.d.addresses[st.ColumnInt64(2)], Recipient: r.d.recipient(st.ColumnInt64(1)), Revision: st.ColumnInt(3)},
		Choice: scanChoice(st, 35), Ref: unpackRef(r.d.refHead, st, 10)}
	copy(a.Digest[:], columnBlob(st, 8))
	copy(a.Body[:], columnBlob(st, 9))
	if st.ColumnType(11) != sqlite.TypeNull {
		a.Settled = &state.Settled{Send: state.Send(st.ColumnInt(12)), Proof: proofOf(st.ColumnInt64(13)), At: st.ColumnInt64(14),
			Code: st.ColumnText(15), Title: st.ColumnText(16), Cause: st.ColumnText(17), ID: unpackID(st, 18)}
	}
	if st.ColumnType(19) != sqlite.TypeNull {
		a.Again = &state.Again{At: st.ColumnInt64(20), Why: st.ColumnText(21)}
	}
	status := scanStatus(st, a.ID, 22)
	a.Status, a.RepliedAt = status.joined, status.replied
	if st.ColumnType(28) != sqlite.TypeNull {
		a.Billed = delivery.Billed{Rank: message.Rank(st.ColumnInt(29)), At: st.ColumnInt64(30),
			Billing: message.Billing{Billable: st.ColumnInt(31) == 1, Category: st.ColumnText(32), Model: st.ColumnText(33), Type: st.ColumnText(34)}}
	}
	return a
}

// circles puts what was told about ids that were seen together.
func (r *itemReader) circles() error {
	return r.rows("SELECT told FROM circles ORDER BY id", func(st *sqlite.Stmt) (state.Item, error) {
		var t state.Told
		if err := json.Unmarshal(columnBlob(st, 0), &t.Circle); err != nil {
			return nil, fmt.Errorf("%w: what was told about people: %w", state.ErrDamaged, err)
		}
		return t, nil
	})
}

// alone puts what is known of ids that were never seen with another.
func (r *itemReader) alone() error {
	const of = "SELECT id FROM people UNION SELECT person FROM windows UNION SELECT id FROM usernames"
	return r.c.eachNested(fmt.Sprintf("SELECT id FROM (%s) WHERE id < %d ORDER BY id", of, personBit), func(st *sqlite.Stmt) error {
		who := st.ColumnInt64(0)
		k, _, err := r.c.known(who)
		if err != nil {
			return err
		}
		spelled := r.d.recipient(who)
		id := delivery.ID(message.Canonical(spelled))
		t := state.Told{Spelled: map[delivery.ID]string{id: spelled}}
		tellAlone(&t.Circle, id, k)
		return r.put(t)
	})
}

// seen puts the hashes by which a repeated webhook is known.
func (r *itemReader) seen() error {
	return r.rows("SELECT provider, hash, received FROM seen ORDER BY id", func(st *sqlite.Stmt) (state.Item, error) {
		return state.SeenBody{Provider: r.d.addresses[st.ColumnInt64(0)], Hash: columnBlob(st, 1), Received: st.ColumnInt64(2)}, nil
	})
}

// inbox puts accepted webhooks that wait, and orphans events whose message is not known.
func (r *itemReader) inbox() error {
	return r.rows("SELECT id, provider, received, raw, events FROM inbox ORDER BY id", func(st *sqlite.Stmt) (state.Item, error) {
		return state.WaitingBody{ID: st.ColumnInt64(0), Provider: r.d.addresses[st.ColumnInt64(1)], Received: st.ColumnInt64(2), Raw: columnBlob(st, 3), Events: columnBlob(st, 4)}, nil
	})
}

// orphans reads statuses that wait for the message that they are about.
func (r *itemReader) orphans() error {
	return r.rows("SELECT provider, received, event FROM orphans ORDER BY id", func(st *sqlite.Stmt) (state.Item, error) {
		return state.WaitingEvent{Provider: r.d.addresses[st.ColumnInt64(0)], Received: st.ColumnInt64(1), Event: columnBlob(st, 2)}, nil
	})
}

// inbound puts what people wrote. Whether it stopped marketing is kept in the event.
func (r *itemReader) inbound() error {
	return r.rows("SELECT id, provider, recipient, received, state, first, attempt, event FROM inbound ORDER BY id", func(st *sqlite.Stmt) (state.Item, error) {
		var ev inboundJSON
		if err := json.Unmarshal(columnBlob(st, 7), &ev); err != nil {
			return nil, fmt.Errorf("%w: an inbound event: %w", state.ErrDamaged, err)
		}
		text, err := json.Marshal(&ev.Event)
		return state.KeptInbound{Seq: st.ColumnInt64(0), Provider: r.d.addresses[st.ColumnInt64(1)], Recipient: r.d.recipient(st.ColumnInt64(2)),
			Received: st.ColumnInt64(3), Answered: st.ColumnInt(4) == inboundAnswered, First: st.ColumnInt(5) == 1, Stopped: ev.Stopped,
			Attempt: st.ColumnInt64(6), Event: text}, err
	})
}

// findings keep their ids, which people name.
func (r *itemReader) findings() error {
	return r.rows("SELECT id, at, kind, attempt, detail FROM findings ORDER BY id", func(st *sqlite.Stmt) (state.Item, error) {
		return state.KeptFinding{ID: st.ColumnInt64(0), At: st.ColumnInt64(1), Kind: st.ColumnText(2), Attempt: st.ColumnInt64(3), Detail: st.ColumnText(4)}, nil
	})
}

// notices reads what providers said about the account and no message.
func (r *itemReader) notices() error {
	return r.rows("SELECT provider, at, kind, field, reason, raw FROM notices ORDER BY id", func(st *sqlite.Stmt) (state.Item, error) {
		return state.KeptNotice{Provider: r.d.addresses[st.ColumnInt64(0)], At: st.ColumnInt64(1), Kind: st.ColumnText(2), Field: st.ColumnText(3),
			Reason: st.ColumnText(4), Raw: columnBlob(st, 5)}, nil
	})
}

// decisions reads what people changed by hand, and why.
func (r *itemReader) decisions() error {
	return r.rows("SELECT at, who, what, why FROM decisions ORDER BY id", func(st *sqlite.Stmt) (state.Item, error) {
		return state.Decision{At: st.ColumnInt64(0), Who: st.ColumnText(1), What: st.ColumnText(2), Why: st.ColumnText(3)}, nil
	})
}

// MoveAway implements state.Movable. It checks the whole file first. Everything is
// read inside one write transaction, which also seals the state: other writers wait
// for SQLite's lock, and give up after busyTimeout.
func (s *Store) MoveAway(ctx context.Context, to, who string, take func(iter.Seq2[state.Item, error]) error) error {
	if report, err := s.Verify(ctx); err != nil {
		return err
	} else if !report.OK() {
		return fmt.Errorf("%w: %s", state.ErrDamaged, report.Problems[0].What)
	}
	return s.write(ctx, func(t *tx) error {
		halt, err := t.c.halt()
		if err == nil {
			err = state.MayMove(halt, to)
		}
		if err != nil {
			return err
		}
		open, _, err := t.c.queryInt("SELECT count(*) FROM attempts a LEFT JOIN outcomes o ON o.id = a.id WHERE a.lane > 0 AND o.id IS NULL")
		if err == nil {
			err = state.RefuseOpen(open)
		}
		if err == nil {
			err = take(s.items(ctx, t.c))
		}
		if err != nil || halt != nil {
			return err
		}
		if err := t.note(who, "moved the state to "+to, ""); err != nil {
			return err
		}
		return t.haltAs(state.MovingTo(to))
	})
}

// Moved implements state.Movable.
func (s *Store) Moved(ctx context.Context, to string) error {
	return s.write(ctx, func(t *tx) error { return t.haltAs(state.MovedTo(to)) })
}

// haltAs halts the state for a reason, "" for none.
func (t *tx) haltAs(why string) error {
	return t.changeMeta(func(m *metaRow) error { m.halt = why; return nil })
}

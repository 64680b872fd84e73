package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
)

// Snapshot implements state.Snapshot: one connection in one read transaction.
type Snapshot struct {
	s *Store
	c *conn
}

// Snapshot implements state.Store.
func (s *Store) Snapshot(ctx context.Context) (state.Snapshot, error) {
	snap, err := s.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return snap, nil
}

// snapshot is Snapshot for callers inside the package.
func (s *Store) snapshot(ctx context.Context) (*Snapshot, error) {
	c, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	// The first read fixes the moment.
	if _, _, err := c.queryInt("SELECT id FROM meta"); err != nil {
		s.free(c)
		return nil, fmt.Errorf("reading the state %s: %w", s.opt.Path, describe(err))
	}
	return &Snapshot{s: s, c: c}, nil
}

// Close ends the snapshot; a second time does nothing.
func (s *Snapshot) Close() error {
	if s.c != nil {
		s.s.free(s.c)
		s.c = nil
	}
	return nil
}

// ready fails after Close, and lets ctx interrupt the queries that follow.
func (s *Snapshot) ready(ctx context.Context) error {
	if s.c == nil {
		return errors.New("reading a snapshot that is closed")
	}
	s.c.SetInterrupt(ctx.Done())
	return ctx.Err()
}

// Meta is the identity of the state at that moment.
func (s *Snapshot) Meta(ctx context.Context) (state.Meta, error) {
	if err := s.ready(ctx); err != nil {
		return state.Meta{}, err
	}
	return s.c.meta()
}

// Resources are those of the last apply, in the order in which Begin got them.
func (s *Snapshot) Resources(ctx context.Context) ([]state.Resource, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	var out []state.Resource
	err := s.c.each("SELECT address, type, name, tree, refs FROM resources ORDER BY id", func(st *sqlite.Stmt) error {
		r, err := scanResource(st)
		out = append(out, r)
		return err
	})
	return out, err
}

// scanResource reads a row of resources.
func scanResource(st *sqlite.Stmt) (state.Resource, error) {
	r := state.Resource{Address: st.ColumnText(0), Type: st.ColumnText(1), Name: st.ColumnText(2), Tree: columnBlob(st, 3)}
	if err := json.Unmarshal([]byte(st.ColumnText(4)), &r.Refs); err != nil {
		return r, fmt.Errorf("%w: the references of %s: %w", state.ErrDamaged, r.Address, err)
	}
	return r, nil
}

// Deliveries implements state.Snapshot. The sequence is used up before Close.
func (s *Snapshot) Deliveries(ctx context.Context, campaign string) iter.Seq2[state.Delivery, error] {
	return func(yield func(state.Delivery, error) bool) {
		if err := s.ready(ctx); err != nil {
			yield(state.Delivery{}, err)
			return
		}
		if campaign == "" {
			s.s.deliveries(s.c, "")(yield)
			return
		}
		id, err := s.c.addressID(campaign)
		switch {
		case err != nil:
			yield(state.Delivery{}, err)
		case id != 0:
			s.s.deliveries(s.c, "campaign = ?", id)(yield)
		}
	}
}

// People are all persons of whom something is known.
func (s *Snapshot) People(ctx context.Context) iter.Seq2[state.Person, error] {
	return func(yield func(state.Person, error) bool) {
		err := s.ready(ctx)
		if err == nil {
			err = s.people("", yield)
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(state.Person{}, err)
		}
	}
}

// errStop ends a query whose consumer has enough.
var errStop = errors.New("stop")

// people streams persons that a condition selects.
func (s *Snapshot) people(where string, yield func(state.Person, error) bool) error {
	d, err := s.s.dictionary(s.c)
	if err != nil {
		return err
	}
	usernames, err := s.c.textsByID("SELECT id, name FROM usernames")
	if err != nil {
		return err
	}
	return s.c.eachNested("SELECT id, "+personColumns+" FROM people "+where+" ORDER BY id", func(st *sqlite.Stmt) error {
		row := scanPerson(st, 1)
		p, err := row.export(d.recipient(st.ColumnInt64(0)))
		if err != nil {
			return err
		}
		p.Username = usernames[st.ColumnInt64(0)]
		if !yield(p, nil) {
			return errStop
		}
		return nil
	})
}

// RecentSends implements state.Snapshot.
func (s *Snapshot) RecentSends(ctx context.Context, since time.Time) iter.Seq2[state.RecentSend, error] {
	return func(yield func(state.RecentSend, error) bool) {
		err := s.ready(ctx)
		if err == nil {
			err = s.recentSends(since, yield)
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(state.RecentSend{}, err)
		}
	}
}

// recentSends streams attempts of campaigns since a moment, without those that
// surely reached nobody.
func (s *Snapshot) recentSends(since time.Time, yield func(state.RecentSend, error) bool) (err error) {
	names, err := s.s.dictionary(s.c)
	if err != nil {
		return err
	}
	sends, err := s.c.cursor("SELECT id, recipient, intended FROM attempts WHERE intended > ? AND "+ofCampaigns+" ORDER BY id", state.Millis(since))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sends.close()) }()
	// Two tables in the order of their ids are read faster than a join.
	outcomes, err := s.c.cursor("SELECT id, send FROM outcomes WHERE id >= ? ORDER BY id", sends.id)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, outcomes.close()) }()
	for ; sends.id != endID; sends.next() {
		if outcomes.seek(sends.id) && !state.Send(outcomes.st.ColumnInt(1)).MayHaveReached() {
			continue
		}
		if !yield(state.RecentSend{Recipient: names.recipient(sends.st.ColumnInt64(1)), At: state.Moment(sends.st.ColumnInt64(2))}, nil) {
			return errStop
		}
	}
	return nil
}

// Orders implements state.Snapshot.
func (s *Snapshot) Orders(ctx context.Context) iter.Seq2[state.PlacedOrder, error] {
	return func(yield func(state.PlacedOrder, error) bool) {
		err := s.ready(ctx)
		if err == nil {
			err = s.orders(yield)
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(state.PlacedOrder{}, err)
		}
	}
}

// orders yields the orders that people placed, by the events that told of them. An
// experiment compares them.
func (s *Snapshot) orders(yield func(state.PlacedOrder, error) bool) error {
	d, err := s.s.dictionary(s.c)
	if err != nil {
		return err
	}
	return s.c.eachNested("SELECT recipient, at FROM inbound WHERE cart = 1 ORDER BY id", func(st *sqlite.Stmt) error {
		if !yield(state.PlacedOrder{Recipient: d.recipient(st.ColumnInt64(0)), At: state.Moment(st.ColumnInt64(1))}, nil) {
			return errStop
		}
		return nil
	})
}

// Get is what is kept under a name; nil for nothing.
func (s *Snapshot) Get(ctx context.Context, name string) ([]byte, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	var out []byte
	return out, s.c.each("SELECT data FROM blobs WHERE name = ?", func(st *sqlite.Stmt) error {
		out = columnBlob(st, 0)
		return nil
	}, name)
}

// Erased implements state.Snapshot. The hashes are few, so all of them are
// read.
func (s *Snapshot) Erased(ctx context.Context) (func(recipient string) bool, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	hashes := map[[16]byte]bool{}
	err := s.c.each("SELECT hash FROM erased", func(st *sqlite.Stmt) error {
		var h [16]byte
		st.ColumnBytes(0, h[:])
		hashes[h] = true
		return nil
	})
	store := s.s
	// No hash is computed while nobody was erased, as in nearly every state.
	return func(recipient string) bool {
		return len(hashes) > 0 && slices.ContainsFunc(store.erasedHashes(recipient), func(h []byte) bool { return hashes[[16]byte(h)] })
	}, err
}

package sqlite

import (
	"context"
	"errors"
	"iter"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state"
)

// window reads what is known of a person's window at a sending number; who is the
// integer that personID returns.
func (c *conn) window(who, number int64) (id int64, w delivery.Window, err error) {
	err = c.each("SELECT id, inbound, shut FROM windows WHERE person = ? AND number = ?", func(st *sqlite.Stmt) error {
		id, w = st.ColumnInt64(0), delivery.Window{Inbound: st.ColumnInt64(1), Shut: st.ColumnInt64(2)}
		return nil
	}, who, number)
	return id, w, err
}

// windowAt is window joined with what is known of all numbers. place is personID's.
func (c *conn) windowAt(place, number int64, p *personRow) (delivery.Window, error) {
	_, w, err := c.window(place, number)
	return w.Join(delivery.Window{Shut: p.shut}), err
}

// windowsFromInbound works out the windows of a state of format 1 or 2 from the
// messages that it kept.
func (t *tx) windowsFromInbound() error {
	type wrote struct{ who, number, at int64 }
	var all []wrote
	err := t.c.each("SELECT recipient, provider, max(at) FROM inbound GROUP BY recipient, provider ORDER BY recipient, provider", func(st *sqlite.Stmt) error {
		all = append(all, wrote{st.ColumnInt64(0), st.ColumnInt64(1), st.ColumnInt64(2)})
		return nil
	})
	for _, w := range all {
		if err == nil {
			err = t.wroteTo(w.who, w.number, w.at)
		}
	}
	return err
}

// wroteTo records that a person wrote to a number.
func (t *tx) wroteTo(who, number, at int64) error {
	key, err := t.c.recipientText(who)
	if err != nil {
		return err
	}
	through, err := t.c.addressText(number)
	if err != nil {
		return err
	}
	return t.tell(key, func(f *delivery.Facts) { f.Wrote(through, at) })
}

// Windows are the windows of everybody at one sending number.
func (s *Snapshot) Windows(ctx context.Context, number string) iter.Seq2[state.PersonWindow, error] {
	return func(yield func(state.PersonWindow, error) bool) {
		err := s.ready(ctx)
		if err == nil {
			err = s.windows(number, yield)
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(state.PersonWindow{}, err)
		}
	}
}

// windows streams the windows at one sending number.
func (s *Snapshot) windows(number string, yield func(state.PersonWindow, error) bool) error {
	id, err := s.c.addressID(number)
	if err != nil || id == 0 {
		return err
	}
	d, err := s.s.dictionary(s.c)
	if err != nil {
		return err
	}
	return s.c.eachNested("SELECT person, inbound, shut FROM windows WHERE number = ? ORDER BY id", func(st *sqlite.Stmt) error {
		w := state.PersonWindow{Recipient: d.recipient(st.ColumnInt64(0)), Number: number,
			Window: delivery.Window{Inbound: st.ColumnInt64(1), Shut: st.ColumnInt64(2)}}
		if !yield(w, nil) {
			return errStop
		}
		return nil
	}, id)
}

package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
)

// Meta is the identity of the state.
func (s *Store) Meta(ctx context.Context) (state.Meta, error) {
	var m state.Meta
	err := s.read(ctx, func(c *conn) (err error) {
		m, err = c.meta()
		return err
	})
	return m, err
}

// meta reads the identity of the state.
func (c *conn) meta() (state.Meta, error) {
	m := state.Meta{}
	version, _, err := c.queryInt("PRAGMA user_version")
	if err != nil {
		return m, err
	}
	m.Format = int(version)
	return m, c.each("SELECT lineage, serial, epoch FROM meta", func(st *sqlite.Stmt) error {
		m.Lineage, m.Serial, m.Epoch = st.ColumnText(0), st.ColumnInt64(1), st.ColumnInt64(2)
		return nil
	})
}

// metaRow is the one row of meta. recovered is an attempt up to which nothing
// is open; halt is why nothing is sent, "" for no reason.
type metaRow struct {
	lineage                           string // 32 hexadecimal digits
	serial, epoch, recovered, created int64  // created is when, in milliseconds
	halt                              string // "" for none
}

// changeMeta reads, changes and writes the row of meta.
func (t *tx) changeMeta(change func(*metaRow) error) error {
	var m metaRow
	defer func() { t.epoch = max(t.epoch, m.epoch) }()
	err := t.c.each("SELECT lineage, serial, epoch, recovered, created, halt FROM meta", func(st *sqlite.Stmt) error {
		m = metaRow{st.ColumnText(0), st.ColumnInt64(1), st.ColumnInt64(2), st.ColumnInt64(3), st.ColumnInt64(4), st.ColumnText(5)}
		return nil
	})
	if err != nil {
		return err
	}
	if err := change(&m); err != nil {
		return err
	}
	return t.replace(tMeta, 1).meta(&m)
}

// meta writes the row of meta.
func (w *rowWriter) meta(m *metaRow) error {
	w.text(m.lineage)
	w.int(m.serial)
	w.int(m.epoch)
	w.int(m.recovered)
	w.int(m.created)
	w.maybeText(m.halt)
	_, err := w.done()
	return err
}

// decided raises the serial and writes down who decided what.
func (t *tx) decided(who, what, why string) error {
	if err := t.changeMeta(func(m *metaRow) error { m.serial++; return nil }); err != nil {
		return err
	}
	return t.note(who, what, why)
}

// note writes down who decided what, for callers that raise the serial themselves.
func (t *tx) note(who, what, why string) error {
	w := t.insert(tDecisions, 0)
	w.int(t.now)
	w.text(who)
	w.text(what)
	w.text(why)
	_, err := w.done()
	return err
}

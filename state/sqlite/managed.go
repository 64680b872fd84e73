package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// Manage implements state.Store.
func (s *Store) Manage(ctx context.Context, keep []state.Managed, forget []string) error {
	err := s.write(ctx, func(t *tx) error {
		for _, address := range forget {
			if err := t.dropManaged(address); err != nil {
				return err
			}
		}
		for i := range keep {
			if err := t.putManaged(&keep[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keeping what is managed in an account: %w", err)
	}
	return nil
}

// dropManaged removes the record at an address; there may be none.
func (t *tx) dropManaged(address string) error {
	_, err := t.removeAll(tManaged, "SELECT id FROM managed WHERE address = ?", address)
	return err
}

// putManaged writes a record in place of the one at its address.
func (t *tx) putManaged(m *state.Managed) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := t.dropManaged(m.Address); err != nil {
		return err
	}
	w := t.insert(tManaged, 0)
	w.text(m.Address)
	w.blob(data)
	_, err = w.done()
	return err
}

// Managed are the objects of accounts at that moment, by address.
func (s *Snapshot) Managed(ctx context.Context) ([]state.Managed, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	var out []state.Managed
	err := s.c.each("SELECT address, data FROM managed ORDER BY address", func(st *sqlite.Stmt) error {
		m, err := scanManaged(st)
		out = append(out, m)
		return err
	})
	return out, err
}

// scanManaged reads the address and the data of a row of managed.
func scanManaged(st *sqlite.Stmt) (m state.Managed, err error) {
	if err := json.Unmarshal(columnBlob(st, 1), &m); err != nil || m.Address != st.ColumnText(0) {
		return m, fmt.Errorf("%w: what is managed as %s", state.ErrDamaged, st.ColumnText(0))
	}
	return m, nil
}

// tellTemplate joins what a notice reports about a template.
func (t *tx) tellTemplate(provider, received int64, ev *message.Event) error {
	from, err := t.c.addressText(provider)
	if err != nil {
		return err
	}
	name := state.ToldName(from, ev.Template)
	var kept []byte
	if err := t.c.each("SELECT data FROM blobs WHERE name = ?", func(st *sqlite.Stmt) error {
		kept = columnBlob(st, 0)
		return nil
	}, name); err != nil {
		return err
	}
	data, err := state.TellTemplate(kept, from, eventTime(ev, received), ev.Template)
	if err != nil {
		return err
	}
	return t.putBlob(name, data)
}

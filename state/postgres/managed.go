package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// Manage implements state.Store.
func (s *Store) Manage(ctx context.Context, keep []state.Managed, forget []string) error {
	err := s.write(ctx, func(t *tx) error {
		for _, address := range forget {
			t.later("DELETE FROM managed WHERE address = $1", address)
		}
		for i := range keep {
			data, err := json.Marshal(&keep[i])
			if err != nil {
				return err
			}
			t.later("INSERT INTO managed VALUES ($1, $2) ON CONFLICT (address) DO UPDATE SET data = excluded.data", keep[i].Address, data)
		}
		return nil
	})
	return named(err, "keeping what an account has")
}

func (s *snapshot) Managed(ctx context.Context) (out []state.Managed, err error) {
	err = s.read(ctx, func(t *tx) {
		var data []byte
		t.each(`SELECT data FROM managed ORDER BY address COLLATE "C"`, nil, []any{&data}, func() error {
			var m state.Managed
			if err := json.Unmarshal(data, &m); err != nil {
				return fmt.Errorf("%w: what an account has: %w", state.ErrDamaged, err)
			}
			out = append(out, m)
			return nil
		})
	})
	return out, err
}

// tellTemplate joins what a notice reports about a template, if it is about one.
func (t *tx) tellTemplate(provider string, received int64, ev *message.Event) {
	if ev.Template == nil {
		return
	}
	name := state.ToldName(provider, ev.Template)
	var kept []byte
	if !t.one("SELECT data FROM blobs WHERE name = $1", args(name), &kept) {
		kept = nil
	}
	data, err := state.TellTemplate(kept, provider, delivery.EventTime(ev, received), ev.Template)
	if err != nil {
		t.fail(err)
		return
	}
	t.putBlobs(map[string][]byte{name: data})
}

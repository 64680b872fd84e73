package memstate

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// Manage implements state.Store.
func (s *Store) Manage(ctx context.Context, keep []state.Managed, forget []string) error {
	return s.write(ctx, func() error {
		for _, address := range forget {
			dropKey(s, s.managed, address)
		}
		for _, m := range keep {
			setKey(s, s.managed, m.Address, copied(m))
		}
		return nil
	})
}

// copied returns a copy that shares nothing with m.
func copied(m state.Managed) state.Managed {
	m.Declared, m.Observed, m.Edits = slices.Clone(m.Declared), slices.Clone(m.Observed), slices.Clone(m.Edits)
	if m.Intent != nil {
		intent := *m.Intent
		m.Intent = &intent
	}
	return m
}

// listManaged returns all of them, sorted by address; s.mu is held.
func (s *Store) listManaged() []state.Managed {
	out := make([]state.Managed, 0, len(s.managed))
	for m := range maps.Values(s.managed) {
		out = append(out, copied(m))
	}
	slices.SortFunc(out, func(a, b state.Managed) int { return cmp.Compare(a.Address, b.Address) })
	return out
}

// Managed implements state.Snapshot.
func (s *snapshot) Managed(ctx context.Context) ([]state.Managed, error) {
	return s.managed, s.ready(ctx)
}

// tellTemplate joins what a notice reports about a template, if it is about one.
func (s *Store) tellTemplate(provider string, received int64, ev *message.Event) {
	if ev.Template == nil {
		return
	}
	name := state.ToldName(provider, ev.Template)
	data, err := state.TellTemplate(s.blobs[name], provider, delivery.EventTime(ev, received), ev.Template)
	if err != nil {
		panic(err) // nothing else writes under this name
	}
	setKey(s, s.blobs, name, data)
}

package memstate

import (
	"cmp"
	"context"
	"iter"
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
		intent.Handles = slices.Clone(intent.Handles)
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

// productKey names a product of a catalog.
type productKey struct{ catalog, id string }

// KeepProducts implements state.Store.
func (s *Store) KeepProducts(ctx context.Context, catalog string, keep []state.KeptProduct, forget []string) error {
	return s.write(ctx, func() error {
		for _, id := range forget {
			dropKey(s, s.products, productKey{catalog, id})
		}
		for _, p := range keep {
			p.Catalog = catalog
			setKey(s, s.products, productKey{catalog, p.ID}, p)
		}
		return nil
	})
}

// listProducts returns all of them, sorted; s.mu is held.
func (s *Store) listProducts() []state.KeptProduct {
	out := slices.Collect(maps.Values(s.products))
	slices.SortFunc(out, func(a, b state.KeptProduct) int {
		return cmp.Or(cmp.Compare(a.Catalog, b.Catalog), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Products implements state.Snapshot.
func (s *snapshot) Products(ctx context.Context, catalog string) iter.Seq2[state.KeptProduct, error] {
	return func(yield func(state.KeptProduct, error) bool) {
		if err := s.ready(ctx); err != nil {
			yield(state.KeptProduct{}, err)
			return
		}
		for _, p := range s.products {
			if (catalog == "" || p.Catalog == catalog) && !yield(p, nil) {
				return
			}
		}
	}
}

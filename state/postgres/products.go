package postgres

import (
	"context"
	"errors"
	"iter"

	"github.com/handbill/handbill/state"
)

// KeepProducts implements state.Store.
func (s *Store) KeepProducts(ctx context.Context, catalog string, keep []state.KeptProduct, forget []string) error {
	err := s.write(ctx, func(t *tx) error {
		if len(forget) > 0 {
			t.later("DELETE FROM products WHERE catalog = $1 AND retailer = ANY ($2::text[])", catalog, forget)
		}
		for i := range keep {
			t.putProduct(catalog, &keep[i])
		}
		return nil
	})
	return named(err, "keeping the products of a catalog")
}

func (t *tx) putProduct(catalog string, p *state.KeptProduct) {
	t.later("INSERT INTO products VALUES ($1, $2, $3, $4) ON CONFLICT (catalog, retailer) DO UPDATE SET digest = excluded.digest, review = excluded.review",
		catalog, p.ID, p.Digest, p.Review)
}

// eachProduct calls each with every product of a catalog, of all for "".
func (t *tx) eachProduct(catalog string, each func(state.KeptProduct) error) {
	var p state.KeptProduct
	t.each(`SELECT catalog, retailer, digest, review FROM products WHERE $1 = '' OR catalog = $1 ORDER BY catalog COLLATE "C", retailer COLLATE "C"`,
		[]any{catalog}, []any{&p.Catalog, &p.ID, &p.Digest, &p.Review}, func() error { return each(p) })
}

// Products implements state.Snapshot.
func (s *snapshot) Products(ctx context.Context, catalog string) iter.Seq2[state.KeptProduct, error] {
	return func(yield func(state.KeptProduct, error) bool) {
		stopped := errors.New("stopped")
		err := s.read(ctx, func(t *tx) {
			t.eachProduct(catalog, func(p state.KeptProduct) error {
				if !yield(p, nil) {
					return stopped
				}
				return nil
			})
		})
		if err != nil && !errors.Is(err, stopped) {
			yield(state.KeptProduct{}, err)
		}
	}
}

func (t *tx) itemProducts(put func(state.Item) error) {
	t.eachProduct("", func(p state.KeptProduct) error { return put(p) })
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/state"
)

// KeepProducts implements state.Store.
func (s *Store) KeepProducts(ctx context.Context, catalog string, keep []state.KeptProduct, forget []string) error {
	err := s.write(ctx, func(t *tx) error {
		for _, id := range forget {
			if err := t.dropProduct(catalog, id); err != nil {
				return err
			}
		}
		for i := range keep {
			if err := t.putProduct(catalog, &keep[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keeping the products of a catalog: %w", err)
	}
	return nil
}

// dropProduct removes what is known of a product; there may be nothing.
func (t *tx) dropProduct(catalog, id string) error {
	_, err := t.removeAll(tProducts, "SELECT id FROM products WHERE catalog = ? AND retailer = ?", catalog, id)
	return err
}

// putProduct writes what is known of a product in place of what was. The unique index
// would refuse a second row.
func (t *tx) putProduct(catalog string, p *state.KeptProduct) error {
	if err := t.dropProduct(catalog, p.ID); err != nil {
		return err
	}
	w := t.insert(tProducts, 0)
	w.text(catalog)
	w.text(p.ID)
	w.text(p.Digest)
	w.text(p.Review)
	_, err := w.done()
	return err
}

// eachProduct is the query of all products; scanProduct reads a row of it.
const eachProduct = "SELECT catalog, retailer, digest, review FROM products WHERE ?1 = '' OR catalog = ?1 ORDER BY catalog, retailer"

// scanProduct reads a row of products without its checksum.
func scanProduct(st *sqlite.Stmt) state.KeptProduct {
	return state.KeptProduct{Catalog: st.ColumnText(0), ID: st.ColumnText(1), Digest: st.ColumnText(2), Review: st.ColumnText(3)}
}

// Products implements state.Snapshot.
func (s *Snapshot) Products(ctx context.Context, catalog string) iter.Seq2[state.KeptProduct, error] {
	return func(yield func(state.KeptProduct, error) bool) {
		err := s.ready(ctx)
		if err == nil {
			err = s.c.eachNested(eachProduct, func(st *sqlite.Stmt) error {
				if !yield(scanProduct(st), nil) {
					return errStop
				}
				return nil
			}, catalog)
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(state.KeptProduct{}, err)
		}
	}
}

// products reads what is known of the products of managed catalogs.
func (r *itemReader) products() error {
	return r.rows("SELECT catalog, retailer, digest, review FROM products ORDER BY catalog, retailer", func(st *sqlite.Stmt) (state.Item, error) { return scanProduct(st), nil })
}

// products are those of managed catalogs.
func (e *exporter) products(ctx context.Context) error {
	for p, err := range e.snap.Products(ctx, "") {
		if err != nil {
			return err
		}
		err = e.enc.Encode(struct {
			Line string `json:"kind"`
			state.KeptProduct
		}{"product", p})
		if err != nil {
			return err
		}
	}
	return nil
}

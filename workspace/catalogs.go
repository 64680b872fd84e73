package workspace

import (
	"context"
	"fmt"
	"iter"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// catalogs read the catalogs that manage blocks name; without one they make no
// request.
func (w *Workspace) catalogs(snap state.Snapshot) plan.Catalogs {
	out := plan.Catalogs{
		Able: func(p *lang.Provider) string { return w.catalogAbility(p.Address()) },
		Read: func(ctx context.Context, p *lang.Provider, id string, each func(*account.Product) error) (plan.ReadCatalog, error) {
			return w.ReadCatalog(ctx, p.Address(), id, each)
		},
		Link: func(ctx context.Context, p *lang.Provider, id string) (link account.CatalogLink, err error) {
			err = w.withCatalogs(p.Address(), func(n providers.CatalogWriter) error {
				link, err = n.CatalogLink(ctx, id)
				return err
			})
			return link, err
		},
	}
	if snap != nil {
		out.Kept = func(ctx context.Context, id string) iter.Seq2[state.KeptProduct, error] {
			return snap.Products(ctx, id)
		}
	}
	return out
}

// Catalogs read catalogs without what a state knows of them.
func (w *Workspace) Catalogs() plan.Catalogs { return w.catalogs(nil) }

// withCatalogs calls do with the number at an address.
func (w *Workspace) withCatalogs(address string, do func(providers.CatalogWriter) error) error {
	n, done, err := w.CatalogWriter(address)
	if err != nil {
		return err
	}
	defer done()
	return do(n)
}

// CatalogWriter is the number at an address, for changes of catalogs. The caller calls
// done in the end.
func (w *Workspace) CatalogWriter(address string) (n providers.CatalogWriter, done func(), err error) {
	number, err := w.Provider(address)
	if err != nil {
		return nil, nil, err
	}
	n, ok := number.(providers.CatalogWriter)
	if !ok {
		CloseProvider(number)
		return nil, nil, fmt.Errorf("%s has no way to change catalogs. Declare a provider \"cloud\" with a token of Meta's that has the permission catalog_management, and name it in the manage block; messages go on through %s", number.Profile().Title, address)
	}
	return n, func() { CloseProvider(number) }, nil
}

// catalogAbility says why the number at an address can't change catalogs; "" if it can.
func (w *Workspace) catalogAbility(address string) string {
	n, done, err := w.CatalogWriter(address)
	if err != nil {
		return err.Error()
	}
	defer done()
	return n.CatalogAbility()
}

// ReadCatalog reads a catalog whole through the number at an address.
func (w *Workspace) ReadCatalog(ctx context.Context, address, id string, each func(*account.Product) error) (seen plan.ReadCatalog, err error) {
	err = w.withCatalogs(address, func(n providers.CatalogWriter) error {
		if seen.Catalog, err = n.Catalog(ctx, id); err != nil {
			return err
		}
		seen.At = w.host.Now().UTC().Round(0) // of the wall: a machine that sleeps counts, too
		return n.EachProduct(ctx, id, each)
	})
	return seen, err
}

package operation

import (
	"context"
	"errors"
	"fmt"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// isCatalog reports whether an address is that of a catalog, or of one of its products.
func isCatalog(address string) bool { return message.AddressType(address) == "catalog" }

// CatalogRecord is what a state keeps of a managed catalog.
type CatalogRecord struct {
	state.Managed
	Products []state.KeptProduct
}

// KeptCatalog returns what a snapshot keeps of the managed catalog at an address; nil
// for one that is not managed.
func KeptCatalog(ctx context.Context, snap state.Snapshot, address string) (*CatalogRecord, error) {
	list, err := snap.Managed(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Kind != "catalog" || list[i].Address != address {
			continue
		}
		out := &CatalogRecord{Managed: list[i]}
		for p, err := range snap.Products(ctx, list[i].Account) {
			if err != nil {
				return nil, err
			}
			out.Products = append(out.Products, p)
		}
		return out, nil
	}
	return nil, nil
}

// CutProduct splits the address of a product into that of its catalog and its id; ok is
// false for any other address.
func CutProduct(address string) (catalog, id string, ok bool) {
	base, id, keyed := state.SplitAddress(address)
	if !keyed || !isCatalog(address) || len(base) <= len(productsStep) || base[len(base)-len(productsStep):] != productsStep {
		return "", "", false
	}
	return base[:len(base)-len(productsStep)], id, true
}

const productsStep = ".products"

func keptCatalog(ctx context.Context, s state.Store, address string) (*CatalogRecord, error) {
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	return KeptCatalog(ctx, snap, address)
}

// forgetCatalog removes a catalog from the state, or one of its products. The account's
// catalog is not changed.
func forgetCatalog(ctx context.Context, s state.Store, address string) (int, error) {
	if of, id, ok := CutProduct(address); ok {
		c, err := keptCatalog(ctx, s, of)
		if err != nil {
			return 0, err
		}
		if c == nil || !c.has(id) {
			return 0, fmt.Errorf("%s: %w", message.SafeText(address), state.ErrUnknown)
		}
		return 0, s.KeepProducts(ctx, c.Account, nil, []string{id})
	}
	c, err := keptCatalog(ctx, s, address)
	if err != nil {
		return 0, err
	}
	if c != nil {
		var ids []string
		for _, p := range c.Products {
			ids = append(ids, p.ID)
		}
		if err := errors.Join(s.KeepProducts(ctx, c.Account, nil, ids), s.Manage(ctx, nil, []string{address})); err != nil {
			return 0, err
		}
	}
	n, err := s.Remove(ctx, address)
	if c != nil && errors.Is(err, state.ErrUnknown) {
		return 0, nil // its block had not been applied yet
	}
	return n, err
}

func (c *CatalogRecord) has(id string) bool {
	for i := range c.Products {
		if c.Products[i].ID == id {
			return true
		}
	}
	return false
}

// moveCatalog changes the address of a catalog. What is kept of its products goes by the
// account's id of it.
func moveCatalog(ctx context.Context, s state.Store, from, to string) error {
	if err := s.Move(ctx, from, to); err != nil {
		return err
	}
	c, err := keptCatalog(ctx, s, from)
	if err != nil || c == nil {
		return err
	}
	c.Address = to
	return s.Manage(ctx, []state.Managed{c.Managed}, []string{from})
}

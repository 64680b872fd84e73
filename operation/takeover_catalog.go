package operation

import (
	"context"
	"fmt"
	"strings"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// ImportCatalog records the declared products of a managed catalog that the account's
// catalog has. id is the catalog's, or CATALOG/RETAILER_ID for one product. It changes
// nothing in the account. An error is an *Error, and then nothing was recorded.
func ImportCatalog(ctx context.Context, ws *workspace.Workspace, s state.Store, address, id string) ([]CatalogStep, error) {
	cat, err := managedCatalog(ws.Config, address)
	if err != nil {
		return nil, &Error{"No such catalog", err}
	}
	catalog, only, one := strings.Cut(id, "/")
	if catalog != cat.ID {
		return nil, refuse("Catalog not imported", "%s is declared with id = %q, and the id to import is %s", address, cat.ID, message.SafeText(catalog))
	}
	rows, err := managed(ctx, s)
	if err != nil {
		return nil, err
	}
	row := state.Managed{Address: address, Kind: "catalog"}
	for i := range rows {
		switch other := &rows[i]; {
		case other.Kind == "catalog" && other.Address == address && !one:
			return nil, refuse("Catalog not imported", "the state has %s already; the next plan takes over what it does not know", address)
		case other.Kind == "catalog" && other.Address == address:
			row = *other
		case other.Kind == "catalog" && other.Account == catalog:
			return nil, refuse("Catalog not imported", "the state has it as %s. If that was renamed: handbill state mv %s %s", other.Address, other.Address, address)
		}
	}
	declared := map[string]account.Product{}
	for i := range cat.Products {
		if p, _, _ := cat.Products[i].Account(); !one || p.ID == only {
			declared[p.ID] = p
		}
	}
	if one && len(declared) == 0 {
		return nil, refuse("Product not imported", "%s declares no product %q", address, message.SafeText(only))
	}
	keep, others, err := heldOf(ctx, ws, cat, declared)
	if err != nil {
		return nil, &Error{"Catalog not imported", fmt.Errorf("the catalog %s could not be read: %w", catalog, err)}
	}
	if one && len(keep) == 0 {
		return nil, refuse("Product not imported", "the catalog %s has no product %q", catalog, message.SafeText(only))
	}
	if err := s.KeepProducts(ctx, catalog, keep, nil); err != nil {
		return nil, err
	}
	work := &catalogWork{catalogsWork: &catalogsWork{Apply: &Apply{Store: s, ws: ws}}, row: row,
		c: &plan.CatalogChange{Address: address, Provider: cat.Manage.Provider.Address(), Catalog: catalog, OnDestroy: cat.Manage.OnDestroy, MaxChange: cat.Manage.MaxChange}}
	step := CatalogStep{Address: address, Did: CatalogTaken, Products: len(keep)}
	if others > 0 {
		step.Detail = fmt.Sprintf("%d of these differ from what is declared, and the next plan changes them", others)
	}
	return []CatalogStep{step}, work.keep(ctx)
}

// managedCatalog is the declared catalog with a manage block at an address.
func managedCatalog(cfg *lang.Config, address string) (*lang.Catalog, error) {
	cat, known := declaredAt(cfg.Catalogs, address, func(cat *lang.Catalog) bool { return cat.Manage != nil && cat.Manage.Provider != nil })
	if cat != nil {
		return cat, nil
	}
	return nil, fmt.Errorf("%s is not a catalog that is declared with a manage block; %s. To have the block written from what the account has, write an import block and run \"handbill plan -generate-config-out=catalogs.hcl\"", message.SafeText(address), known)
}

// declaredAt returns the declared object at an address, of those that handbill may look
// after; nil for none, and then known is a sentence's end that names what there is.
func declaredAt[T any, P interface {
	*T
	Address() string
}](list []P, address string, ours func(P) bool) (found P, known string) {
	var has []string
	for _, one := range list {
		if !ours(one) {
			continue
		}
		if one.Address() == address {
			return one, ""
		}
		has = append(has, one.Address())
	}
	if len(has) == 0 {
		return nil, "none is"
	}
	return nil, "declared are: " + strings.Join(has, ", ")
}

// heldOf are the records of the declared products that a catalog has; others counts
// those that differ. Their records say what the catalog has, so that a plan changes them.
func heldOf(ctx context.Context, ws *workspace.Workspace, cat *lang.Catalog, declared map[string]account.Product) (keep []state.KeptProduct, others int, err error) {
	seen := map[string]bool{}
	_, err = ws.ReadCatalog(ctx, cat.Manage.Provider.Address(), cat.ID, func(held *account.Product) error {
		p, wanted := declared[held.ID]
		if !wanted || seen[held.ID] {
			return nil
		}
		seen[held.ID] = true
		digest := p.Digest()
		if len(p.Changes(held, "")) > 0 {
			others++
			digest = held.Digest()
		}
		keep = append(keep, state.KeptProduct{ID: p.ID, Digest: digest, Review: held.Review})
		return nil
	})
	return keep, others, err
}

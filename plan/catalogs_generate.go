package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

// maxGenerated bounds the products of a catalog that is written as blocks. Files of
// larger catalogs are exports with a row a product.
const maxGenerated = 5000

// catalog writes a catalog block for an import block; "" if it can't.
func (g *generator) catalog(ctx context.Context, in *lang.Import, catalogs Catalogs) string {
	var products []account.Product
	seen := map[string]bool{}
	odd := map[string]int{}
	_, err := catalogs.Read(ctx, in.Provider, in.ID, func(held *account.Product) error {
		if seen[held.ID] {
			return nil
		}
		seen[held.ID] = true
		p, problems, _ := held.Normal()
		for _, problem := range problems { // a block can't declare it, and so leaves it alone
			if field := p.ProductField(problem.Path); field != nil {
				*field = ""
				odd[problem.Path]++
			}
		}
		products = append(products, p)
		return nil
	})
	switch {
	case err != nil:
		g.diags = append(g.diags, fail("catalog_unreadable", in.DeclRange, "The catalog %s could not be read through %s, so nothing can be written for %s. %s", message.SafeText(in.ID), in.Provider.Address(), in.To, ended(err.Error())))
		return ""
	case len(products) > maxGenerated:
		g.diags = append(g.diags, fail("catalog_unreadable", in.DeclRange, "The catalog %s has %d products, and blocks are written for %d at most. Export it as CSV in Commerce Manager, and declare %s with products = csv(…) and a manage block; the plan then takes over what is equal.",
			message.SafeText(in.ID), len(products), maxGenerated, in.To))
		return ""
	}
	for _, field := range []string{"price", "availability", "condition", "link", "image_link"} {
		if n := odd[field]; n > 0 {
			what := fmt.Sprintf("%s: the %s of %d products is in no form that can be declared, and is not looked after.", in.To, field, n)
			g.diags = append(g.diags, warn("template_undeclarable", in.DeclRange, "%s", what))
			g.notes = append(g.notes, what)
		}
	}
	slices.SortFunc(products, func(a, b account.Product) int { return strings.Compare(a.ID, b.ID) })
	return string(lang.CatalogSource(strings.TrimPrefix(in.To, "catalog."), in.Provider.Address(), in.ID, products))
}

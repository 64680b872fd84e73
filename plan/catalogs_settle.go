package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// settleCatalogs compares the manage blocks with their catalogs and the state.
func (b *builder) settleCatalogs(ctx context.Context) {
	if b.in.Templates.Unread {
		return
	}
	declares := map[string]bool{}
	for _, cat := range b.cfg.Catalogs {
		declares[cat.Address()] = cat.Manage != nil
	}
	rows := b.recorded(declares, func(kind string) bool { return kind == "catalog" })
	for _, cat := range b.cfg.Catalogs {
		if cat.Manage != nil && cat.Manage.Provider != nil && b.scope.covers(cat.Address()) {
			s := &catalogWork{builder: b, cat: cat, row: rows[cat.Address()], rows: rows, declares: declares}
			s.settle(ctx)
		}
	}
	for _, address := range slices.Sorted(maps.Keys(rows)) {
		if !declares[address] && b.scope.covers(address) {
			b.retireCatalog(ctx, address, rows[address])
		}
	}
	slices.SortFunc(b.plan.Catalogs, func(x, y CatalogChange) int { return strings.Compare(x.Address, y.Address) })
	slices.SortFunc(b.plan.Drift, func(x, y Drift) int { return strings.Compare(x.Address, y.Address) })
}

// retireCatalog decides about a catalog that is not managed any more. Its products are
// dealt with as its block said, unless the block is still there without manage, or a
// removed block lets it go.
func (b *builder) retireCatalog(ctx context.Context, address string, row *state.Managed) {
	var still bool
	for _, cat := range b.cfg.Catalogs {
		still = still || cat.Address() == address
	}
	removed := slices.ContainsFunc(b.cfg.Removed, func(r *lang.Removed) bool { return r.Covers(address) })
	c := CatalogChange{Address: address, Provider: row.Provider, Catalog: row.Account, Gone: true, OnDestroy: lang.OnDestroyKeep}
	if still || removed || row.OnDestroy == lang.OnDestroyKeep {
		b.plan.Catalogs = append(b.plan.Catalogs, c)
		return
	}
	var settings catalogSettings
	if len(row.Declared) > 0 && json.Unmarshal(row.Declared, &settings) != nil {
		b.diags = append(b.diags, fail("catalog_record", hcl.Range{}, "%s: what the state keeps of it can't be read. Remove it with `handbill state rm`, which leaves the catalog alone, and plan again.", address))
		return
	}
	i := slices.IndexFunc(b.cfg.Providers, func(p *lang.Provider) bool { return p.Address() == row.Provider })
	if i < 0 {
		b.diags = append(b.diags, fail("catalog_unreadable", hcl.Range{}, "%s: on_destroy = %q would change products of the catalog %s through %s, which is not declared any more. Declare it for one more apply, or let the catalog go: %s.",
			address, row.OnDestroy, message.SafeText(row.Account), row.Provider, letGo(address)))
		return
	}
	gone := &lang.Catalog{ID: row.Account, Manage: &lang.Manage{Provider: b.cfg.Providers[i], OnDestroy: row.OnDestroy, MaxChange: settings.MaxChange, Feeds: true}}
	w := &catalogWork{builder: b, cat: gone, address: address, row: row, rows: map[string]*state.Managed{}}
	w.settle(ctx)
}

// letGo says how a catalog is let go without touching it.
func letGo(address string) string {
	return fmt.Sprintf("removed { from = %s }, or `handbill state rm %s`", address, address)
}

// catalogWork is one catalog on its way into the plan.
type catalogWork struct {
	*builder
	cat      *lang.Catalog
	address  string // of one that is gone; "" for a declared one
	row      *state.Managed
	rows     map[string]*state.Managed
	declares map[string]bool
	c        CatalogChange

	declared []account.Product
	index    map[string]int32 // into declared, by id
	told     []string         // digests of what the catalog told, parallel to declared; "" for nothing
	kept     map[string]state.KeptProduct
	others   map[string]bool            // undeclared products that were told of
	lacking  int                        // new products without a required field
	standing map[string]productStanding // of products that can't be shown, by id
}

// fail reports an error at the catalog, with its address in front.
func (w *catalogWork) fail(code, format string, args ...any) {
	w.diags = append(w.diags, fail(code, w.cat.DeclRange, "%s: %s", w.c.Address, fmt.Sprintf(format, args...)))
}

// settle compares the products of one catalog with what is declared, and decides what
// becomes of each.
func (w *catalogWork) settle(ctx context.Context) {
	m := w.cat.Manage
	w.c = CatalogChange{Address: w.address, Provider: m.Provider.Address(), Catalog: w.cat.ID, Exact: m.Exact, OnDestroy: m.OnDestroy, MaxChange: m.MaxChange,
		Products: []ProductChange{}, Gone: w.address != "", Unread: w.in.Catalogs.Unrefreshed}
	if w.address == "" {
		w.c.Address = w.cat.Address()
	}
	if w.row != nil {
		w.c.Interrupted = w.row.Intent != nil
		if w.row.Address != w.c.Address {
			w.c.From = w.row.Address
		}
		if w.row.Account != w.cat.ID {
			w.c.Left = w.row.Account
		}
	}
	if !w.usable() || !w.prepare(ctx) {
		return
	}
	at, ok := w.compare(ctx)
	if !ok {
		return
	}
	w.missing()
	w.conclude(at)
}

// usable checks that the catalog may be changed at all.
func (w *catalogWork) usable() bool {
	if w.in.Catalogs.Able != nil {
		if why := w.in.Catalogs.Able(w.cat.Manage.Provider); why != "" {
			w.fail("catalog_capability", "%s", ended(why))
			return false
		}
	}
	for _, address := range slices.Sorted(maps.Keys(w.rows)) {
		if row := w.rows[address]; row != w.row && row.Account == w.cat.ID && !w.declares[address] {
			w.fail("catalog_claimed", "The state has the catalog %s as %s, which is not declared any more. If the block was renamed, say so:\n\n    moved {\n      from = %s\n      to   = %s\n    }",
				message.SafeText(w.cat.ID), address, address, w.c.Address)
			return false
		}
	}
	return true
}

// prepare takes down what is declared and what the state knows.
func (w *catalogWork) prepare(ctx context.Context) bool {
	n := len(w.cat.Products)
	w.declared, w.index, w.told = make([]account.Product, n), make(map[string]int32, n), make([]string, n)
	w.kept, w.others, w.standing = map[string]state.KeptProduct{}, map[string]bool{}, map[string]productStanding{}
	for i := range w.cat.Products {
		w.declared[i], _, _ = w.cat.Products[i].Account() // lang.Load reported its problems
		w.index[w.declared[i].ID] = int32(i)
	}
	w.c.Declared = n
	if w.in.Catalogs.Kept == nil {
		return true
	}
	for p, err := range w.in.Catalogs.Kept(ctx, w.cat.ID) {
		if err != nil {
			w.fail("plan_failed", "reading what the state keeps of its products: %s", ended(err.Error()))
			return false
		}
		p.Catalog = ""
		w.kept[p.ID] = p
	}
	return true
}

// compare reads the catalog and compares each product as it comes.
func (w *catalogWork) compare(ctx context.Context) (at time.Time, ok bool) {
	if w.in.Catalogs.Unrefreshed {
		return w.remembered(), true
	}
	if w.in.Catalogs.Read == nil {
		w.fail("catalog_unreadable", "The catalog %s was not read.", message.SafeText(w.cat.ID))
		return at, false
	}
	seen, err := w.in.Catalogs.Read(ctx, w.cat.Manage.Provider, w.cat.ID, w.product)
	switch {
	case err != nil:
		w.fail("catalog_unreadable", "The catalog %s could not be read whole, so it is not known what it has. %s", message.SafeText(w.cat.ID), ended(err.Error()))
		return at, false
	case seen.Feeds > 0 && !w.cat.Manage.Feeds:
		w.fail("catalog_feeds", "The catalog %s has %d feeds, which overwrite what batches write, and delete what they do not list. Take the feeds out in Commerce Manager, or say feeds = \"ignore\" if they have other products.", message.SafeText(w.cat.ID), seen.Feeds)
		return at, false
	}
	return seen.At, true
}

// remembered compares with the digests that the state keeps.
func (w *catalogWork) remembered() time.Time {
	for i := range w.declared {
		p := &w.declared[i]
		kept, known := w.kept[p.ID]
		if !known {
			continue
		}
		w.told[i] = kept.Digest
		w.c.Held++
		if kept.Digest != p.Digest() {
			w.change(ProductChange{ID: p.ID, Change: Update, Data: p, Digest: p.Digest(), Review: kept.Review})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(w.kept)) {
		if _, declared := w.index[id]; !declared {
			w.c.Held++
			w.retire(&account.Product{ID: id})
		}
	}
	var at time.Time
	if w.row != nil {
		at = w.row.ObservedAt
	}
	w.diags = append(w.diags, warn("catalog_unrefreshed", w.cat.DeclRange, "%s is planned with what the state keeps, of %s. apply reads the catalog before it changes anything.", w.c.Address, at.UTC().Format(time.RFC3339)))
	return at
}

// change adds what an apply will do to a product.
func (w *catalogWork) change(p ProductChange) { w.c.Products = append(w.c.Products, p) }

// product compares one product of the catalog. Pages may tell of one twice while the
// catalog changes; in two ways is an error.
func (w *catalogWork) product(held *account.Product) error {
	i, declared := w.index[held.ID]
	if !declared {
		if !w.others[held.ID] {
			w.others[held.ID] = true
			w.c.Held++
			w.retire(held)
		}
		return nil
	}
	digest := held.Digest()
	switch w.told[i] {
	case digest:
		return nil
	case "":
		w.told[i] = digest
		w.c.Held++
		w.held(&w.declared[i], held)
		return nil
	}
	return fmt.Errorf("it told of the product %q in two ways: it was changed while it was read, or has two products of that id", message.SafeText(held.ID))
}

// held compares a declared product with the catalog's.
func (w *catalogWork) held(p, held *account.Product) {
	kept, known := w.kept[p.ID]
	fields, digest := p.Changes(held, kept.Digest), p.Digest()
	if known {
		w.drift(p, held, &kept, fields)
	}
	switch {
	case len(fields) > 0:
		data := p.Only(fields)
		w.change(ProductChange{ID: p.ID, Change: Update, Data: &data, Digest: digest, Fields: fields, Seen: held.Digest(), Review: held.Review})
	case !known:
		w.change(ProductChange{ID: p.ID, Change: Import, Digest: digest, Seen: held.Digest(), Review: held.Review})
	case kept.Digest != digest || kept.Review != held.Review:
		w.c.Record = append(w.c.Record, state.KeptProduct{ID: p.ID, Digest: digest, Review: held.Review})
	}
	if s := (productStanding{visibility: held.Visibility, review: held.Review}); !s.fine() {
		w.standing[p.ID] = s
	}
}

// drift records where the catalog differs from what the state knows to have been
// handed in.
func (w *catalogWork) drift(p, held *account.Product, kept *state.KeptProduct, fields []account.ProductChange) {
	var out []DriftField
	if kept.Digest == p.Digest() {
		for _, f := range fields {
			out = append(out, DriftField{Name: f.Name, Before: message.SafeText(f.After), After: message.SafeText(f.Before)})
		}
	}
	if kept.Review != "" && kept.Review != held.Review && !(kept.Review == pending && held.Review == approved) {
		out = append(out, DriftField{Name: "review", Before: message.SafeText(kept.Review), After: message.SafeText(held.Review)})
	}
	if len(out) > 0 {
		w.plan.Drift = append(w.plan.Drift, Drift{Address: ProductAddress(w.c.Address, p.ID), Type: "product", Fields: out})
	}
}

// retire decides about a product that is not declared: one of ours, or any other in a
// catalog that has no others.
func (w *catalogWork) retire(held *account.Product) {
	_, ours := w.kept[held.ID]
	if !ours && !w.c.Exact {
		return
	}
	seen := ""
	if !w.in.Catalogs.Unrefreshed {
		seen = held.Digest()
	}
	switch {
	case w.c.OnDestroy == lang.OnDestroyDelete:
		w.change(ProductChange{ID: held.ID, Change: Delete, Retired: true, Seen: seen})
	case w.c.OnDestroy == lang.OnDestroyOutOfStock && held.Availability != account.OutOfStock && held.Availability != discontinued:
		data := account.Product{ID: held.ID, Availability: account.OutOfStock}
		w.change(ProductChange{ID: held.ID, Change: Update, Retired: true, Data: &data, Seen: seen,
			Fields: []account.ProductChange{{Name: "availability", Before: held.Availability, After: account.OutOfStock}}})
	case ours && w.c.OnDestroy == lang.OnDestroyKeep:
		w.change(ProductChange{ID: held.ID, Change: Forget, Retired: true, Seen: seen})
	case ours:
		w.c.Forget = append(w.c.Forget, held.ID)
	}
}

const discontinued = "discontinued"

// maxShownProducts bounds how many products a diagnostic names.
const maxShownProducts = 3

// missing plans the declared products that the catalog does not have, and forgets
// others that it does not have any more.
func (w *catalogWork) missing() {
	for i := range w.declared {
		p := &w.declared[i]
		if w.told[i] != "" {
			continue
		}
		if lacks := p.Missing(); len(lacks) > 0 {
			if w.lacking++; w.lacking <= maxShownProducts {
				w.diags = append(w.diags, fail("product_incomplete", w.cat.Products[i].DeclRange, "%s: the product %q is new to the catalog %s and lacks: %s.", w.c.Address, p.ID, w.cat.ID, strings.Join(lacks, ", ")))
			}
			continue
		}
		if _, known := w.kept[p.ID]; known {
			w.plan.Drift = append(w.plan.Drift, Drift{Address: ProductAddress(w.c.Address, p.ID), Type: "product", Fields: []DriftField{{Name: "product", Before: "there", After: "gone"}}})
		}
		w.standing[p.ID] = productStanding{added: true}
		w.change(ProductChange{ID: p.ID, Change: Create, Data: p, Digest: p.Digest(), Fields: p.Changes(&account.Product{ID: p.ID}, "")})
	}
	if w.lacking > maxShownProducts {
		w.fail("product_incomplete", "%d more new products lack something.", w.lacking-maxShownProducts)
	}
	if w.in.Catalogs.Unrefreshed {
		return
	}
	for id := range w.kept {
		if _, declared := w.index[id]; !declared && !w.others[id] {
			w.c.Forget = append(w.c.Forget, id)
		}
	}
}

// conclude holds the changes against the guard, and puts them into the plan.
func (w *catalogWork) conclude(at time.Time) {
	slices.SortFunc(w.c.Products, func(x, y ProductChange) int { return strings.Compare(x.ID, y.ID) })
	slices.SortFunc(w.c.Record, func(x, y state.KeptProduct) int { return strings.Compare(x.ID, y.ID) })
	slices.Sort(w.c.Forget)
	changed := w.c.Count(Update) + w.c.Count(Delete)
	if !w.c.MaxChange.Allows(changed, w.c.Held) {
		way := "raise max_change in its manage block, where a reviewer sees it"
		if w.c.Gone {
			way = "let the catalog go: " + letGo(w.c.Address)
		}
		w.fail("catalog_max_change", "%d of its %d products would be changed, put out of stock or deleted, and a plan may change %s of them. That is often a wrong file or a broken filter. If it is meant, %s.", changed, w.c.Held, w.c.MaxChange, way)
	}
	w.plan.Catalogs = append(w.plan.Catalogs, w.c)
	if b := w.builder; !w.c.Unread {
		if b.standings == nil {
			b.standings = map[string]map[string]productStanding{}
		}
		b.standings[w.c.Catalog] = w.standing
	}
	w.plan.Managed = append(w.plan.Managed, Managed{Address: w.c.Address, Kind: "catalog", Provider: w.c.Provider, Account: w.c.Catalog, ID: w.c.Catalog, ObservedAt: at.UTC(), Declared: true})
}

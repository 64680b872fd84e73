package plan

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"testing"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/state"
)

const namesProducts = header + `
catalog "shop" {
  id = "881"
  product "a" {
    title        = "A"
    description  = "One"
    availability = "in stock"
    condition    = "new"
    price        = "10.00 EUR"
    link         = "https://shop.example/a"
    image_link   = "https://shop.example/a.jpg"
    brand        = "Example"
  }
  manage { provider = provider.sandbox.main }
}
product_message "a" {
  catalog = catalog.shop
  product = "a"
}
audience "people" {
  source "csv" { path = "people.csv" }
  consent = true
}
campaign "spring" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = product_message.a
  window   = "assume_open"
}
`

// TestMessagesThatNameProducts is the table of what a plan says of a message for each
// standing of its product, and each connection of the account.
func TestMessagesThatNameProducts(t *testing.T) {
	same := account.Product{ID: "a", Title: "A", Description: "One", Availability: "in stock", Condition: "new", Price: "10.00 EUR", Link: "https://shop.example/a",
		ImageLink: "https://shop.example/a.jpg", Brand: "Example"}
	for _, c := range []struct {
		visibility, review string
		absent             bool
		link               account.CatalogLink
		linkErr            error
		says               string
	}{
		{"published", "approved", false, account.Linked, nil, ""},
		{"", "", false, account.Linked, nil, ""},
		{"published", "pending", false, account.Linked, nil, "product_waits"},
		{"", "", true, account.Linked, nil, "product_waits"},
		{"published", "rejected", false, account.Linked, nil, "product_unsendable"},
		{"published", "outdated", false, account.Linked, nil, "product_unsendable"},
		{"hidden", "approved", false, account.Linked, nil, "product_unsendable"},
		{"staging", "pending", false, account.Linked, nil, "product_unsendable"},
		{"published", "snoozed", false, account.Linked, nil, "product_unsendable"},
		{"published", "approved", false, account.LinkedOther, nil, "catalog_unlinked"},
		{"published", "approved", false, account.LinkUnknown, errors.New("this account does not offer it (code 10)"), "catalog_link_unknown"},
	} {
		t.Run(c.visibility+" "+c.review+" "+c.says, func(t *testing.T) {
			w := open(t, map[string]string{"main.hcl": namesProducts, "people.csv": threePeople})
			w.in.Catalogs = Catalogs{
				Able: func(*lang.Provider) string { return "" },
				Read: func(_ context.Context, _ *lang.Provider, id string, each func(*account.Product) error) (ReadCatalog, error) {
					p := same
					p.Visibility, p.Review = c.visibility, c.review
					if c.absent {
						return ReadCatalog{At: testAt}, nil
					}
					return ReadCatalog{At: testAt}, each(&p)
				},
				Link: func(context.Context, *lang.Provider, string) (account.CatalogLink, error) { return c.link, c.linkErr },
			}
			_, diags := w.plan(t)
			var codes []string
			for _, d := range diags {
				codes = append(codes, DiagCode(d))
			}
			if got := strings.Join(codes, " "); got != c.says {
				t.Errorf("it says %q\n%s", got, summaries(diags))
			}
		})
	}
}

// TestAHundredThousandProducts compares 100,000 declared products with a catalog of as
// many, of which every hundredth differs, within 200 MB.
func TestAHundredThousandProducts(t *testing.T) {
	if testing.Short() {
		t.Skip("many products")
	}
	const n, limit = 100_000, 200 << 20
	product := func(i int) lang.Product {
		id := fmt.Sprintf("p%06d", i)
		return lang.Product{ID: id, Title: "Widget " + id, Description: "A widget of which there are very many, and this is one of them", Availability: "in stock", Price: fmt.Sprintf("%d.90 EUR", i%500)}
	}
	cat := &lang.Catalog{Name: "shop", ID: "881", Manage: &lang.Manage{Provider: &lang.Provider{Type: "sandbox", Name: "main"}, OnDestroy: lang.OnDestroyOutOfStock}}
	for i := range n {
		cat.Products = append(cat.Products, product(i))
	}
	peak := uint64(0)
	measure := func() {
		var m runtime.MemStats
		runtime.GC() // what is needed counts, not what is not yet collected
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapAlloc)
	}
	in := Inputs{Catalogs: Catalogs{
		Kept: func(context.Context, string) iter.Seq2[state.KeptProduct, error] {
			return func(yield func(state.KeptProduct, error) bool) {
				for i := range n {
					p := product(i)
					normal, _, _ := p.Account()
					if !yield(state.KeptProduct{ID: p.ID, Digest: normal.Digest(), Review: "approved"}, nil) {
						return
					}
				}
			}
		},
		Read: func(_ context.Context, _ *lang.Provider, _ string, each func(*account.Product) error) (ReadCatalog, error) {
			for i := range n {
				p := product(i)
				held, _, _ := p.Account()
				held.Review = "approved"
				if i%100 == 0 {
					held.Price = "1.00 EUR"
				}
				if err := each(&held); err != nil {
					return ReadCatalog{}, err
				}
				if i%25_000 == 0 {
					measure()
				}
			}
			return ReadCatalog{At: testAt}, nil
		}}}
	b := &builder{in: in, plan: &Plan{}}
	w := &catalogWork{builder: b, cat: cat}
	w.settle(t.Context())
	measure()
	if c := b.plan.Catalogs; len(c) != 1 || len(c[0].Products) != n/100 || c[0].Held != n || len(b.diags) > 0 {
		t.Fatalf("%d catalogs, %v", len(c), b.diags)
	}
	if peak > limit {
		t.Errorf("%d MB at most", peak>>20)
	}
	t.Logf("%d MB at most", peak>>20)
}

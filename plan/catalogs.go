package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/state"
)

// Catalogs are where a plan reads the catalogs that manage blocks name.
type Catalogs struct {
	// Able says why a number can't change catalogs; "" if it can.
	Able func(*lang.Provider) string
	// Read reads a catalog through a number, and calls each with every product, some
	// perhaps twice. Nil reads none.
	Read func(ctx context.Context, number *lang.Provider, id string, each func(*account.Product) error) (ReadCatalog, error)
	// Link says whether messages of a number's account may name a catalog. The error
	// says why that is not known.
	Link func(ctx context.Context, number *lang.Provider, id string) (account.CatalogLink, error)
	// Kept are the products that the state knows of a catalog; nil for none.
	Kept func(ctx context.Context, id string) iter.Seq2[state.KeptProduct, error]
	// Unrefreshed says that no catalog is read: what the state keeps counts.
	Unrefreshed bool
}

// ReadCatalog is a catalog that was read whole.
type ReadCatalog struct {
	account.Catalog
	At time.Time
}

// CatalogChange is what apply does with the products of one managed catalog.
type CatalogChange struct {
	Address   string         `json:"address"` // "catalog.spring"
	From      string         `json:"from,omitempty"`
	Provider  string         `json:"provider"`
	Catalog   string         `json:"catalog"` // the account's id of it
	Exact     bool           `json:"exact,omitempty"`
	OnDestroy string         `json:"on_destroy"`
	MaxChange lang.MaxChange `json:"max_change"`
	// Held is how many products the catalog had, and Declared how many are declared.
	Held     int `json:"held"`
	Declared int `json:"declared"`
	// Gone says that the catalog is not managed any more, once its products are done with.
	Gone bool `json:"gone,omitempty"`
	// Left is the catalog of another id that the block named before, and lets go.
	Left string `json:"left,omitempty"`
	// Interrupted says that nothing is known of a batch of an earlier apply.
	Interrupted bool `json:"interrupted,omitempty"`
	// Unread says that the catalog was not asked.
	Unread bool `json:"unread,omitempty"`
	// Products are those that change, by id.
	Products []ProductChange `json:"products"`
	// Record is what the state has to know of products that do not change, and Forget
	// what it need not know any more.
	Record []state.KeptProduct `json:"record,omitempty"`
	Forget []string            `json:"forget,omitempty"`
}

// ProductChange is what apply does with one product.
type ProductChange struct {
	ID     string `json:"id"`
	Change string `json:"change"` // Create, Update, Delete, Import or Forget
	// Retired says that the product is not declared.
	Retired bool `json:"retired,omitempty"`
	// Data is what is handed in; nil for nothing.
	Data *account.Product `json:"data,omitempty"`
	// Digest is of what is declared; "" if nothing is.
	Digest string                  `json:"digest,omitempty"`
	Fields []account.ProductChange `json:"fields,omitempty"`
	// Seen is the digest of what the catalog told; "" for nothing.
	Seen   string `json:"seen,omitempty"`
	Review string `json:"review,omitempty"`
}

// ProductAddress is the address of a catalog's product, as expressions write it.
func ProductAddress(catalog, id string) string { return state.WithKey(catalog+".products", id) }

// idle reports whether apply leaves the catalog and what the state has to know of it
// alone.
func (c *CatalogChange) idle() bool {
	return len(c.Products) == 0 && !c.Gone && c.Left == "" && c.From == "" && !c.Interrupted
}

// Count returns how many products change in some way.
func (c *CatalogChange) Count(change string) int {
	n := 0
	for i := range c.Products {
		if c.Products[i].Change == change {
			n++
		}
	}
	return n
}

// ResourceChange returns a product's change in the form of resources.
func (c *CatalogChange) ResourceChange(p *ProductChange) ResourceChange {
	out := ResourceChange{Address: ProductAddress(c.Address, p.ID), Module: moduleOf(c.Address), Type: "product", Name: p.ID, Change: p.Change, Refs: []string{c.Address}}
	tree := func(value func(account.ProductChange) string) *lang.Tree {
		t := &lang.Tree{}
		for _, f := range p.Fields {
			if v := value(f); v != "" {
				t.Attributes = append(t.Attributes, lang.TextAttribute(f.Name, v))
			}
		}
		return t
	}
	if p.Change == Update {
		out.Before = tree(func(f account.ProductChange) string { return f.Before })
	}
	if p.Change != Delete && p.Change != Forget {
		out.After = tree(func(f account.ProductChange) string { return f.After })
	}
	if p.Retired {
		out.Notes = append(out.Notes, "it is not declared")
	}
	return out
}

// Changes yields all changes of resources: those of Resources, and then those of
// products.
func (p *Plan) Changes() iter.Seq[ResourceChange] {
	return func(yield func(ResourceChange) bool) {
		for i := range p.Resources {
			if !yield(p.Resources[i]) {
				return
			}
		}
		for i := range p.Catalogs {
			c := &p.Catalogs[i]
			for k := range c.Products {
				if !yield(c.ResourceChange(&c.Products[k])) {
					return
				}
			}
		}
	}
}

// catalogSettings is what the state keeps of a manage block, for when it is gone.
type catalogSettings struct {
	MaxChange lang.MaxChange `json:"max_change"`
}

// CatalogSettings is the Declared of a catalog's record in the state.
func (c *CatalogChange) CatalogSettings() json.RawMessage {
	b, err := json.Marshal(catalogSettings{c.MaxChange})
	if err != nil {
		panic(fmt.Sprintf("plan: settings have no JSON form: %v", err)) // numbers of our own
	}
	return b
}

package plan

import (
	"context"
	"slices"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

// productStanding is whether a product can be shown to people. added says that the
// catalog does not have it yet.
type productStanding struct {
	visibility, review string
	added              bool
}

// The words of a product that can be shown to people. Source: Meta, product item,
// 2026-08-19.
const (
	published = "published"
	approved  = "approved"
	pending   = "pending"
)

// fine reports whether a message may name the product.
func (s productStanding) fine() bool {
	return !s.added && (s.visibility == "" || s.visibility == published) && (s.review == "" || s.review == approved)
}

// waits reports whether the product may be shown before long.
func (s productStanding) waits() bool {
	return s.added || s.review == pending && (s.visibility == "" || s.visibility == published)
}

// namedProduct is a product that a message names, whoever gets it.
type namedProduct struct{ catalog, id string }

// productsIn are the products that a message names for everybody.
func productsIn(m message.Message) []namedProduct {
	var out []namedProduct
	sections := func(catalog string, list []message.ProductSection) {
		for _, s := range list {
			for _, id := range s.Products {
				out = append(out, namedProduct{catalog, id})
			}
		}
	}
	head := func(h *message.TemplateHeader) {
		if h != nil && h.Product != nil {
			out = append(out, namedProduct{h.Product.CatalogID, h.Product.ProductID})
		}
	}
	switch m := m.(type) {
	case *message.Product:
		out = append(out, namedProduct{m.CatalogID, m.ProductID})
	case *message.ProductList:
		sections(m.CatalogID, m.Sections)
	case *message.Carousel:
		for _, c := range m.Cards {
			out = append(out, namedProduct{c.CatalogID, c.ProductID})
		}
	case *message.Template:
		head(m.Header)
		for i := range m.Cards {
			head(m.Cards[i].Header)
		}
	}
	return slices.DeleteFunc(out, func(p namedProduct) bool { return p.catalog == "" || p.id == "" })
}

// namedProducts holds the messages of campaigns against the managed catalogs that were
// read: WhatsApp refuses a message with a product that it can't show (131009), and one
// with a catalog that is not its account's.
func (b *builder) namedProducts(ctx context.Context) {
	asked := map[string]bool{}
	for i := range b.plan.Campaigns {
		c := &b.plan.Campaigns[i]
		for _, made := range b.compiled {
			if _, _, own := c.MessageOf(made.draft); !own && made.draft != c.Draft && made.draft != c.FallbackDraft {
				continue
			}
			for _, p := range productsIn(made.program.Draft.Message) {
				standing, managed := b.standings[p.catalog]
				if !managed {
					continue
				}
				b.shown(made, p, standing)
				if key := c.Provider + " " + p.catalog; !asked[key] {
					asked[key] = true
					b.linked(ctx, c, made, p.catalog)
				}
			}
		}
	}
}

// shown reports a product that can't be shown, or not yet.
func (b *builder) shown(made *compiled, p namedProduct, standing map[string]productStanding) {
	s, odd := standing[p.id]
	rng := made.program.Range("")
	switch {
	case !odd || s.fine():
	case s.added:
		b.diags = append(b.diags, warn("product_waits", rng, "%s names the product %q, which this plan adds to the catalog %s. Meta reviews it first, and refuses the message until then (131009): apply the catalog with -target before the campaign is due.",
			made.message, p.id, p.catalog))
	case s.waits():
		b.diags = append(b.diags, warn("product_waits", rng, "%s names the product %q, which Meta reviews: until it is approved, the message may be refused (131009).", made.message, p.id))
	default:
		b.diags = append(b.diags, fail("product_unsendable", rng, "%s names the product %q, which the catalog %s does not show: its visibility is %q and its review %q. Look at it in Commerce Manager, or take it out of the message.",
			made.message, p.id, p.catalog, message.SafeText(s.visibility), message.SafeText(s.review)))
	}
}

// linked checks that the campaign's number may name a catalog. Where that can't be known
// it warns: the account of a number that the business app uses does not tell.
func (b *builder) linked(ctx context.Context, c *Campaign, made *compiled, catalog string) {
	i := slices.IndexFunc(b.cfg.Providers, func(p *lang.Provider) bool { return p.Address() == c.Provider })
	if i < 0 || b.in.Catalogs.Link == nil || b.in.Catalogs.Able == nil || b.in.Catalogs.Able(b.cfg.Providers[i]) != "" {
		return
	}
	link, err := b.in.Catalogs.Link(ctx, b.cfg.Providers[i], catalog)
	switch {
	case err != nil:
		b.diags = append(b.diags, warn("catalog_link_unknown", made.program.Range(""), "%s: whether the account of %s may name the catalog %s can't be known. %s", made.message, c.Provider, catalog, ended(err.Error())))
	case link == account.LinkedOther:
		b.diags = append(b.diags, fail("catalog_unlinked", made.program.Range(""), "%s names products of the catalog %s, which is not connected with the account of %s. Connect it in WhatsApp Manager.", made.message, catalog, c.Provider))
	}
}

package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

func (d *messageDecoder) decodeProduct(b *block) message.Message {
	c := d.content(b, schema("catalog! product! body footer"))
	m := &message.Product{CatalogID: d.catalogArg(c), Body: d.text(c, "body"), Footer: d.text(c, "footer")}
	m.ProductID = d.productArg(c, "product")
	return m
}

func (d *messageDecoder) decodeProductList(b *block) message.Message {
	c := d.content(b, schema("catalog! header! body! footer", blockOf("section", "title")))
	m := &message.ProductList{
		CatalogID: d.catalogArg(c), Header: d.text(c, "header"), Body: d.text(c, "body"), Footer: d.text(c, "footer"),
	}
	m.Sections = d.productSections(c)
	return m
}

func (d *messageDecoder) productSections(c *content) []message.ProductSection {
	var out []message.ProductSection
	for _, sb := range c.ofKind("section") {
		sc := d.content(sb, schema("products!"))
		out = append(out, message.ProductSection{Title: d.label(sb), Products: d.products(sc)})
	}
	return out
}

func (d *messageDecoder) decodeCatalogMessage(b *block) message.Message {
	c := d.content(b, schema("catalog body! footer thumbnail"))
	if c.args["catalog"] != nil {
		d.catalogArg(c)
	}
	return &message.Catalog{Body: d.text(c, "body"), Footer: d.text(c, "footer"), Thumbnail: d.productArg(c, "thumbnail")}
}

// catalogArg is the id of the argument catalog, which is a reference or an id;
// products named after it are looked up in that catalog.
func (d *messageDecoder) catalogArg(c *content) string {
	d.catalog = nil
	a := c.args["catalog"]
	if a == nil {
		return ""
	}
	if t, ok := a.reference(); ok && rootKind(t) == rootCatalog {
		if address, ok := d.refer(a, rootCatalog); ok {
			if d.catalog = d.cfg.catalogAt(address); d.catalog != nil {
				return d.literal(d.catalog.ID, a.expr.Range())
			}
		}
		return ""
	}
	if uses(a.expr, scopedRoots...) {
		return d.add(a.expr)
	}
	if v, ok := d.ev.constant(a.expr, d.diags); ok {
		if id, ok := objectText(v, "id"); ok {
			d.catalog = d.cfg.catalogByID(id)
			return d.literal(id, a.expr.Range())
		}
		if v.Type() == cty.String && !v.IsNull() && !eval.IsSensitive(v) {
			d.catalog = d.cfg.catalogByID(v.AsString())
		}
	}
	return d.add(a.expr)
}

func (c *Config) catalogAt(address string) *Catalog {
	for _, cat := range c.Catalogs {
		if cat.Address() == address {
			return cat
		}
	}
	return nil
}

func (c *Config) catalogByID(id string) *Catalog {
	for _, cat := range c.Catalogs {
		if cat.ID == id {
			return cat
		}
	}
	return nil
}

// objectText is a text attribute of a known object.
func objectText(v cty.Value, name string) (string, bool) {
	v = unmarked(v)
	if !v.IsKnown() || v.IsNull() || !v.Type().IsObjectType() || !v.Type().HasAttribute(name) {
		return "", false
	}
	got := v.GetAttr(name)
	if got.Type() != cty.String || got.IsNull() || !got.IsKnown() {
		return "", false
	}
	return got.AsString(), true
}

func (d *messageDecoder) productArg(c *content, name string) string {
	a := c.args[name]
	if a == nil {
		return ""
	}
	return d.product(a.expr)
}

// products is the argument products: a list of products.
func (d *messageDecoder) products(c *content) []string {
	a := c.args["products"]
	if a == nil {
		return nil
	}
	var out []string
	if list, ok := unwrap(a.expr).(*hclsyntax.TupleConsExpr); ok {
		for _, item := range list.Exprs {
			out = append(out, d.product(item))
		}
		return out
	}
	if uses(a.expr, rootRecipient) {
		d.diags.err("shape_depends", a.expr.Range(), "Which products a message shows may not depend on the recipient.")
		return nil
	}
	if uses(a.expr, rootValue) {
		return nil // known once a campaign gives the value
	}
	v, ok := d.ev.constant(a.expr, d.diags)
	if !ok {
		return nil
	}
	elements, problem := elementsOf(v, d.productOrder(a.expr))
	if problem != "" {
		d.diags.err("unsuitable_value", a.expr.Range(), "products takes a list of retailer ids or of products of a catalog.")
		return nil
	}
	for _, el := range elements {
		out = append(out, d.product(&hclsyntax.LiteralValueExpr{Val: el.GetAttr("value"), SrcRange: a.expr.Range()}))
	}
	return out
}

// product is one product: a retailer id, or a product of a catalog.
func (d *messageDecoder) product(e hclsyntax.Expression) string {
	if t, ok := d.in.reference(e); ok && rootKind(t) == rootCatalog {
		if !d.knownProduct(t) {
			return ""
		}
	}
	if uses(e, scopedRoots...) {
		return d.add(e)
	}
	v, ok := d.ev.constant(e, d.diags)
	if !ok {
		return ""
	}
	if id, ok := objectText(v, "id"); ok {
		catalogID, _ := objectText(v, "catalog_id")
		if d.catalog != nil && catalogID != d.catalog.ID {
			d.diags.err("unknown_product", e.Range(), "The product %q is of another catalog than the message's, %s: WhatsApp shows products of one catalog only.", id, d.catalog.Address())
		}
		d.checkProduct(d.cfg.catalogByID(catalogID), id, e.Range())
		return d.literal(id, e.Range())
	}
	if text, ok := literalText(v); ok && !eval.IsSensitive(v) {
		d.checkProduct(d.catalog, text, e.Range())
	}
	return d.add(e)
}

// knownProduct reports a reference to a product that its catalog lacks.
func (d *messageDecoder) knownProduct(t hcl.Traversal) bool {
	if !d.ev.checkReference(t, nil, d.diags) {
		return false
	}
	address, steps := d.ev.catalogAddress(t)
	if list, _ := stepName(t, steps); list != "products" {
		return true
	}
	id, ok := stepName(t, steps+1)
	cat := d.cfg.catalogAt(address)
	if !ok || cat == nil || cat.product(id) != nil {
		return true
	}
	d.diags.err("unknown_product", stepRange(t, steps+1), "%s has no product %q.%s", cat.Address(), id, didYouMean(id, cat.productIDs()))
	return false
}

func (d *messageDecoder) checkProduct(cat *Catalog, id string, rng hcl.Range) {
	if cat == nil || id == "" {
		return
	}
	p := cat.product(id)
	switch {
	case p == nil:
		d.diags.err("unknown_product", rng, "%s has no product %q.%s", cat.Address(), id, didYouMean(id, cat.productIDs()))
	case p.Hidden:
		d.diags.warn("unavailable_product", rng, "The product %q is hidden in %s: WhatsApp leaves it out silently and sends the rest.", id, cat.Address())
	case p.Availability == "out of stock":
		d.diags.warn("unavailable_product", rng, "The product %q is out of stock in %s: WhatsApp may leave it out silently and send the rest.", id, cat.Address())
	}
}

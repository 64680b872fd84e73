package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/handbill/handbill/lang/eval"
)

var (
	catalogSchema = schema("id products", blockOf("product", "retailer_id"), blockOf("manage"))
	productSchema = schema("title description price availability hidden condition link image_link brand gtin mpn")
)

func (d *decoder) decodeCatalog(b *block) *Catalog {
	c := d.content(b, catalogSchema)
	cat := &Catalog{Module: b.module(), Name: b.label(0), ID: d.filled(c, "id"), DeclRange: b.defRange}
	for _, pb := range c.ofKind("product") {
		d.addProduct(cat, d.productBlock(pb))
	}
	if a := c.args["products"]; a != nil {
		d.productsFrom(cat, a)
	}
	d.manageBlock(cat, c)
	cat.tree = b.tree.asTree()
	for _, p := range cat.Products {
		d.ev.productOrder[cat.Address()] = append(d.ev.productOrder[cat.Address()], p.ID)
	}
	return cat
}

func (d *decoder) productBlock(b *block) Product {
	c := d.content(b, productSchema)
	p := Product{ID: b.label(0), Title: d.str(c, "title"), Description: d.str(c, "description"), Price: d.str(c, "price"),
		Availability: d.str(c, "availability"), Hidden: d.boolean(c, "hidden"), DeclRange: b.defRange}
	for _, name := range handedIn {
		if c.args[name] != nil {
			if p.Attributes == nil {
				p.Attributes = map[string]cty.Value{}
			}
			p.Attributes[name] = cty.StringVal(d.str(c, name))
		}
	}
	return p
}

func (d *decoder) addProduct(cat *Catalog, p Product) {
	if p.ID == "" {
		d.diags.err("invalid_value", p.DeclRange, "A product needs its retailer id.")
		return
	}
	if prev := cat.product(p.ID); prev != nil {
		d.diags.err("duplicate_declaration", p.DeclRange, "The product %q is already in this catalog, declared at %s.", p.ID, prev.DeclRange)
		return
	}
	cat.Products = append(cat.Products, p)
}

func (c *Catalog) product(id string) *Product {
	for i := range c.Products {
		if c.Products[i].ID == id {
			return &c.Products[i]
		}
	}
	return nil
}

func (c *Catalog) productIDs() []string {
	out := make([]string, 0, len(c.Products))
	for _, p := range c.Products {
		out = append(out, p.ID)
	}
	return out
}

// productsFrom takes products from a list of objects with an id, as csv()
// gives them, or from a map by id.
func (d *decoder) productsFrom(cat *Catalog, a *argument) {
	v, ok := d.ev.constant(a.expr, d.diags)
	if !ok {
		return
	}
	if eval.IsSensitive(v) {
		d.diags.err("sensitive_value", a.expr.Range(), "Products are shown in plans, so they may not be made from a sensitive value.")
		return
	}
	v = unmarked(v)
	if v.IsNull() || !v.CanIterateElements() {
		d.diags.err("unsuitable_value", a.expr.Range(), "products takes a list of objects with an id each, such as csv(\"products.csv\"), or a map of objects by id.")
		return
	}
	keyed := v.Type().IsMapType() || v.Type().IsObjectType()
	known := map[string]bool{}
	for _, p := range cat.Products {
		known[p.ID] = true
	}
	row := 0
	for it := v.ElementIterator(); it.Next(); {
		row++
		key, item := it.Element()
		p, problem := productOf(item, a.expr.Range())
		if keyed && p.ID == "" {
			p.ID = key.AsString()
		}
		switch {
		case problem != "":
		case p.ID == "":
			problem = "it needs an id (or retailer_id)"
		case known[p.ID]:
			problem = "its id is in the catalog already"
		}
		if problem != "" {
			d.diags.err("invalid_value", a.expr.Range(), "Product number %d of products is not usable: %s.", row, problem)
			return
		}
		known[p.ID] = true
		cat.Products = append(cat.Products, p)
	}
}

// productOf reads a product from an object, by the column names that catalog
// exports use.
func productOf(v cty.Value, rng hcl.Range) (Product, string) {
	p := Product{DeclRange: rng, Attributes: map[string]cty.Value{}}
	if v.IsNull() || !(v.Type().IsObjectType() || v.Type().IsMapType()) {
		return p, "it is not an object"
	}
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		name := key.AsString()
		field := p.field(name)
		if field == nil {
			p.Attributes[name] = value
			continue
		}
		s, err := convert.Convert(value, cty.String)
		if err != nil {
			return p, name + " is not a text"
		}
		if !s.IsNull() {
			*field = s.AsString()
		}
	}
	if v, ok := p.Attributes["hidden"]; ok {
		delete(p.Attributes, "hidden")
		if s, err := convert.Convert(v, cty.String); err == nil && !s.IsNull() {
			p.Hidden = slices.Contains([]string{"true", "1", "yes", "hidden"}, strings.ToLower(s.AsString()))
		}
	}
	if v, ok := p.Attributes["visibility"]; ok {
		if s, err := convert.Convert(v, cty.String); err == nil && !s.IsNull() && strings.EqualFold(s.AsString(), "hidden") {
			p.Hidden = true
		}
	}
	return p, ""
}

func (p *Product) field(name string) *string {
	switch name {
	case "id", "retailer_id":
		return &p.ID
	case "title":
		return &p.Title
	case "description":
		return &p.Description
	case "price":
		return &p.Price
	case "availability":
		return &p.Availability
	}
	return nil
}

// value is what catalog.NAME is in expressions.
func (c *Catalog) value() cty.Value {
	products := map[string]cty.Value{}
	for _, p := range c.Products {
		products[p.ID] = p.value(c)
	}
	return cty.ObjectVal(map[string]cty.Value{
		"address": cty.StringVal(c.Address()), "name": cty.StringVal(c.Name), "id": cty.StringVal(c.ID), "products": cty.ObjectVal(products),
	})
}

func (p *Product) value(c *Catalog) cty.Value {
	attrs := map[string]cty.Value{}
	for name, v := range p.Attributes {
		attrs[name] = v
	}
	attrs["id"] = cty.StringVal(p.ID)
	attrs["catalog_id"] = cty.StringVal(c.ID)
	attrs["title"] = cty.StringVal(p.Title)
	attrs["description"] = cty.StringVal(p.Description)
	attrs["price"] = cty.StringVal(p.Price)
	attrs["availability"] = cty.StringVal(p.Availability)
	attrs["hidden"] = cty.BoolVal(p.Hidden)
	return cty.ObjectVal(attrs)
}

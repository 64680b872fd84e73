package lang

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/handbill/handbill/account"
)

// Manage is a catalog's manage block: apply keeps the products of the account's
// catalog as they are declared.
type Manage struct {
	// Provider is a number whose credentials may change the catalog; nil where the
	// reference is wrong.
	Provider *Provider
	// Exact says that the catalog has no other products than the declared ones.
	Exact bool
	// OnDestroy is what becomes of a product that is not declared any more: an
	// OnDestroy… constant.
	OnDestroy string
	MaxChange MaxChange
	// Feeds says that feeds, which write into the catalog too, are known of.
	Feeds     bool
	DeclRange hcl.Range

	content *content
}

// OnDestroyOutOfStock puts a product out of stock that is not declared any more; the
// default for products.
const OnDestroyOutOfStock = "out_of_stock"

// MaxChange is how much of a catalog one plan may change. Without Percent and Count it
// is a fifth, and always ten products.
type MaxChange struct {
	Percent float64 `json:"percent,omitempty"`
	Count   int     `json:"count,omitempty"`
}

// The bounds where no max_change is declared.
const (
	defaultMaxPercent = 20
	defaultMaxCount   = 10
)

// Allows reports whether so many of a catalog's products may be changed by one plan.
func (m MaxChange) Allows(changed, of int) bool {
	switch {
	case m.Count > 0:
		return changed <= m.Count
	case m.Percent > 0:
		return float64(changed)*100 <= m.Percent*float64(of)
	}
	return changed <= defaultMaxCount || changed*100 <= defaultMaxPercent*of
}

// String is "20%" or "50", as it is written.
func (m MaxChange) String() string {
	switch {
	case m.Count > 0:
		return strconv.Itoa(m.Count)
	case m.Percent > 0:
		return strconv.FormatFloat(m.Percent, 'g', -1, 64) + "%"
	}
	return strconv.Itoa(defaultMaxPercent) + "%"
}

var manageSchema = schema("provider! mode on_destroy max_change feeds")

// handedIn are the columns of a product that only a managed catalog makes use of.
var handedIn = []string{"condition", "link", "image_link", "brand", "gtin", "mpn"}

// manageBlock keeps the manage block of a catalog until providers are decoded. The
// products of such a catalog are shown one by one, so its tree has their source alone.
func (d *decoder) manageBlock(cat *Catalog, c *content) {
	b := d.atMostOne(c, "manage")
	if b == nil {
		return
	}
	cat.Manage = &Manage{DeclRange: b.defRange, content: d.content(b, manageSchema)}
	if cat.ID == "" && c.args["id"] == nil {
		d.diags.err("missing_argument", b.defRange, "A catalog that is managed needs its id: id = \"…\", a number that Commerce Manager shows.")
	}
	tree := c.block.tree
	for i := range tree.attributes {
		if tree.attributes[i].Name == "products" {
			tree.attributes[i] = d.sourceAttribute(c.args["products"])
		}
	}
	var children []*node
	for _, n := range tree.children {
		if n.kind != "product" {
			children = append(children, n)
		}
	}
	tree.children = children
}

// decodeManage decodes the manage blocks, after providers.
func (l *loader) decodeManage() {
	managed := map[string]*Catalog{}
	for decl := range l.of(rootCatalog) {
		cat := l.catalogs[decl.address]
		if cat == nil || cat.Manage == nil {
			continue
		}
		l.manage(cat.Manage)
		if other := managed[cat.ID]; other != nil && cat.ID != "" {
			l.diags.err("duplicate_declaration", cat.Manage.DeclRange, "%s and %s both manage the catalog %s: one block has all its products.", other.Address(), cat.Address(), cat.ID)
		}
		managed[cat.ID] = cat
		l.checkProducts(cat)
	}
}

func (l *loader) manage(m *Manage) {
	c := m.content
	if a := c.args["provider"]; a != nil {
		if address, ok := l.refer(a, rootProvider); ok {
			m.Provider = l.cfg.provider(address)
		}
	}
	m.Exact = l.oneOf(c, "mode", "upsert", "exact") == "exact"
	m.OnDestroy = l.oneOf(c, "on_destroy", OnDestroyOutOfStock, OnDestroyKeep, OnDestroyDelete)
	m.Feeds = l.oneOf(c, "feeds", "refuse", "ignore") == "ignore"
	v, ok := l.value(c, "max_change", cty.String)
	if !ok {
		return
	}
	if m.MaxChange, ok = parseMaxChange(v.AsString()); !ok {
		l.invalid(c, "max_change", `is a share of the catalog's products, such as "20%", or a number of products`)
	}
}

// parseMaxChange reads "20%" or "50".
func parseMaxChange(s string) (MaxChange, bool) {
	if share, isShare := strings.CutSuffix(s, "%"); isShare {
		f, err := strconv.ParseFloat(share, 64)
		return MaxChange{Percent: f}, err == nil && f > 0 && f <= 100
	}
	n, err := strconv.Atoi(s)
	return MaxChange{Count: n}, err == nil && n > 0
}

// maxShownProducts bounds how many products a problem is told of one by one.
const maxShownProducts = 3

// checkProducts checks what a catalog would refuse of its products.
func (l *loader) checkProducts(cat *Catalog) {
	shown, more := 0, 0
	doubted := map[string]int{}
	for i := range cat.Products {
		p := &cat.Products[i]
		_, problems, doubts := p.Account()
		for _, problem := range problems {
			if shown++; shown > maxShownProducts {
				more++
				continue
			}
			l.diags.err("product_invalid", p.DeclRange, "%s: of the product %q, %s.", cat.Address(), p.ID, problem.Detail)
		}
		for _, doubt := range doubts {
			if doubted[doubt.Path]++; doubted[doubt.Path] == 1 {
				l.diags.warn("product_doubted", p.DeclRange, "%s: of the product %q, %s.", cat.Address(), p.ID, doubt.Detail)
			}
		}
	}
	if more > 0 {
		l.diags.err("product_invalid", cat.DeclRange, "%s: %s more of its products.", cat.Address(), plural(more, "problem"))
	}
}

// Account returns the product in the form in which catalogs are compared, and what of
// it no catalog takes, or perhaps none; see account.Product.Normal.
func (p *Product) Account() (out account.Product, problems, doubts []account.Problem) {
	out = account.Product{ID: p.ID, Title: p.Title, Description: p.Description, Availability: p.Availability, Price: p.Price}
	for _, name := range handedIn {
		v, ok := p.Attributes[name]
		if !ok || v.IsNull() {
			continue
		}
		if s, err := convert.Convert(v, cty.String); err != nil {
			problems = append(problems, account.Problem{Path: name, Detail: "its " + name + " is no text"})
		} else if !s.IsNull() {
			*out.ProductField(name) = s.AsString()
		}
	}
	normal, found, doubts := out.Normal()
	return normal, append(problems, found...), doubts
}

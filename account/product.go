package account

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Product is one product of a catalog, in one form for everything that tells or takes
// it. An empty field is one that is not declared, or that the catalog does not have.
type Product struct {
	ID           string `json:"id"` // the retailer id
	Title        string `json:"title,omitempty"`
	Description  string `json:"description,omitempty"`
	Availability string `json:"availability,omitempty"` // "in stock", …
	Condition    string `json:"condition,omitempty"`    // "new", …
	Price        string `json:"price,omitempty"`        // "19.90 EUR", or a catalog's text that can't be read
	Link         string `json:"link,omitempty"`
	ImageLink    string `json:"image_link,omitempty"`
	Brand        string `json:"brand,omitempty"`
	// GTIN and MPN are taken, and never told: what was handed in last decides whether
	// they have changed.
	GTIN string `json:"gtin,omitempty"`
	MPN  string `json:"mpn,omitempty"`

	// What a catalog tells besides.
	Visibility string `json:"visibility,omitempty"` // "published", …
	Review     string `json:"review,omitempty"`     // "approved", "pending", …; "" for none
}

// OutOfStock is the availability of a product that is not sold any more.
const OutOfStock = "out of stock"

// productField is a field that handbill hands in; told says that it can be read back.
type productField struct {
	name string
	told bool
	of   func(*Product) *string
}

// productFields are the fields that handbill hands in, under the names that batches
// take. Source: Meta, catalog batch API, 2026-08-19.
var productFields = []productField{
	{"title", true, func(p *Product) *string { return &p.Title }},
	{"description", true, func(p *Product) *string { return &p.Description }},
	{"availability", true, func(p *Product) *string { return &p.Availability }},
	{"condition", true, func(p *Product) *string { return &p.Condition }},
	{"price", true, func(p *Product) *string { return &p.Price }},
	{"link", true, func(p *Product) *string { return &p.Link }},
	{"image_link", true, func(p *Product) *string { return &p.ImageLink }},
	{"brand", true, func(p *Product) *string { return &p.Brand }},
	{"gtin", false, func(p *Product) *string { return &p.GTIN }},
	{"mpn", false, func(p *Product) *string { return &p.MPN }},
}

// ProductField returns the field with the name that declarations use; nil for a name
// that is no field of a catalog's product.
func (p *Product) ProductField(name string) *string {
	for _, f := range productFields {
		if f.name == name {
			return f.of(p)
		}
	}
	return nil
}

// Words of catalogs. Source: Meta, fields of products, as quoted 2026-08-19.
var (
	availabilities = []string{"in stock", OutOfStock, "available for order", "preorder", "discontinued"}
	conditions     = []string{"new", "refurbished", "used"}
)

// Limits of a product, in characters. maxProductID and maxBatchProducts are Meta's
// (catalog batch API, 2026-08-19); the lengths of texts are remembered from Meta's
// page of fields and not confirmed, so more than that is a doubt.
const (
	maxProductID          = 100
	maxProductTitle       = 200
	maxProductDescription = 9999
)

// Normal returns the product with its words and texts as they are compared, and what
// of it no catalog takes. doubts are what one may not take.
func (p Product) Normal() (out Product, problems, doubts []Problem) {
	bad := func(path, format string, args ...any) {
		problems = append(problems, Problem{Path: path, Detail: fmt.Sprintf(format, args...)})
	}
	out = p.folded()
	if utf8.RuneCountInString(out.ID) > maxProductID {
		bad("id", "its id has more than %d characters", maxProductID)
	}
	if out.Price != "" {
		price, err := ParsePrice(out.Price)
		if err != nil {
			bad("price", "its price: %s", err)
		}
		out.Price = price.String()
	}
	for _, f := range []struct {
		name, value string
		words       []string
	}{{"availability", out.Availability, availabilities}, {"condition", out.Condition, conditions}} {
		if f.value != "" && !slices.Contains(f.words, f.value) {
			bad(f.name, "its %s is one of: %s", f.name, strings.Join(f.words, ", "))
		}
	}
	for _, f := range []struct{ name, value string }{{"link", out.Link}, {"image_link", out.ImageLink}} {
		if f.value != "" && !strings.HasPrefix(f.value, "https://") && !strings.HasPrefix(f.value, "http://") {
			bad(f.name, "its %s is no web address", f.name)
		}
	}
	for _, f := range []struct {
		name, value string
		most        int
	}{{"title", out.Title, maxProductTitle}, {"description", out.Description, maxProductDescription}} {
		if utf8.RuneCountInString(f.value) > f.most {
			doubts = append(doubts, Problem{Path: f.name, Detail: fmt.Sprintf("its %s has more than %d characters, which the catalog may not take", f.name, f.most), Doubt: true})
		}
	}
	return out, problems, doubts
}

// folded returns the product with words in one spelling and texts in one form. Meta
// keeps line ends as line feeds.
func (p Product) folded() Product {
	word := func(s string) string { return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), "_", " ") }
	text := func(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }
	p.Availability, p.Condition, p.Visibility, p.Review = word(p.Availability), word(p.Condition), strings.ReplaceAll(word(p.Visibility), " ", "_"), word(p.Review)
	for _, s := range []*string{&p.Title, &p.Description, &p.Price, &p.Link, &p.ImageLink, &p.Brand, &p.GTIN, &p.MPN} {
		*s = text(*s)
	}
	return p
}

// Told returns a product as a catalog told it, in the form of Normal: its price is
// read beside its currency, and left as the text that it is if it can't be.
func (p Product) Told(currency string) Product {
	p = p.folded()
	if price, ok := readPrice(p.Price, currency); ok {
		p.Price = price.String()
	}
	return p
}

// Missing returns what a new product needs and does not have.
// Source: Meta, required fields of a commerce catalog, 2026-08-19.
func (p *Product) Missing() []string {
	var out []string
	for _, name := range []string{"title", "description", "availability", "condition", "price", "link", "image_link"} {
		if *p.ProductField(name) == "" {
			out = append(out, name)
		}
	}
	if p.Brand == "" && p.GTIN == "" && p.MPN == "" {
		out = append(out, "brand (or gtin, or mpn)")
	}
	return out
}

// ProductChange is a field of a product that differs.
type ProductChange struct {
	Name   string `json:"name"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Changes returns where the catalog's product differs from the declared one, in the
// fields that are declared. last is the Digest of what was handed in last; "" if that
// is not known. It decides about what a catalog does not tell: a price that can't be
// read, and fields that are not read back, which count as equal if nothing decides.
func (p *Product) Changes(held *Product, last string) []ProductChange {
	var out []ProductChange
	told, untold, known := cutDigest(last)
	ownTold, ownUntold, _ := cutDigest(p.Digest())
	for _, f := range productFields {
		want, has := *f.of(p), *f.of(held)
		switch {
		case want == "" || want == has:
		case !f.told && (!known || untold == ownUntold):
		case f.name == "price" && told == ownTold && unreadable(has):
		default:
			out = append(out, ProductChange{f.name, has, want})
		}
	}
	return out
}

func unreadable(price string) bool {
	_, err := ParsePrice(price)
	return err != nil
}

// In reports whether the catalog's product has every declared field that can be read
// back. A price that can't be read counts as unequal before it is handed in, and as
// equal after.
func (p *Product) In(held *Product, after bool) bool {
	for _, f := range productFields {
		want, has := *f.of(p), *f.of(held)
		if f.told && want != "" && want != has && !(after && f.name == "price" && unreadable(has)) {
			return false
		}
	}
	return true
}

// Unseen reports whether nothing of the product could be read back.
func (p *Product) Unseen() bool {
	for _, f := range productFields {
		if f.told && *f.of(p) != "" {
			return false
		}
	}
	return true
}

// Only returns the product with its id and the named fields alone.
func (p *Product) Only(changes []ProductChange) Product {
	out := Product{ID: p.ID}
	for _, c := range changes {
		if field := out.ProductField(c.Name); field != nil {
			*field = *p.ProductField(c.Name)
		}
	}
	return out
}

// Digest is over the fields that are declared: 32 hexadecimal digits, of which the
// second half is over those that are not read back.
func (p *Product) Digest() string {
	told, untold := sha256.New(), sha256.New()
	for _, f := range productFields {
		h := told
		if !f.told {
			h = untold
		}
		if v := *f.of(p); v != "" {
			fmt.Fprintf(h, "%s %d %s\n", f.name, len(v), v)
		}
	}
	return hex.EncodeToString(told.Sum(nil)[:8]) + hex.EncodeToString(untold.Sum(nil)[:8])
}

// cutDigest returns the two halves of a digest; ok is false for any other text.
func cutDigest(digest string) (told, untold string, ok bool) {
	if len(digest) != 32 {
		return "", "", false
	}
	return digest[:16], digest[16:], true
}

// The methods of a request in a batch.
const (
	ProductCreate = "CREATE"
	ProductUpdate = "UPDATE"
	ProductDelete = "DELETE"
)

// ProductRequest is one request of a batch.
type ProductRequest struct {
	Method string
	Data   Product // its id, and the fields to hand in
}

// appendTo appends the request as JSON.
func (r *ProductRequest) appendTo(b []byte) ([]byte, error) {
	data := map[string]string{"id": r.Data.ID}
	for _, f := range productFields {
		if v := *f.of(&r.Data); v != "" {
			data[f.name] = v
		}
	}
	one, err := json.Marshal(struct {
		Method string            `json:"method"`
		Data   map[string]string `json:"data"`
	}{r.Method, data})
	return append(b, one...), err
}

// The bounds of one batch. Meta takes 5,000 requests and 28 MB, and advises less than
// 3,000 (catalog batch API, 2026-08-19). Its answer tells of each request, and an answer
// that is larger than 1 MiB is not read.
const (
	maxBatchProducts = 1000
	maxBatchBytes    = 20 << 20
)

// Batch returns the body of a batch with the first n of the requests, as many as fit.
// A product is only created if it is missing, and only updated if it is there.
func Batch(list []ProductRequest) (body []byte, n int, err error) {
	body = []byte(`{"item_type":"PRODUCT_ITEM","allow_upsert":false,"requests":[`)
	for n < len(list) && n < maxBatchProducts {
		before := len(body)
		if n > 0 {
			body = append(body, ',')
		}
		if body, err = list[n].appendTo(body); err != nil {
			return nil, 0, err
		}
		if n > 0 && len(body) > maxBatchBytes {
			body = body[:before]
			break
		}
		n++
	}
	return append(body, "]}"...), n, nil
}

// Catalog is what a catalog tells of itself.
type Catalog struct {
	ID    string `json:"id"`
	Name  string `json:"name,omitempty"`
	Feeds int    `json:"feed_count,omitempty"` // that write into it, too
}

// CatalogLink says which catalog an account's messages may name.
type CatalogLink uint8

// The links of a catalog and an account.
const (
	LinkUnknown CatalogLink = iota // it can't be read
	Linked                         // this one
	LinkedOther                    // another one, or none
)

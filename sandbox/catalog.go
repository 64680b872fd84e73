package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Catalog is a catalog of products at the start.
type Catalog struct {
	ID       string           `json:"id"`
	Name     string           `json:"name,omitempty"`
	Feeds    int              `json:"feed_count,omitempty"` // that write into it
	Products []CatalogProduct `json:"products,omitempty"`
	// Unlinked says that the account's messages may not name it.
	Unlinked bool `json:"unlinked,omitempty"`
}

// CatalogProduct is one product, with the names that batches use.
type CatalogProduct struct {
	ID           string `json:"id"`
	Title        string `json:"title,omitempty"`
	Description  string `json:"description,omitempty"`
	Availability string `json:"availability,omitempty"`
	Condition    string `json:"condition,omitempty"`
	Price        string `json:"price,omitempty"` // "19.90 EUR"
	Link         string `json:"link,omitempty"`
	ImageLink    string `json:"image_link,omitempty"`
	Brand        string `json:"brand,omitempty"`
	Visibility   string `json:"visibility,omitempty"`    // "" is "published"
	Review       string `json:"review_status,omitempty"` // "" is "approved"
	Deleted      bool   `json:"deleted,omitempty"`       // with PutProduct: it is taken out

	since   time.Time
	written bool // by a batch
}

// CatalogRule makes requests about catalogs go wrong.
type CatalogRule struct {
	Call    string `json:"call"`              // "batch", "poll", "list" or "link"
	Product string `json:"product,omitempty"` // with Invalid: its retailer id
	Nth     int    `json:"nth,omitempty"`     // exactly the nth such request
	First   int    `json:"first,omitempty"`   // the first n; without both, each
	// Does is one of the words below.
	Does    string `json:"does"`
	Message string `json:"message,omitempty"` // with Invalid
}

// The requests about catalogs.
const (
	callCatalogBatch = "batch"
	callCatalogPoll  = "poll"
	callCatalogList  = "list"
	callCatalogLink  = "link"
)

// What a CatalogRule does.
const (
	catalogLost    = "lost"    // it is carried out, and the connection cut before the answer
	catalogEmpty   = "empty"   // nothing is taken, and the answer has no handle
	catalogInvalid = "invalid" // the product's request fails, which only a poll tells
	catalogError   = "error"   // the batch ends with an error, and nothing is carried out
	catalogStuck   = "stuck"   // the batch does not end
	catalogFails   = "fails"   // HTTP 500
	catalogBusy    = "busy"    // 80014: too many calls
	catalogDenied  = "denied"  // (#10), as numbers that the business app uses get it
)

func catalogWords() (calls, does []string) {
	return []string{callCatalogBatch, callCatalogPoll, callCatalogList, callCatalogLink},
		[]string{catalogLost, catalogEmpty, catalogInvalid, catalogError, catalogStuck, catalogFails, catalogBusy, catalogDenied}
}

// ProductReview is what Meta decides about a product some time after a batch wrote it.
// Without one it is approved at once.
type ProductReview struct {
	Product string   `json:"product,omitempty"` // its retailer id; "" for all
	After   Duration `json:"after,omitempty"`
	Outcome string   `json:"outcome"` // "approved", "rejected", "outdated"
}

func (s *Script) checkCatalogs() []error {
	var errs []error
	calls, does := catalogWords()
	for i, r := range s.CatalogRules {
		if !slices.Contains(calls, r.Call) || !slices.Contains(does, r.Does) {
			errs = append(errs, fmt.Errorf("sandbox script: catalog rule %d: call is one of %s, and does one of %s", i+1, strings.Join(calls, ", "), strings.Join(does, ", ")))
		}
	}
	for i, c := range s.Catalogs {
		if c.ID == "" || slices.ContainsFunc(c.Products, func(p CatalogProduct) bool { return p.ID == "" }) {
			errs = append(errs, fmt.Errorf("sandbox script: catalog %d: it and its products need an id", i+1))
		}
	}
	return errs
}

// catalogs are the catalogs of the network. It is safe for concurrent use.
type catalogs struct {
	key     uint64
	clock   func() time.Time
	rules   []CatalogRule
	reviews []ProductReview
	after   time.Duration // that a batch takes

	mu      sync.Mutex
	open    bool // the script names none
	byID    map[string]*catalog
	asked   map[string]int // requests by call
	batches map[string]*productBatch
	writes  []ProductWrite
}

type catalog struct {
	Catalog
	products map[string]*CatalogProduct
}

// productBatch is a batch that was taken.
type productBatch struct {
	catalog string
	due     time.Time
	list    []productRequest
	upsert  bool
	ends    string // "finished", "error"; "" for never
	done    bool
	invalid map[string]string // by retailer id
}

// ProductWrite is one request of a batch that was carried out, or refused.
type ProductWrite struct {
	Catalog, Method, ID string
	Done                bool
}

func newCatalogs(script *Script, key uint64, clock func() time.Time) *catalogs {
	c := &catalogs{key: key, clock: clock, byID: map[string]*catalog{}, asked: map[string]int{}, batches: map[string]*productBatch{}}
	if c.open = script == nil || len(script.Catalogs) == 0; script == nil {
		return c
	}
	c.rules, c.reviews, c.after = script.CatalogRules, script.ProductReview, time.Duration(script.BatchAfter)
	for _, one := range script.Catalogs {
		made := &catalog{Catalog: one, products: map[string]*CatalogProduct{}}
		c.byID[one.ID] = made
		for _, p := range one.Products {
			p.fill(c.clock())
			made.products[p.ID] = &p
		}
	}
	return c
}

func (p *CatalogProduct) fill(now time.Time) {
	if p.since = now; p.Visibility == "" {
		p.Visibility = "published"
	}
	if p.Review == "" {
		p.Review = "approved"
	}
}

// find returns a catalog; nil for none. c.mu is held.
func (c *catalogs) find(id string) *catalog {
	if c.byID[id] == nil && c.open && id != "" && strings.Trim(id, "0123456789") == "" {
		c.byID[id] = &catalog{Catalog: Catalog{ID: id, Name: "Catalog " + id}, products: map[string]*CatalogProduct{}}
	}
	return c.byID[id]
}

// rule returns what goes wrong with a request; nil for nothing. c.mu is held.
func (c *catalogs) rule(call string) *CatalogRule {
	c.asked[call]++
	n := c.asked[call]
	for i := range c.rules {
		r := &c.rules[i]
		if r.Call == call && r.Does != catalogInvalid && (r.Nth == 0 || r.Nth == n) && (r.First == 0 || n <= r.First) {
			return r
		}
	}
	return nil
}

// pass carries out the batches that are due, and reviews; c.mu is held.
func (c *catalogs) pass() {
	now := c.clock().Round(0)
	for _, handle := range slices.Sorted(maps.Keys(c.batches)) {
		b := c.batches[handle]
		if b.done || b.ends == "" || now.Before(b.due) {
			continue
		}
		b.done = true
		if b.ends == "finished" {
			c.carryOut(b)
		}
	}
	for _, one := range c.byID {
		for _, p := range one.products {
			if p.written && p.Review == "pending" {
				c.review(p, now)
			}
		}
	}
}

func (c *catalogs) review(p *CatalogProduct, now time.Time) {
	for _, r := range c.reviews {
		if r.Product != "" && r.Product != p.ID {
			continue
		}
		if now.Sub(p.since) >= time.Duration(r.After) {
			p.Review = r.Outcome
		}
		return
	}
	p.Review = "approved"
}

func (c *catalogs) carryOut(b *productBatch) {
	one := c.byID[b.catalog]
	count := map[string]int{}
	for i := range b.list {
		count[b.list[i].Data.ID]++
	}
	for i := range b.list {
		r := &b.list[i]
		why := c.refused(one, r, b.upsert)
		if count[r.Data.ID] > 1 {
			why = "The same retailer_id is in the batch twice"
		}
		c.writes = append(c.writes, ProductWrite{Catalog: b.catalog, Method: r.Method, ID: r.Data.ID, Done: why == ""})
		if why != "" {
			b.invalid[r.Data.ID] = why
			continue
		}
		c.write(one, r)
	}
}

// refused says why a request of a batch fails; "" if it does not.
func (c *catalogs) refused(one *catalog, r *productRequest, upsert bool) string {
	for _, rule := range c.rules {
		if rule.Does == catalogInvalid && rule.Product == r.Data.ID {
			if rule.Message != "" {
				return rule.Message
			}
			return "The image could not be fetched"
		}
	}
	held := one.products[r.Data.ID]
	switch {
	case r.Method == "CREATE" && held != nil:
		return "(#10800) Duplicate retailer_id when attempting to create a store collection"
	case r.Method == "CREATE" || r.Method == "UPDATE" && held == nil && upsert:
		return r.Data.missing()
	case held == nil:
		return "The product with this retailer_id does not exist"
	}
	return ""
}

// missing names a field that a new product needs. Source: Meta, catalog batch API,
// read 2026-08-19.
func (p *CatalogProduct) missing() string {
	for _, f := range []struct{ name, value string }{{"title", p.Title}, {"description", p.Description}, {"availability", p.Availability}, {"condition", p.Condition},
		{"price", p.Price}, {"link", p.Link}, {"image_link", p.ImageLink}} {
		if f.value == "" {
			return "A required field is missing: " + f.name
		}
	}
	return ""
}

func (c *catalogs) write(one *catalog, r *productRequest) {
	if r.Method == "DELETE" {
		delete(one.products, r.Data.ID)
		return
	}
	held := one.products[r.Data.ID]
	if held == nil {
		held = &CatalogProduct{ID: r.Data.ID}
		held.fill(c.clock())
		one.products[r.Data.ID] = held
	}
	held.change(&r.Data)
	held.since, held.written, held.Review = c.clock().Round(0), true, "pending"
}

// change copies the fields that other sets.
func (p *CatalogProduct) change(other *CatalogProduct) {
	for _, f := range []struct {
		field *string
		given string
	}{{&p.Title, other.Title}, {&p.Description, other.Description}, {&p.Availability, other.Availability}, {&p.Condition, other.Condition}, {&p.Price, other.Price},
		{&p.Link, other.Link}, {&p.ImageLink, other.ImageLink}, {&p.Brand, other.Brand}, {&p.Visibility, other.Visibility}, {&p.Review, other.Review}} {
		if f.given != "" {
			*f.field = f.given
		}
	}
}

// PutProduct adds a product to a catalog, changes the given fields of it, or takes it
// out, as somebody does in Commerce Manager.
func (s *Sandbox) PutProduct(catalog string, p CatalogProduct) error {
	c := s.catalogs
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.find(catalog)
	if one == nil || p.ID == "" {
		return errors.New("there is no such catalog, or the product has no id")
	}
	switch held := one.products[p.ID]; {
	case p.Deleted:
		delete(one.products, p.ID)
	case held != nil:
		held.change(&p)
	default:
		p.fill(c.clock())
		one.products[p.ID] = &p
	}
	return nil
}

// Products returns the products of a catalog as they are now, by id.
func (s *Sandbox) Products(catalog string) []CatalogProduct {
	c := s.catalogs
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pass()
	return c.list(catalog)
}

// list returns the products of a catalog by id; c.mu is held.
func (c *catalogs) list(id string) []CatalogProduct {
	one := c.byID[id]
	if one == nil {
		return nil
	}
	out := make([]CatalogProduct, 0, len(one.products))
	for _, id := range slices.Sorted(maps.Keys(one.products)) {
		out = append(out, *one.products[id])
	}
	return out
}

// ProductWrites returns the requests of all batches in the order in which they were
// carried out or refused.
func (s *Sandbox) ProductWrites() []ProductWrite {
	s.catalogs.mu.Lock()
	defer s.catalogs.mu.Unlock()
	s.catalogs.pass()
	return slices.Clone(s.catalogs.writes)
}

package view

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// maxShownProducts bounds how many changed products of a catalog people see; JSON has
// all.
const maxShownProducts = 10

// catalogHead says in one line what changes in a catalog; "" for nothing.
func catalogHead(c *plan.CatalogChange) string {
	retired := 0
	for i := range c.Products {
		if c.Products[i].Retired && c.Products[i].Change == plan.Update {
			retired++
		}
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{c.Count(plan.Update) - retired, "updated"}, {retired, "put out of stock"}, {c.Count(plan.Delete), "deleted"}, {c.Count(plan.Create), "added"},
		{c.Count(plan.Import), "taken over as they are"}, {c.Count(plan.Forget), "let go"}} {
		if p.n > 0 {
			parts = append(parts, Count(p.n)+" "+p.what)
		}
	}
	out := message.SafeText(c.Address) + ": "
	switch {
	case len(parts) > 0:
		out += fmt.Sprintf("of %s in the catalog, %s", Plural(c.Held, "product"), strings.Join(parts, ", "))
	case c.Interrupted:
		out += "an earlier apply was interrupted, and what became of its batch is looked up"
	case !c.Gone && c.Left == "":
		return ""
	}
	if c.Gone {
		out = strings.TrimSuffix(out, ": ") + map[bool]string{true: ": ", false: "; "}[len(parts) == 0] + "it is not looked after any more"
	}
	if c.Left != "" {
		out = strings.TrimSuffix(out, ": ") + map[bool]string{true: ": ", false: "; "}[len(parts) == 0] + "the products of the catalog " + message.SafeText(c.Left) + " are let go as they are"
	}
	return out
}

// shownProducts are the changes that people see, those that can do harm first: what is
// deleted, then what is put out of stock, then the others by id. more counts the rest of
// those that are shown one by one.
func shownProducts(c *plan.CatalogChange) (shown []plan.ResourceChange, more int) {
	rank := func(p *plan.ProductChange) int {
		switch {
		case p.Change == plan.Delete:
			return 0
		case p.Retired:
			return 1
		case p.Change == plan.Update:
			return 2
		}
		return 3
	}
	var list []*plan.ProductChange
	for i := range c.Products {
		if p := &c.Products[i]; p.Change != plan.Import && p.Change != plan.Forget {
			list = append(list, p)
		}
	}
	slices.SortStableFunc(list, func(a, b *plan.ProductChange) int { return rank(a) - rank(b) })
	for _, p := range list[:min(len(list), maxShownProducts)] {
		shown = append(shown, c.ResourceChange(p))
	}
	return shown, max(len(list)-maxShownProducts, 0)
}

// catalogsText writes what changes in managed catalogs.
func catalogsText(b *strings.Builder, s Style, p *plan.Plan) {
	for i := range p.Catalogs {
		c := &p.Catalogs[i]
		head := catalogHead(c)
		if head == "" {
			continue
		}
		fmt.Fprintf(b, "  %s\n", s.bold("# "+head))
		shown, more := shownProducts(c)
		for k := range shown {
			r := &shown[k]
			treeText{style: s, b: b}.resource("product "+quote(r.Name), r.Change, plan.Diff(r.Before, r.After))
		}
		if more > 0 {
			fmt.Fprintf(b, "    %s\n", s.dim("# ("+Plural(more, "more product")+"; -format=json lists all)"))
		}
		b.WriteString("\n")
	}
}

// markdownCatalogs writes the same lines for a comment; the products are among the
// changes.
func (r *PlanReport) markdownCatalogs(m *markdown) {
	for _, line := range r.catalogHeads() {
		m.add("\n" + code(line) + "\n")
	}
}

func (r *PlanReport) catalogHeads() (lines []string) {
	for i := range r.Plan.Catalogs {
		if head := catalogHead(&r.Plan.Catalogs[i]); head != "" {
			lines = append(lines, head)
		}
	}
	return lines
}

// CatalogWrites returns how many products applying the plan would change in catalogs.
func (r *PlanReport) CatalogWrites() int {
	n := 0
	for i := range r.Plan.Catalogs {
		c := &r.Plan.Catalogs[i]
		n += c.Count(plan.Create) + c.Count(plan.Update) + c.Count(plan.Delete)
	}
	return n
}

// CatalogDeletions returns how many products applying the plan would delete.
func (r *PlanReport) CatalogDeletions() int {
	n := 0
	for i := range r.Plan.Catalogs {
		n += r.Plan.Catalogs[i].Count(plan.Delete)
	}
	return n
}

// AppliedCatalog is what an apply did with the products of a managed catalog, or with
// one of them.
type AppliedCatalog struct {
	Address  string        `json:"address"`
	Did      string        `json:"did"`
	Products int           `json:"products,omitempty"`
	Detail   string        `json:"detail,omitempty"`
	Took     time.Duration `json:"-"`
}

// Line describes the step in one line.
func (c *AppliedCatalog) Line() string {
	out := message.SafeText(c.Address) + ": "
	switch c.Did {
	case "handing_in":
		return out + "Handing in " + Plural(c.Products, "product") + "..."
	case "waiting":
		return out + "Still waiting for the batch..."
	case "written":
		return out + Plural(c.Products, "product") + " as planned" + took(c.Took)
	case "taken_over":
		return out + Plural(c.Products, "product") + " taken over"
	case "forgotten":
		return out + "Forgotten"
	case "late":
		return out + "Not done yet"
	}
	return out + "Failed"
}

// catalogs writes the steps of catalogs at the end of an apply.
func (r *ApplyReport) catalogs(b *strings.Builder, s Style) {
	if len(r.Catalogs) == 0 {
		return
	}
	b.WriteString("\n")
	failed := 0
	for i := range r.Catalogs {
		c := &r.Catalogs[i]
		line := c.Line()
		if c.bad() {
			line = s.yellow(line)
		}
		if c.Did == "failed" {
			if failed++; failed > maxShownProducts {
				continue
			}
		}
		fmt.Fprintf(b, "  %s\n", line)
		if c.Detail == "" {
			continue
		}
		for _, l := range wrap(message.SafeText(c.Detail), s.textWidth()-4) {
			fmt.Fprintf(b, "    %s\n", l)
		}
	}
	if failed > maxShownProducts {
		fmt.Fprintf(b, "  %s\n", s.yellow(Plural(failed-maxShownProducts, "more product")+" failed; -json lists all"))
	}
}

func (c *AppliedCatalog) bad() bool { return c.Did == "failed" || c.Did == "late" }

// Catalog writes one step of a catalog.
func (a *ApplyStream) Catalog(c *AppliedCatalog) {
	level := "info"
	if c.bad() {
		level = "error"
	}
	a.stream.write(level, "catalog_step", c.Line(), field{"catalog", c})
}

// AddCatalog adds what the state keeps of a managed catalog, for "state show".
func (r *ResourceReport) AddCatalog(m *state.Managed, products int) {
	kept := ManagedResource(m)
	tree := lang.Tree{Attributes: append(kept.Values.Attributes, lang.Attribute{Name: "products", Value: fmt.Sprint(products)})}
	r.Values.Blocks = append(r.Values.Blocks, lang.Block{Type: "managed", Tree: tree})
}

// KeptProduct is what the state keeps of a product, for "state show".
func KeptProduct(catalog string, p *state.KeptProduct) *ResourceReport {
	out := &ResourceReport{Address: plan.ProductAddress(catalog, p.ID), Values: &lang.Tree{}}
	for _, f := range []struct{ name, value string }{{"catalog", p.Catalog}, {"id", p.ID}, {"digest", p.Digest}, {"review", p.Review}} {
		out.Values.Attributes = append(out.Values.Attributes, lang.TextAttribute(f.name, f.value))
	}
	return out
}

// CatalogsImported is the final report of "import" with the address of a catalog.
type CatalogsImported struct {
	Catalogs []AppliedCatalog `json:"catalogs"`
}

// Text says what was taken over.
func (r *CatalogsImported) Text(w io.Writer, _ Style) error {
	var b strings.Builder
	for i := range r.Catalogs {
		imported(&b, r.Catalogs[i].Line(), r.Catalogs[i].Detail)
	}
	return say(w, b.String()+importedEnd)
}

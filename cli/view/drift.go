package view

import (
	"fmt"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// driftText lists the objects of accounts that changed outside handbill.
func driftText(b *strings.Builder, s Style, p *plan.Plan) {
	products := 0
	for i := range p.Drift {
		d := &p.Drift[i]
		if d.Type == "product" {
			if products++; products > maxShownProducts {
				continue
			}
		}
		fmt.Fprintf(b, "  %s\n", s.bold("# "+message.SafeText(d.Address)+" changed outside handbill"))
		t := treeText{style: s, b: b}
		t.line(2, " ", resourceHead(d.Address)+" {")
		width := 0
		for _, f := range d.Fields {
			width = max(width, columns(f.Name))
		}
		for _, f := range d.Fields {
			line := "  " + s.yellow("!") + " " + pad(f.Name, width) + " = " + quote(cutText(f.Before, longLine)) + " -> " + quote(cutText(f.After, longLine))
			if f.Note != "" {
				line += "  " + s.dim("# "+message.SafeText(f.Note))
			}
			t.line(4, "", line)
		}
		b.WriteString("    }\n\n")
	}
	if products > maxShownProducts {
		fmt.Fprintf(b, "  %s\n\n", s.bold("# "+Plural(products-maxShownProducts, "more product")+" changed outside handbill"))
	}
}

// markdownDrift writes the same as a table.
func (r *PlanReport) markdownDrift(m *markdown) {
	if len(r.Plan.Drift) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString("\n| changed outside handbill | what | was | is |\n|---|---|---|---|\n")
	for i, d := range r.Plan.Drift {
		if i == maxManaged {
			fmt.Fprintf(&b, "\n%s not shown here.\n", Plural(len(r.Plan.Drift)-i, "more change"))
			break
		}
		for _, f := range d.Fields {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(d.Address), code(f.Name), code(cutText(f.Before, longLine)), code(cutText(f.After, longLine)))
		}
	}
	m.add(b.String())
}

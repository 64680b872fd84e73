package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// managedHead names a template of the account: the data block that reads it, and
// the language.
func managedHead(m *plan.Managed) string {
	block, _ := strings.CutSuffix(m.Address, "."+m.Observed.Language)
	return resourceHead(block) + " " + quote(m.Observed.Language)
}

// managedRow is one line about an object of an account: a name, a value, and a
// remark.
type managedRow struct{ Name, Value, Note string }

// managedRows are what a reviewer sees of a template: its status and properties,
// and its words.
func managedRows(m *plan.Managed) []managedRow {
	t := &m.Observed
	rows := []managedRow{{"name", quote(t.Name), ""}, {"status", message.SafeText(t.Status), statusNote(t)}, {"category", message.SafeText(t.Category), ""}}
	if t.CorrectCategory != "" && t.CorrectCategory != t.Category {
		rows[2].Note = "announced: " + message.SafeText(t.CorrectCategory)
	}
	if t.Quality != "" && t.Quality != "UNKNOWN" {
		rows = append(rows, managedRow{"quality", message.SafeText(t.Quality), ""})
	}
	rows = append(rows, contentRows("", &t.Content)...)
	if t.Footer != "" {
		rows = append(rows, managedRow{"footer", quote(t.Footer), ""})
	}
	if t.Offer {
		rows = append(rows, managedRow{"limited_time_offer", map[bool]string{true: "with an end", false: "without an end"}[t.Expires], ""})
	}
	for i := range t.Cards {
		rows = append(rows, contentRows(fmt.Sprintf("card %d ", i), &t.Cards[i].Content)...)
	}
	for _, kind := range t.Strange {
		rows = append(rows, managedRow{"part", quote(kind), "of a kind that this handbill does not know"})
	}
	return rows
}

func statusNote(t *account.Template) string {
	switch t.State() {
	case account.Sendable:
		return ""
	case account.Pending, account.Paused:
		return "nothing is sent on it now"
	}
	return "can't be sent"
}

func contentRows(prefix string, c *account.Content) []managedRow {
	var rows []managedRow
	if h := c.Header; h != nil {
		value := message.SafeText(h.Format)
		if h.Text != "" {
			value = quote(h.Text)
		}
		rows = append(rows, managedRow{prefix + "header", value, ""})
	}
	if c.Body != "" {
		rows = append(rows, managedRow{prefix + "body", quote(c.Body), ""})
	}
	for i, b := range c.Buttons {
		value := message.SafeText(b.Type) + " " + quote(b.Text)
		if b.URL != "" {
			value += " " + message.SafeText(b.URL)
		}
		rows = append(rows, managedRow{fmt.Sprintf("%sbutton %d", prefix, i), value, ""})
	}
	return rows
}

// readAlone leaves out templates that a template block declares and that can be
// sent: they are shown as resources.
func readAlone(list []plan.Managed) []plan.Managed {
	var out []plan.Managed
	for i := range list {
		if list[i].Kind == "template" && (!list[i].Declared || statusNote(&list[i].Observed) != "") {
			out = append(out, list[i])
		}
	}
	return out
}

// managedText writes what the accounts report.
func managedText(b *strings.Builder, s Style, p *plan.Plan) {
	list := readAlone(p.Managed)
	for i := range list {
		m := &list[i]
		fmt.Fprintf(b, "  %s\n", s.bold("# "+message.SafeText(m.Address)+" was read from the account at "+m.ObservedAt.UTC().Format("15:04 MST")))
		t := treeText{style: s, b: b}
		t.line(2, " ", managedHead(m)+" {")
		rows, width := managedRows(m), 0
		for _, r := range rows {
			width = max(width, columns(r.Name))
		}
		for _, r := range rows {
			line := "  " + pad(r.Name, width) + " = " + r.Value
			if r.Note != "" {
				line += "  " + s.dim("# "+r.Note)
			}
			t.line(5, "", line)
		}
		b.WriteString("    }\n\n")
	}
}

// managedLines are the same lines for a comment.
func managedLines(m *plan.Managed) []string {
	lines := []string{"read at " + m.ObservedAt.UTC().Format(time.DateTime) + " UTC"}
	for _, r := range managedRows(m) {
		line := r.Name + " = " + cutText(r.Value, 2*longLine)
		if r.Note != "" {
			line += "  # " + r.Note
		}
		lines = append(lines, line)
	}
	return lines
}

// maxManaged bounds how many templates a comment and a page show.
const maxManaged = 40

// markdownManaged is a table of the account's templates, and their words.
func (r *PlanReport) markdownManaged(m *markdown) {
	list := readAlone(r.Plan.Managed)
	if len(list) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString("\n| template of the account | name | status | category |\n|---|---|---|---|\n")
	for i := range list[:min(len(list), maxManaged)] {
		t := &list[i].Observed
		status := code(t.Status)
		if note := statusNote(t); note != "" {
			status = "**" + status + "**, " + note
		}
		category := code(t.Category)
		if t.CorrectCategory != "" && t.CorrectCategory != t.Category {
			category += ", announced " + code(t.CorrectCategory)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(list[i].Address), code(t.Name), status, category)
	}
	if n := len(list) - maxManaged; n > 0 {
		fmt.Fprintf(&b, "\n%s not shown here.\n", Plural(n, "more template"))
	}
	m.add(b.String())
	for i := range list[:min(len(list), maxManaged)] {
		m.add(fold("Words of "+codeHTML(list[i].Address), fence("text", managedLines(&list[i]))))
	}
}

// pageManaged is a template of the account on a page.
type pageManaged struct {
	Address, Status, Note string
	ObservedAt            time.Time
	Rows                  []managedRow
}

func pageTemplates(list []plan.Managed) (out []pageManaged, more int) {
	for i := range list[:min(len(list), maxManaged)] {
		m := &list[i]
		rows := managedRows(m)
		for j := range rows {
			rows[j].Value = cutText(rows[j].Value, 2*longLine)
		}
		out = append(out, pageManaged{Address: m.Address, Status: m.Status, Note: statusNote(&m.Observed), ObservedAt: m.ObservedAt.UTC(), Rows: rows})
	}
	return out, max(len(list)-maxManaged, 0)
}

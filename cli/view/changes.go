package view

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// diffLine is one line of a difference: Mark is '+', '-' or ' '.
type diffLine struct {
	Mark byte
	Text string
}

// changeLines shows a resource's change line by line: a message as the words of its
// picture, anything else as its source.
func changeLines(c *plan.ResourceChange, context int) []diffLine {
	var out []diffLine
	for _, note := range c.Notes {
		out = append(out, diffLine{' ', "# " + message.SafeText(note)})
	}
	if c.Change == plan.Import || c.Change == plan.Forget || c.Change == plan.Archive {
		return out
	}
	return append(out, diffLines(resourceLines(c.Type, c.Before), resourceLines(c.Type, c.After), context)...)
}

func resourceLines(resourceType string, t *lang.Tree) []string {
	switch {
	case t == nil:
		return nil
	case IsMessage(resourceType):
		return TreePicture(resourceType, t).Words()
	}
	lines := treeLines(t, 0)
	if t.Contacts > 0 {
		lines = append(lines, "# "+Plural(t.Contacts, "contact"))
	}
	return lines
}

// treeLines is a resource's content as a person would write it.
func treeLines(t *lang.Tree, indent int) []string {
	lead := strings.Repeat("  ", indent)
	var out []string
	for i := range t.Attributes {
		a := &t.Attributes[i]
		name := message.SafeText(a.Name)
		value, isText := text(a)
		switch {
		case isText && strings.Contains(value, "\n"):
			out = append(out, lead+name+" = <<EOT")
			for _, l := range strings.Split(strings.TrimSuffix(value, "\n"), "\n") {
				out = append(out, lead+"  "+message.SafeText(l))
			}
			out = append(out, lead+"EOT")
		default:
			out = append(out, lead+name+" = "+attributeValue(a))
		}
	}
	for i := range t.Blocks {
		b := &t.Blocks[i]
		head := message.SafeText(b.Type)
		for _, l := range b.Labels {
			head += " " + quote(l)
		}
		out = append(out, lead+head+" {")
		out = append(out, treeLines(&b.Tree, indent+1)...)
		out = append(out, lead+"}")
	}
	return out
}

// diffLines compares line by line and keeps context unchanged lines around each
// change. Omitted lines are counted.
func diffLines(before, after []string, context int) []diffLine {
	if len(before) == 0 || len(after) == 0 {
		var out []diffLine
		for _, l := range before {
			out = append(out, diffLine{'-', l})
		}
		for _, l := range after {
			out = append(out, diffLine{'+', l})
		}
		return out
	}
	if slices.Equal(before, after) {
		return nil
	}
	old := joined(before)
	unified, err := udiff.ToUnifiedDiff("", "", old, udiff.Lines(old, joined(after)), context)
	if err != nil {
		panic("view: edits of a difference do not fit its text: " + err.Error())
	}
	var out []diffLine
	at := 1
	for _, h := range unified.Hunks {
		if n := h.FromLine - at; n > 0 {
			out = append(out, unchanged(n))
		}
		at = h.FromLine
		for _, l := range h.Lines {
			mark := byte(' ')
			switch l.Kind {
			case udiff.Insert:
				mark = '+'
			case udiff.Delete:
				mark = '-'
			}
			if mark != '+' {
				at++
			}
			out = append(out, diffLine{mark, strings.TrimSuffix(l.Content, "\n")})
		}
	}
	if n := len(before) + 1 - at; n > 0 {
		out = append(out, unchanged(n))
	}
	return focused(out)
}

func joined(lines []string) string { return strings.Join(lines, "\n") + "\n" }

func unchanged(n int) diffLine {
	return diffLine{' ', fmt.Sprintf("# (%s)", Plural(n, "unchanged line"))}
}

const longLine = 240 // bytes above which a line is cut to what differs

// focused shortens long lines: a removed and an added line that belong together
// around their difference, others at the end.
func focused(lines []diffLine) []diffLine {
	for i := 0; i < len(lines); {
		from := i
		for i < len(lines) && lines[i].Mark == '-' {
			i++
		}
		removed := lines[from:i]
		mid := i
		for i < len(lines) && lines[i].Mark == '+' {
			i++
		}
		added := lines[mid:i]
		for k := range min(len(removed), len(added)) {
			removed[k].Text, added[k].Text = around(removed[k].Text, added[k].Text)
		}
		if i == from {
			i++
		}
	}
	for i := range lines {
		lines[i].Text = cutText(lines[i].Text, 2*longLine)
	}
	return lines
}

// around cuts most of the common beginning of two long lines.
func around(a, b string) (string, string) {
	if len(a) <= longLine && len(b) <= longLine {
		return a, b
	}
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	for same > 0 && same < len(a) && !utf8.RuneStart(a[same]) || same > 0 && same < len(b) && !utf8.RuneStart(b[same]) {
		same--
	}
	lead := max(same-40, 0)
	for lead > 0 && !utf8.RuneStart(a[lead]) {
		lead--
	}
	if lead < 20 {
		return a, b
	}
	return "…" + a[lead:], "…" + b[lead:]
}

// cutText cuts s to n bytes and says how many characters are omitted.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return fmt.Sprintf("%s… (%s)", s[:n], Plural(utf8.RuneCountInString(s[n:]), "more character"))
}

// changed are the resources that differ, campaigns last.
func (r *PlanReport) changed() []*plan.ResourceChange {
	var out []*plan.ResourceChange
	for i := range r.Plan.Resources {
		if r.Plan.Resources[i].Change != "no-op" {
			out = append(out, &r.Plan.Resources[i])
		}
	}
	for i := range r.Plan.Catalogs {
		products, _ := shownProducts(&r.Plan.Catalogs[i])
		for k := range products {
			out = append(out, &products[k])
		}
	}
	slices.SortStableFunc(out, func(a, b *plan.ResourceChange) int { return rank(a) - rank(b) })
	return out
}

// rank orders resources: what people receive first, then who receives it, then the
// rest.
func rank(c *plan.ResourceChange) int {
	switch {
	case IsMessage(c.Type):
		return 0
	case c.Type == "audience":
		return 1
	case c.Type == "reply_rule":
		return 2
	case c.Type == "campaign":
		return 4
	}
	return 3
}

// changeVerb says in words what happens to a resource.
func changeVerb(c *plan.ResourceChange) string {
	if c.Removed {
		return "removed, as its removed block says"
	}
	return map[string]string{"create": "added", "update": "changed", "delete": "removed", "move": "moved", "import": "taken over", "forget": "let go", "archive": "archived", "no-op": "unchanged"}[c.Change]
}

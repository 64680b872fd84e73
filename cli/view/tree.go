package view

import (
	"fmt"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// treeText draws the difference of a resource as Terraform does: a mark before what
// is new, changed or gone, aligned equal signs, and a count instead of what is
// unchanged.
type treeText struct {
	style Style
	b     *strings.Builder
	still bool // draws a resource as it is, without marks
	// contacts is the number of the resource's contact blocks, which are counted
	// instead of shown.
	contacts int
}

// mark is the coloured sign of a change.
func (s Style) mark(change string) string {
	switch change {
	case "create":
		return s.green("+")
	case "delete":
		return s.red("-")
	case "update", "move":
		return s.yellow("~")
	case "import":
		return s.green("&")
	case "forget", "archive":
		return s.yellow(".")
	}
	return " "
}

// resource draws a whole resource with its head.
func (t treeText) resource(head, change string, d plan.TreeDiff) {
	if len(d.Attributes)+len(d.Blocks)+t.contacts == 0 {
		t.line(2, t.style.mark(change), head+" {}")
		return
	}
	t.line(2, t.style.mark(change), head+" {")
	t.body(d, 6)
	if t.contacts > 0 {
		t.line(6, " ", t.style.dim("# "+Plural(t.contacts, "contact")))
	}
	t.b.WriteString("    }\n")
}

// body draws d's arguments and blocks; indent is the column of the marks.
func (t treeText) body(d plan.TreeDiff, indent int) {
	t.attributes(d.Attributes, indent)
	hidden := 0
	first := len(d.Attributes) > 0
	for _, block := range d.Blocks {
		if block.Change == "no-op" {
			hidden++
			continue
		}
		if first {
			t.b.WriteString("\n")
		}
		first = true
		t.block(block, indent)
	}
	if hidden > 0 {
		t.hidden(hidden, "block", indent)
	}
}

func (t treeText) attributes(list []plan.AttributeDiff, indent int) {
	width, hidden := 0, 0
	for _, a := range list {
		if a.Changed() {
			width = max(width, columns(a.Name))
		} else {
			hidden++
		}
	}
	for _, a := range list {
		if a.Changed() {
			t.attribute(a, width, indent)
		}
	}
	if hidden > 0 {
		t.hidden(hidden, "attribute", indent)
	}
}

func (t treeText) hidden(n int, noun string, indent int) {
	t.line(indent, " ", t.style.dim(fmt.Sprintf("# (%s hidden)", Plural(n, "unchanged "+noun))))
}

// attribute draws one changed argument. Texts of several lines are compared line by
// line.
func (t treeText) attribute(a plan.AttributeDiff, width, indent int) {
	name := pad(message.SafeText(a.Name), width)
	switch {
	case a.Before == nil:
		t.value(a, name, "create", indent)
	case a.After == nil:
		t.value(a, name, "delete", indent)
	default:
		before, okB := text(a.Before)
		after, okA := text(a.After)
		if okA && okB && (strings.Contains(before, "\n") || strings.Contains(after, "\n")) {
			t.heredoc(name, before, after, indent)
			return
		}
		t.line(indent, t.style.mark("update"), fmt.Sprintf("%s = %s %s %s", name,
			attributeValue(a.Before), t.style.yellow("->"), attributeValue(a.After)))
	}
}

func (t treeText) value(a plan.AttributeDiff, name, change string, indent int) {
	side := a.After
	if change == "delete" {
		side = a.Before
	}
	if s, ok := text(side); ok && strings.Contains(s, "\n") {
		t.line(indent, t.style.mark(change), name+" = <<-EOT")
		for _, l := range strings.Split(s, "\n") {
			t.line(indent+8, " ", message.SafeText(l))
		}
		t.line(indent+4, " ", "EOT")
		return
	}
	t.line(indent, t.style.mark(change), name+" = "+attributeValue(side))
}

// heredoc draws what changed between two texts, line by line.
func (t treeText) heredoc(name, before, after string, indent int) {
	t.line(indent, t.style.mark("update"), name+" = <<-EOT")
	edits := udiff.Strings(before+"\n", after+"\n")
	unified, err := udiff.ToUnifiedDiff("", "", before+"\n", edits, 1<<20)
	if err == nil {
		for _, hunk := range unified.Hunks {
			for _, l := range hunk.Lines {
				change := map[udiff.OpKind]string{udiff.Insert: "create", udiff.Delete: "delete"}[l.Kind]
				t.line(indent+6, t.style.mark(change), message.SafeText(strings.TrimSuffix(l.Content, "\n")))
			}
		}
	}
	t.line(indent+4, " ", "EOT")
}

func (t treeText) block(d plan.BlockDiff, indent int) {
	head := message.SafeText(d.Type)
	for _, l := range d.Labels {
		head += " " + quote(l)
	}
	if len(d.Tree.Attributes)+len(d.Tree.Blocks) == 0 {
		t.line(indent, t.style.mark(d.Change), head+" {}")
		return
	}
	t.line(indent, t.style.mark(d.Change), head+" {")
	t.body(d.Tree, indent+4)
	t.line(indent, " ", "}")
}

func (t treeText) line(indent int, mark, text string) {
	if t.still && mark != "" {
		mark = " "
	}
	t.b.WriteString(strings.TrimRight(strings.Repeat(" ", indent)+mark+" "+inert(text), " ") + "\n")
}

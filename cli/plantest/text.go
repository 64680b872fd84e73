package plantest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/reply"
)

// silences say why no rule is tried.
var silences = map[string]string{"handover": "handed over", "stop_word": "stop word: opted out, and told so once",
	reply.SpentBudget: "the reply budget is spent: handed over", reply.SpentAutomaton: "an automatic service writes: handed over"}

// Look says how replies are shown.
type Look struct {
	Draw   func(message.Message) string
	Bodies bool // also what is handed on, in full
}

// Told describes what the rules do with one message.
func (r *Reply) Told(look Look) string {
	b := &strings.Builder{}
	what := strconv.Quote(message.SafeText(r.Text))
	if r.Text == "" {
		what = "(" + message.SafeText(r.Type) + ")"
	}
	fmt.Fprintf(b, "%s  %s\n", message.SafeText(r.Event), what)
	switch {
	case r.Silent != "":
		fmt.Fprintf(b, "  no rule is tried: %s\n", silences[r.Silent])
	case len(r.Answers) == 0:
		b.WriteString("  no rule fires\n")
	}
	if r.Stop != "" && r.Silent == "" {
		what := "opted out"
		if r.unclear() {
			what = "marketing pauses, and the person is asked"
		}
		fmt.Fprintf(b, "  %s: it holds the stop word %q\n", what, r.Stop)
	}
	for i := range r.Answers {
		answerText(b, &r.Answers[i], look)
	}
	for _, p := range r.Passed {
		fmt.Fprintf(b, "  - %s: %s\n", p.Rule, message.SafeText(p.Reason))
	}
	b.WriteString("\n")
	return b.String()
}

func answerText(b *strings.Builder, r *Answer, look Look) {
	fmt.Fprintf(b, "  %s\n", r.Rule)
	switch {
	case r.Typing:
		b.WriteString("    marks the message as read, and shows that an answer is being written\n")
	case r.MarkRead:
		b.WriteString("    marks the message as read\n")
	}
	for _, l := range r.Lookups {
		fmt.Fprintf(b, "    looks up %s: %s %s\n", l.Name, l.Method, message.SafeText(l.URL))
	}
	if r.Forward != "" {
		fmt.Fprintf(b, "    forwards to %s\n", message.SafeText(r.Forward))
		if look.Bodies {
			fmt.Fprintf(b, "      %s\n", message.SafeText(string(r.Handed)))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(r.Set)) {
		fmt.Fprintf(b, "    sets %s = %q\n", k, message.SafeText(r.Set[k]))
	}
	if r.Handover {
		b.WriteString("    hands over to a person\n")
	}
	switch {
	case r.Error != "":
		fmt.Fprintf(b, "    cannot be carried out: %s\n", message.SafeText(r.Error))
	case r.Rendered != nil:
		fmt.Fprintf(b, "    answers with %s%s:\n%s", r.Message, quoting(r.Rendered), Indent(look.Draw(r.Rendered)))
	}
}

// quoting says which message an answer quotes; "" for none.
func quoting(m message.Message) string {
	id := message.EnvelopeOf(m).Quote
	if id == "" {
		return ""
	}
	return ", quoting " + message.SafeText(id)
}

// Indent indents lines by two spaces.
func Indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n  ") + "\n"
}

package view

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// AppliedTemplate is what an apply did with one translation of a template block, or
// with an object of a number or account.
type AppliedTemplate struct {
	Address string        `json:"address"`
	Did     string        `json:"did"`
	Status  string        `json:"status,omitempty"`
	ID      string        `json:"id,omitempty"`
	Detail  string        `json:"detail,omitempty"`
	Took    time.Duration `json:"-"`
}

// Line describes the step in one line, in Terraform's words.
func (t *AppliedTemplate) Line() string {
	out := message.SafeText(t.Address) + ": "
	switch t.Did {
	case "creating":
		return out + "Creating..."
	case "editing":
		return out + "Modifying..."
	case "deleting":
		return out + "Deleting..."
	case "archiving":
		return out + "Archiving..."
	case "created", "edited":
		out += map[string]string{"created": "Creation", "edited": "Modifications"}[t.Did] + " complete" + took(t.Took)
	case "waiting":
		out += "Still waiting for approval..."
	case "approved":
		out += "Approved" + took(t.Took)
	case "adopted":
		out += "Taken over"
	case "forgotten":
		out += "Forgotten"
	case "deleted":
		out += "Deleted"
	case "archived":
		out += "Archived"
	case "kept":
		out += "Kept"
	case "moved":
		out += "Moved"
	case "late":
		out += "Not approved yet"
	default:
		out += "Failed"
	}
	var facts []string
	if t.ID != "" {
		facts = append(facts, "id="+message.SafeText(t.ID))
	}
	if t.Status != "" {
		facts = append(facts, "status="+message.SafeText(t.Status))
	}
	if len(facts) > 0 {
		out += " [" + strings.Join(facts, ", ") + "]"
	}
	return out
}

func (t *AppliedTemplate) bad() bool { return t.Did == "failed" || t.Did == "late" }

// templateSteps writes steps at the end of an apply.
func templateSteps(b *strings.Builder, s Style, list []AppliedTemplate) {
	if len(list) == 0 {
		return
	}
	b.WriteString("\n")
	for i := range list {
		t := &list[i]
		line := t.Line()
		if t.bad() {
			line = s.yellow(line)
		}
		fmt.Fprintf(b, "  %s\n", line)
		if t.Detail != "" {
			for _, l := range wrap(message.SafeText(t.Detail), s.textWidth()-4) {
				fmt.Fprintf(b, "    %s\n", l)
			}
		}
	}
}

// Template writes one step of a template.
func (a *ApplyStream) Template(t *AppliedTemplate) { a.step("template", t) }

// Singleton writes one step of an object of a number or account.
func (a *ApplyStream) Singleton(t *AppliedTemplate) { a.step("singleton", t) }

func (a *ApplyStream) step(kind string, t *AppliedTemplate) {
	level := "info"
	if t.bad() {
		level = "error"
	}
	a.stream.write(level, kind+"_step", t.Line(), field{kind, t})
}

// ManagedResource converts a managed object of an account, as the state has it, for
// "state show".
func ManagedResource(m *state.Managed) ResourceReport {
	out := ResourceReport{Address: m.Address, Values: &lang.Tree{}}
	add := func(name, value string) {
		if value == "" {
			return
		}
		out.Values.Attributes = append(out.Values.Attributes, lang.TextAttribute(name, value))
	}
	add("provider", m.Provider)
	add("account", m.Account)
	add("key", m.Key)
	add("id", m.RemoteID)
	add("status", m.Status)
	add("category", m.Category)
	if m.Known() {
		add("since", m.Since.UTC().Format(time.RFC3339))
		add("observed_at", m.ObservedAt.UTC().Format(time.RFC3339))
	}
	for _, at := range m.Edits {
		add("edited", at.UTC().Format(time.RFC3339))
	}
	if m.Intent != nil {
		add("intent", m.Intent.Change+" at "+m.Intent.At.UTC().Format(time.RFC3339))
	}
	var v account.Values
	if kind := account.SingletonOf(m.Kind); kind != nil && json.Unmarshal(m.Declared, &v) == nil {
		out.Values.Blocks = append(out.Values.Blocks, lang.Block{Type: "declared", Tree: lang.Tree{Attributes: plan.ValueAttributes(kind, v)}})
	}
	return out
}

// TemplatesImported is the final report of "import" with an address and an id.
type TemplatesImported struct {
	Templates []AppliedTemplate `json:"templates"`
}

// Text says what was taken over.
func (r *TemplatesImported) Text(w io.Writer, _ Style) error {
	var b strings.Builder
	for i := range r.Templates {
		imported(&b, r.Templates[i].Line(), r.Templates[i].Detail)
	}
	return say(w, b.String()+importedEnd)
}

// importedEnd ends the report of what was taken over.
const importedEnd = "\nImported. \"handbill plan\" shows what is left to change.\n"

// imported writes what was taken over, with a detail; "" for none.
func imported(b *strings.Builder, line, detail string) {
	b.WriteString(line + "\n")
	if detail != "" {
		b.WriteString("  " + message.SafeText(detail) + "\n")
	}
}

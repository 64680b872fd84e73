package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// TemplateStatus is one language of a declared template as the account was last known
// to hold it: read, or reported by a webhook since.
type TemplateStatus struct {
	Address   string `json:"address"`
	Status    string `json:"status"`
	Reason    string `json:"reason,omitempty"`
	Category  string `json:"category"`
	Announced string `json:"announced_category,omitempty"`
	Quality   string `json:"quality,omitempty"` // as a webhook reported it; "" for nothing
	// ContentChanged says that a webhook reported other words than were read.
	ContentChanged bool      `json:"content_changed,omitempty"`
	At             time.Time `json:"at"`
	Webhook        bool      `json:"by_webhook"`
}

// NewTemplateStatus joins what webhooks reported to what the state keeps of a template.
func NewTemplateStatus(m *state.Managed, told *state.ToldTemplate) TemplateStatus {
	t := TemplateStatus{Address: m.Address, Status: m.Status, Category: m.Category, At: m.ObservedAt.UTC()}
	if told.Status.Word != "" {
		t.Status, t.Reason, t.At = told.Status.Word, told.Status.Reason, told.Status.At.UTC()
	}
	if told.Category.Word != "" {
		t.Category = told.Category.Word
	}
	t.Announced, t.Quality, t.ContentChanged = told.Announced.Word, told.Quality.Word, !told.Content.IsZero()
	if newest := told.Newest(); !newest.IsZero() {
		t.At, t.Webhook = newest.UTC(), true
	}
	return t
}

// notes are what a person should know of it; nothing where all is as it should be.
func (t *TemplateStatus) notes() []string {
	var out []string
	held := account.Template{Status: t.Status, Reason: t.Reason}
	if held.State() != account.Sendable {
		out = append(out, message.SafeText(held.Says()))
	}
	if t.Announced != "" && t.Announced != t.Category {
		out = append(out, "Meta will count it as "+message.SafeText(t.Announced)+", which changes its price and whom it reaches.")
	}
	if t.Quality == "RED" || t.Quality == "YELLOW" {
		out = append(out, "Its quality is "+t.Quality+": people block or report it, and Meta may pause it.")
	}
	if t.ContentChanged {
		out = append(out, "Its words were changed in the account: \"handbill plan\" shows how.")
	}
	return out
}

// head is the template's line.
func (t *TemplateStatus) head() string {
	by := "read"
	if t.Webhook {
		by = "reported"
	}
	return fmt.Sprintf("%s  %s, %s  %s %s", message.SafeText(t.Address), message.SafeText(t.Status), message.SafeText(t.Category), by, stamp(t.At))
}

// noted are the templates of which a person should know something.
func noted(list []TemplateStatus) (out []TemplateStatus) {
	for i := range list {
		if len(list[i].notes()) > 0 {
			out = append(out, list[i])
		}
	}
	return out
}

// templateLines writes the lines of status about templates.
func templateLines(b *strings.Builder, s Style, list []TemplateStatus) {
	some := noted(list)
	if len(some) == 0 {
		return
	}
	b.WriteString("\nTemplates to look at:\n")
	for i := range some[:min(len(some), maxManaged)] {
		fmt.Fprintf(b, "  %s\n", some[i].head())
		for _, note := range some[i].notes() {
			for _, l := range wrap(note, s.textWidth()-6) {
				fmt.Fprintf(b, "      %s\n", l)
			}
		}
	}
	if more := len(some) - maxManaged; more > 0 {
		fmt.Fprintf(b, "  and %s\n", Plural(more, "more template"))
	}
}

// statusTemplate is a row of the page.
type statusTemplate struct{ Head, Notes string }

func pageStatusTemplates(list []TemplateStatus) (out []statusTemplate) {
	some := noted(list)
	for i := range some[:min(len(some), maxManaged)] {
		out = append(out, statusTemplate{some[i].head(), strings.Join(some[i].notes(), " ")})
	}
	return out
}

package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/message"
)

// observedAge is the most age that an account's report may have when it is applied.
const observedAge = 5 * time.Minute

// ChangedError says that a template of an account has changed since the plan was
// made.
type ChangedError struct{ Detail string }

// Error returns a sentence that says what changed and what to do.
func (e *ChangedError) Error() string {
	return "the plan is stale: " + e.Detail + ". Nothing was sent; run `handbill plan` again"
}

// SameTemplates compares the templates that the plan relies on with those that
// accounts hold at now, unless the plan's report is newer than observedAge. read
// returns what the account of a number reports, by the number's address. An error is
// a *ChangedError, or says what could not be read.
func (p *Plan) SameTemplates(now time.Time, read func(provider string) *Observed) error {
	now = now.Round(0) // by the wall, as a saved plan has it
	for i := range p.Managed {
		m := &p.Managed[i]
		if age := now.Sub(m.ObservedAt); age >= 0 && age <= observedAge {
			continue
		}
		if m.Kind != "template" {
			continue // apply reads a catalog again before it changes it
		}
		seen := read(m.Provider)
		if seen.Err != nil {
			return fmt.Errorf("the templates of the account of %s were read at %s, and could not be read again, so nothing was sent: %w",
				m.Provider, m.ObservedAt.UTC().Format(time.RFC3339), seen.Err)
		}
		held := account.Find(seen.Templates, m.Observed.Name, m.Observed.Language)
		if held == nil {
			return &ChangedError{fmt.Sprintf("the account no longer has the template %s in %s", m.Observed.Name, message.SafeText(m.Observed.Language))}
		}
		if !m.Observed.Same(held) {
			return &ChangedError{fmt.Sprintf("the template %s in %s is not the one that was planned: %s", m.Observed.Name, message.SafeText(held.Language), difference(&m.Observed, held))}
		}
	}
	return nil
}

// difference says in what two readings of a template differ.
func difference(was, is *account.Template) string {
	var parts []string
	for _, f := range []struct{ name, was, is string }{
		{"status", was.Status, is.Status}, {"category", was.Category, is.Category}, {"announced category", was.CorrectCategory, is.CorrectCategory},
	} {
		if f.was != f.is {
			parts = append(parts, fmt.Sprintf("its %s was %q and is %q", f.name, message.SafeText(f.was), message.SafeText(f.is)))
		}
	}
	if len(parts) == 0 {
		return "its content has changed"
	}
	return strings.Join(parts, ", ")
}

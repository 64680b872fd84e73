package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/message"
)

// category requires that the declared category is the one in the account, unless
// the configuration has just changed it.
func (s *settling) category() bool {
	if s.spec.Category == s.held.Category {
		return true
	}
	held := message.SafeText(s.held.Category)
	changeable := s.held.Status == "REJECTED" || s.held.Status == "PAUSED"
	switch declared := s.row != nil && s.was.Category != s.spec.Category; {
	case declared && changeable:
		return true
	case declared && s.was.Category == s.held.Category:
		s.fail("template_category", "The account holds it as %q, and the category of a template that is %s can't be changed: write the new one under a new name, such as name = %q.",
			held, message.SafeText(s.held.Status), s.spec.Name+"_v2")
	default:
		s.fail("template_category", "It is declared as %q, and the account holds it as %q: Meta decides that. Price, consent, and whether it reaches numbers of the United States depend on it: write category = %q.%s",
			s.spec.Category, held, held, s.compared(s.spec.Category, s.held.Category))
	}
	return false
}

// The budget of edits of an approved template. Source: Meta,
// template-management, 2026-09-11.
const (
	editsPerMonth = 10
	editMonth     = 30 * 24 * time.Hour
	editDay       = 24 * time.Hour
)

// edit checks an edit for what would be refused.
func (s *settling) edit(able account.Abilities) string {
	switch {
	case able.Edit != "":
		s.fail("template_capability", "Its words have changed, and it can't be edited: %s", ended(able.Edit))
		return ""
	case s.held.State() == account.Pending:
		s.fail("template_in_review", "Its words have changed, and Meta still reviews the ones before (%s): it can be edited when that is over.", message.SafeText(s.held.Status))
		return ""
	case s.held.Status != "APPROVED" && s.held.Status != "REJECTED" && s.held.Status != "PAUSED":
		s.fail("template_unusable", "Its words have changed, and the account holds it as %s, which can't be edited. %s", message.SafeText(s.held.Status), s.held.Says())
		return ""
	}
	if s.held.Status != "APPROVED" {
		return Update
	}
	used, next := s.budget()
	if !next.IsZero() {
		s.fail("template_edits", "Its words have changed, and an approved template may be edited once in 24 hours and %d times in 30 days: the next time is after %s.", editsPerMonth, next.UTC().Format(time.RFC3339))
		return ""
	}
	s.c.Notes = append(s.c.Notes, fmt.Sprintf("edits = %d of %d in 30 days", used+1, editsPerMonth))
	return Update
}

// budget counts the edits of the last 30 days, and returns when the next one is
// possible; zero for now.
func (s *settling) budget() (used int, next time.Time) {
	var recent []time.Time
	for _, at := range s.row.Edits {
		if age := s.in.At.Sub(at); age < editMonth {
			recent = append(recent, at)
		}
	}
	slices.SortFunc(recent, time.Time.Compare)
	if n := len(recent); n > 0 && s.in.At.Sub(recent[n-1]) < editDay {
		next = recent[n-1].Add(editDay)
	}
	if n := len(recent); n >= editsPerMonth {
		if at := recent[n-editsPerMonth].Add(editMonth); at.After(next) {
			next = at
		}
	}
	return len(recent), next
}

// drift records where the account differs from the state.
func (s *settling) drift() {
	if s.row == nil || s.held == nil || len(s.row.Observed) == 0 {
		return
	}
	var was account.Template
	if json.Unmarshal(s.row.Observed, &was) != nil {
		return // the record of the last reading decides nothing
	}
	var fields []DriftField
	add := func(name, before, after, note string) {
		if before != after {
			fields = append(fields, DriftField{name, message.SafeText(before), message.SafeText(after), note})
		}
	}
	// A template in review was expected to change.
	if was.State() != account.Pending || s.held.State() != account.Sendable {
		add("status", was.Status, s.held.Status, s.held.Says())
	}
	add("category", was.Category, s.held.Category, "declared: "+s.spec.Category)
	if was.Body != s.held.Body {
		add("body", was.Body, s.held.Body, "")
	} else if !was.SameWords(s.held) {
		add("content", digestOfWords(&was), digestOfWords(s.held), "header, footer, buttons or time to live")
	}
	if len(fields) > 0 {
		s.plan.Drift = append(s.plan.Drift, Drift{Address: s.tr.Address(), Type: "template", Fields: fields})
	}
}

// digestOfWords identifies what a template says, whatever its status.
func digestOfWords(t *account.Template) string {
	b, err := json.Marshal(t.Words())
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"
)

// Template is one language of a template that the account has, in Meta's words.
type Template struct {
	Name            string          `json:"name"`
	Language        string          `json:"language"`
	Status          string          `json:"status,omitempty"`   // "" is APPROVED
	Category        string          `json:"category,omitempty"` // "" is MARKETING
	CorrectCategory string          `json:"correct_category,omitempty"`
	Format          string          `json:"parameter_format,omitempty"` // "" is POSITIONAL
	Quality         string          `json:"quality,omitempty"`          // "" is UNKNOWN
	Reason          string          `json:"rejected_reason,omitempty"`  // "" is NONE
	TTL             int             `json:"message_send_ttl_seconds,omitempty"`
	Components      json.RawMessage `json:"components,omitempty"`

	id    string
	since time.Time // when it was added
}

// Review is what Meta decides about templates some time after they were added.
type Review struct {
	Match   TemplateMatch `json:"match"`
	After   Duration      `json:"after,omitempty"`
	Outcome string        `json:"outcome"`            // a key of outcomes
	Reason  string        `json:"reason,omitempty"`   // of a rejection
	To      string        `json:"category,omitempty"` // with "recategorize" and "notice"
}

// EditByHand is what somebody does in WhatsApp Manager.
type EditByHand struct {
	Match      TemplateMatch   `json:"match"`
	After      Duration        `json:"after,omitempty"`
	Components json.RawMessage `json:"components,omitempty"`
	Delete     bool            `json:"delete,omitempty"`
}

// TemplateMatch chooses templates; empty fields match all.
type TemplateMatch struct {
	Name     string `json:"name,omitempty"`
	Language string `json:"language,omitempty"`
}

func (m TemplateMatch) fits(t *Template) bool {
	return (m.Name == "" || m.Name == t.Name) && (m.Language == "" || m.Language == t.Language)
}

// Duration is a time.Duration that JSON writes as "10m".
type Duration time.Duration

// UnmarshalJSON reads "10m".
func (d *Duration) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, err := time.ParseDuration(s)
	*d = Duration(v)
	return err
}

// outcomes are what a Review may decide, and the status that follows; "" for
// none of its own.
var outcomes = map[string]string{
	"approve": "APPROVED", "reject": "REJECTED", "pause": "PAUSED", "disable": "DISABLED", "archive": "ARCHIVED",
	"appeal": "IN_APPEAL", "recategorize": "", "notice": "",
}

// outcomeNames are the outcomes of reviews.
func outcomeNames() []string {
	out := make([]string, 0, len(outcomes))
	for name := range outcomes {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

func (s *Script) checkTemplates() []error {
	var errs []error
	for i, t := range s.Templates {
		if err := t.check(); err != nil {
			errs = append(errs, fmt.Errorf("sandbox script: template %d: %w", i+1, err))
		}
	}
	for i, r := range s.Review {
		if _, known := outcomes[r.Outcome]; !known {
			errs = append(errs, fmt.Errorf("sandbox script: review %d: outcome is one of %s", i+1, strings.Join(outcomeNames(), ", ")))
		}
	}
	for i, e := range s.EditByHand {
		if e.Components != nil {
			if _, err := componentsOf(e.Components); err != nil {
				errs = append(errs, fmt.Errorf("sandbox script: edit_by_hand %d: %w", i+1, err))
			}
		}
	}
	return errs
}

func (t *Template) check() error {
	if !templateName.MatchString(t.Name) || !languageCode.MatchString(t.Language) {
		return errors.New("a template needs a name and a language as Meta writes them")
	}
	_, err := componentsOf(t.Components)
	return err
}

// registry is what the account holds. It is safe for concurrent use.
type registry struct {
	key     uint64
	clock   func() time.Time
	reviews []Review
	edits   []EditByHand

	mu   sync.Mutex
	list []Template // in the order in which they were added
}

func newRegistry(script *Script, key uint64, clock func() time.Time) *registry {
	r := &registry{key: key, clock: clock}
	if script == nil {
		return r
	}
	r.reviews, r.edits = script.Review, script.EditByHand
	for _, t := range script.Templates {
		r.put(t)
	}
	return r
}

// put adds a template, or changes the fields that are given of the one of that
// name and language.
func (r *registry) put(t Template) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.list {
		if old := &r.list[i]; old.Name == t.Name && old.Language == t.Language {
			old.change(&t)
			return
		}
	}
	t.fill("APPROVED", "MARKETING")
	t.since = r.clock().Round(0) // by the wall, which a test moves
	t.id = digits(hashString(r.key, t.Name+"/"+t.Language), 15)
	r.list = append(r.list, t)
}

func (t *Template) fill(status, category string) {
	for _, f := range []struct {
		field     *string
		otherwise string
	}{{&t.Status, status}, {&t.Category, category}, {&t.Format, "POSITIONAL"}, {&t.Quality, "UNKNOWN"}, {&t.Reason, "NONE"}} {
		if *f.field == "" {
			*f.field = f.otherwise
		}
		*f.field = strings.ToUpper(*f.field)
	}
	if t.Components == nil {
		t.Components = json.RawMessage(`[]`)
	}
}

// change takes over what other gives.
func (t *Template) change(other *Template) {
	for _, f := range []struct {
		field *string
		given string
	}{{&t.Status, other.Status}, {&t.Category, other.Category}, {&t.CorrectCategory, other.CorrectCategory}, {&t.Format, other.Format},
		{&t.Quality, other.Quality}, {&t.Reason, other.Reason}} {
		if f.given != "" {
			*f.field = strings.ToUpper(f.given)
		}
	}
	if other.Components != nil {
		t.Components = other.Components
	}
}

// at is the account as it is at a moment: what was added, and what reviews and
// hands have done since.
func (r *registry) at(now time.Time) []Template {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]Template, 0, len(r.list))
	for _, t := range r.list {
		if r.pass(&t, now.Round(0).Sub(t.since)) {
			out = append(out, t)
		}
	}
	return out
}

// pass lets time pass for a template; false when it is deleted.
func (r *registry) pass(t *Template, age time.Duration) bool {
	for _, v := range r.reviews {
		if !v.Match.fits(t) || age < time.Duration(v.After) {
			continue
		}
		switch v.Outcome {
		case "recategorize":
			t.Category, t.CorrectCategory = strings.ToUpper(v.To), ""
		case "notice":
			t.CorrectCategory = strings.ToUpper(v.To)
		default:
			t.Status = outcomes[v.Outcome]
		}
		if v.Outcome == "reject" {
			t.Reason = strings.ToUpper(v.Reason)
		}
	}
	for _, e := range r.edits {
		if !e.Match.fits(t) || age < time.Duration(e.After) {
			continue
		}
		if e.Delete {
			return false
		}
		t.Components = e.Components
	}
	return true
}

// Templates are the account's templates as they are now.
func (s *Sandbox) Templates() []Template { return s.templates.at(s.opt.Clock()) }

// PutTemplate adds a template to the account, or changes the fields that are
// given of the one of that name and language.
func (s *Sandbox) PutTemplate(t Template) error {
	if err := t.check(); err != nil {
		return err
	}
	s.templates.put(t)
	return nil
}

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

	id      string
	since   time.Time // when it was added
	review  time.Time // when its content was last submitted
	edits   []time.Time
	decided map[int]bool // reviews that happened since it was submitted
	handled map[int]bool // edits by hand that happened
	written bool         // over the wire; else by a script or the page
	known   bool         // it was approved once
	gone    bool
	before  string // category before Meta changed it
}

// Review is what Meta decides about templates some time after their content was
// submitted: added, created or edited.
type Review struct {
	Match   TemplateMatch `json:"match"`
	After   Duration      `json:"after,omitempty"`
	Outcome string        `json:"outcome"`            // a key of outcomes
	Reason  string        `json:"reason,omitempty"`   // of a rejection
	To      string        `json:"category,omitempty"` // with "recategorize" and "notice"
}

// EditByHand is what somebody does in WhatsApp Manager some time after a
// template was added, once.
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

// outcomes maps what a Review may decide to the status that follows; "" when the
// outcome sets no fixed status.
var outcomes = map[string]string{
	"approve": "APPROVED", "reject": "REJECTED", "pause": "PAUSED", "disable": "DISABLED", "archive": "ARCHIVED",
	"appeal": "IN_APPEAL", "recategorize": "", "notice": "",
}

// outcomeNames lists the outcomes of reviews.
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
	for i, l := range s.LostAnswer {
		if l.Call != "" && l.Call != callCreate && l.Call != callEdit && l.Call != callDelete && l.Call != callArchive {
			errs = append(errs, fmt.Errorf("sandbox script: lost_answer %d: call is create, edit, delete or archive", i+1))
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
	losses  []LostAnswer

	mu      sync.Mutex
	list    []*Template // in the order in which they were added
	lost    []int       // how often each of losses matched
	locked  map[string]time.Time
	created []time.Time // within the last hour
	handles map[string]bool
	uploads map[string]int // announced lengths by upload
	writes  []TemplateWrite
	// notify plans a webhook; nil before there are any. What make returns is posted,
	// nothing for nil.
	notify func(at time.Time, make func() *templateNotice)
}

func newRegistry(script *Script, key uint64, clock func() time.Time) *registry {
	r := &registry{key: key, clock: clock, locked: map[string]time.Time{}, handles: map[string]bool{}, uploads: map[string]int{}}
	if script == nil {
		return r
	}
	r.reviews, r.edits, r.losses = script.Review, script.EditByHand, script.LostAnswer
	r.lost = make([]int, len(r.losses))
	for _, t := range script.Templates {
		r.put(t)
	}
	return r
}

// now returns the wall-clock time; a test may move its clock.
func (r *registry) now() time.Time { return r.clock().Round(0) }

// put adds a template, or changes the given fields of the template with that name
// and language.
func (r *registry) put(t Template) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pass()
	if old := r.find(t.Name, t.Language); old != nil {
		was := *old
		old.change(&t)
		r.changed(old, &was)
		return
	}
	t.fill("APPROVED", "MARKETING")
	r.add(&t)
}

// add keeps a template that the account did not have; r.mu is held.
func (r *registry) add(t *Template) {
	t.since = r.now()
	t.review, t.decided, t.handled = t.since, map[int]bool{}, map[int]bool{}
	t.known = t.Status == "APPROVED"
	seed := t.Name + "/" + t.Language
	if n := r.before(t.Name, t.Language); n > 0 {
		seed += fmt.Sprintf("/%d", n)
	}
	t.id = digits(hashString(r.key, seed), 15)
	r.list = append(r.list, t)
	r.scheduleNotices(t)
}

// before counts the deleted templates of that name and language.
func (r *registry) before(name, language string) int {
	n := 0
	for _, t := range r.list {
		if t.Name == name && t.Language == language {
			n++
		}
	}
	return n
}

// find returns the template of that name and language, or nil. r.mu is held.
func (r *registry) find(name, language string) *Template {
	for _, t := range r.list {
		if !t.gone && t.Name == name && t.Language == language {
			return t
		}
	}
	return nil
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

// change copies the fields that other sets.
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
	t.known = t.known || t.Status == "APPROVED"
}

// at returns the account's templates as they are now, after all reviews and edits
// by hand that are due.
func (r *registry) at() []Template {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pass()
	out := make([]Template, 0, len(r.list))
	for _, t := range r.list {
		if !t.gone {
			out = append(out, *t)
		}
	}
	return out
}

// pass applies what is due to all templates; r.mu is held.
func (r *registry) pass() {
	now := r.now()
	for _, t := range r.list {
		if !t.gone {
			r.age(t, now)
		}
	}
}

// age applies the reviews and edits that are due for a template, each once.
func (r *registry) age(t *Template, now time.Time) {
	reviewed := false
	for i, v := range r.reviews {
		if !v.Match.fits(t) {
			continue
		}
		reviewed = true
		if !t.decided[i] && now.Sub(t.review) >= time.Duration(v.After) {
			t.decided[i] = true
			t.decide(&v)
		}
	}
	if t.written && !reviewed && t.Status == "PENDING" {
		t.decide(&Review{Outcome: "approve"}) // without a matching review it is approved at once
	}
	for i, e := range r.edits {
		if t.handled[i] || !e.Match.fits(t) || now.Sub(t.since) < time.Duration(e.After) {
			continue
		}
		t.handled[i] = true
		if e.Delete {
			r.remove(t)
			return
		}
		t.Components = e.Components
	}
}

func (t *Template) decide(v *Review) {
	switch v.Outcome {
	case "recategorize":
		t.before, t.Category, t.CorrectCategory = t.Category, strings.ToUpper(v.To), ""
	case "notice":
		t.CorrectCategory = strings.ToUpper(v.To)
	default:
		t.Status = outcomes[v.Outcome]
	}
	if v.Outcome == "reject" {
		t.Reason = strings.ToUpper(v.Reason)
	}
	t.known = t.known || t.Status == "APPROVED"
}

// Templates returns the account's templates as they are now.
func (s *Sandbox) Templates() []Template { return s.templates.at() }

// PutTemplate adds a template to the account, or changes the given fields of the
// template with that name and language.
func (s *Sandbox) PutTemplate(t Template) error {
	if err := t.check(); err != nil {
		return err
	}
	s.templates.put(t)
	return nil
}

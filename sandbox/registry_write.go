package sandbox

import (
	"encoding/json"
	"strings"
	"time"
)

// The calls that change templates.
const (
	callCreate  = "create"
	callEdit    = "edit"
	callDelete  = "delete"
	callArchive = "archive"
)

// LostAnswer makes a template change succeed, but cuts the connection before the
// answer.
type LostAnswer struct {
	Match TemplateMatch `json:"match"`
	Call  string        `json:"call,omitempty"`  // "create", "edit", "delete" or "archive"; "" for each
	First int           `json:"first,omitempty"` // the first n that match; 0 for all
}

// TemplateWrite is one request to create, edit or delete a template.
type TemplateWrite struct {
	Call     string // "create", "edit", "delete", "archive"
	Name     string
	Language string // "" for all languages
	Done     bool   // it was carried out
	Code     int    // Meta's code and subcode of a refusal
	Subcode  int
	Lost     bool // the answer was cut off
}

// TemplateWrites returns all requests to change templates, in the order in which
// they came.
func (s *Sandbox) TemplateWrites() []TemplateWrite {
	s.templates.mu.Lock()
	defer s.templates.mu.Unlock()
	return append([]TemplateWrite(nil), s.templates.writes...)
}

// templateBody is what a request to create or edit holds.
type templateBody struct {
	Name       string          `json:"name"`
	Language   string          `json:"language"`
	Category   string          `json:"category"`
	Format     string          `json:"parameter_format"`
	TTL        *int            `json:"message_send_ttl_seconds"`
	Components json.RawMessage `json:"components"`
}

// The limits of an account that is not verified. Source: Meta,
// template-management, read 2026-09-11.
const (
	maxTemplates   = 250
	maxCreations   = 100 // in an hour
	nameLock       = 30 * 24 * time.Hour
	editSpan       = 24 * time.Hour
	editMonth      = 30 * 24 * time.Hour
	maxEdits       = 10 // in editMonth
	sampleTemplate = "hello_world"
)

// subcode makes the refusal of a change. Source: Meta's answers as developers
// quote them, 2025 to 2026.
func subcode(sub int, text string) *refusal {
	return &refusal{code: 100, param: "Invalid parameter", subcode: sub, user: text}
}

// create adds a template on a request over the wire. When lost is true, the
// caller must cut off the answer.
func (r *registry) create(b *templateBody) (t Template, lost bool, bad *refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pass()
	made := &Template{Name: b.Name, Language: b.Language, Category: b.Category, Format: b.Format, Components: b.Components, written: true}
	if b.TTL != nil {
		made.TTL = *b.TTL
	}
	bad = r.mayCreate(b)
	if bad == nil {
		made.fill("PENDING", "")
		made.Components = r.readBack(made.Components)
		r.add(made)
		r.created = append(r.created, r.now())
	}
	return *made, r.wrote(callCreate, b.Name, b.Language, bad), bad
}

func (r *registry) mayCreate(b *templateBody) *refusal {
	if bad := b.check(r.handles); bad != nil {
		return bad
	}
	living, now := 0, r.now()
	for _, t := range r.list {
		if t.gone {
			continue
		}
		living++
		if t.Name != b.Name {
			continue
		}
		if t.Language == b.Language {
			return subcode(2388024, "There is already "+b.Language+" content for this template. You can create a new template and try again.")
		}
		if !strings.EqualFold(t.Category, b.Category) {
			return &refusal{code: 100, param: "The category " + strings.ToUpper(b.Category) + " doesn't match the one that's already associated with this template, " + t.Category}
		}
	}
	recent := 0
	for _, at := range r.created {
		if now.Sub(at) < time.Hour {
			recent++
		}
	}
	switch {
	case now.Before(r.locked[b.Name+"/"+b.Language]):
		return subcode(2388023, "New "+b.Language+" content can't be added while the existing "+b.Language+" content is being deleted. Try again in 4 weeks or consider creating a new message template.")
	case living >= maxTemplates:
		return subcode(2388019, "This WhatsApp Business account has reached its limit of templates.")
	case recent >= maxCreations:
		return &refusal{code: 80008, param: "There have been too many calls to this WhatsApp Business account"}
	}
	return nil
}

// edit changes a template by its id.
func (r *registry) edit(id string, b *templateBody) (lost bool, bad *refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pass()
	t := r.byID(id)
	if t == nil {
		return false, &refusal{code: 100, param: "Unsupported post request. Object with ID '" + id + "' does not exist", subcode: 33}
	}
	if bad = r.mayEdit(t, b); bad == nil {
		r.change(t, b)
	}
	return r.wrote(callEdit, t.Name, t.Language, bad), bad
}

func (r *registry) change(t *Template, b *templateBody) {
	now := r.now()
	if t.Status == "APPROVED" {
		t.edits = append(t.edits, now)
	}
	if b.TTL != nil {
		t.TTL = *b.TTL
	}
	if b.Category != "" {
		t.Category = strings.ToUpper(b.Category)
	}
	if b.Format != "" {
		t.Format = strings.ToUpper(b.Format)
	}
	if b.Components != nil {
		t.Components = r.readBack(b.Components)
	}
	t.Status, t.Reason, t.review, t.decided, t.written = "PENDING", "NONE", now, map[int]bool{}, true
	r.scheduleNotices(t)
}

func (r *registry) mayEdit(t *Template, b *templateBody) *refusal {
	now, day, month := r.now(), 0, 0
	for _, at := range t.edits {
		if now.Sub(at) < editSpan {
			day++
		}
		if now.Sub(at) < editMonth {
			month++
		}
	}
	switch {
	case t.Status != "APPROVED" && t.Status != "REJECTED" && t.Status != "PAUSED", t.Status == "APPROVED" && (day > 0 || month >= maxEdits):
		return subcode(2388039, "This template can't be edited at the moment.")
	case t.Status == "APPROVED" && b.Category != "" && !strings.EqualFold(b.Category, t.Category):
		return subcode(2388039, "The category of an approved template can't be changed.")
	}
	whole := templateBody{Name: t.Name, Language: t.Language, Category: t.Category, Format: t.Format, TTL: b.TTL, Components: b.Components}
	if b.Category != "" {
		whole.Category = b.Category
	}
	if b.Format != "" {
		whole.Format = b.Format
	}
	if b.Components == nil {
		return whole.checkHead()
	}
	return whole.check(r.handles)
}

// delete removes one language of a template by its id, or all of a name.
func (r *registry) delete(name, id string) (lost bool, bad *refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pass()
	var doomed []*Template
	language := ""
	for _, t := range r.list {
		if !t.gone && t.Name == name && (id == "" || t.id == id) {
			doomed = append(doomed, t)
		}
		if t.id == id && id != "" {
			language = t.Language
		}
	}
	if len(doomed) == 0 {
		bad = &refusal{code: 100, param: "Invalid parameter", subcode: 2593002, user: "Message template could not be found"}
	}
	for _, t := range doomed {
		switch {
		case t.Name == sampleTemplate:
			bad = subcode(2388094, "A sample template can't be deleted.")
		case t.Status == "DISABLED":
			bad = &refusal{code: 100, param: "A disabled template can't be deleted"}
		}
	}
	if bad == nil {
		for _, t := range doomed {
			r.remove(t)
		}
	}
	return r.wrote(callDelete, name, language, bad), bad
}

// archive archives templates by their ids, each for itself. Only approved and
// rejected ones can be archived. Source: Meta, template-archival, read 2026-06-02.
func (r *registry) archive(ids []string) (done []string, failed map[string]string, lost bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pass()
	done, failed = []string{}, map[string]string{}
	for _, id := range ids {
		t := r.byID(id)
		var bad *refusal
		switch {
		case t == nil:
			failed[id] = "Template not found"
			continue
		case t.Status != "APPROVED" && t.Status != "REJECTED":
			bad = &refusal{code: 100}
			failed[id] = "Only approved and rejected templates can be archived"
		default:
			t.Status = "ARCHIVED"
			done = append(done, id)
		}
		lost = r.wrote(callArchive, t.Name, t.Language, bad) || lost
	}
	return done, failed, lost
}

// remove deletes a template. Its name is blocked if it was ever approved.
func (r *registry) remove(t *Template) {
	t.gone = true
	if t.known {
		r.locked[t.Name+"/"+t.Language] = r.now().Add(nameLock)
	}
}

func (r *registry) byID(id string) *Template {
	for _, t := range r.list {
		if !t.gone && t.id == id {
			return t
		}
	}
	return nil
}

// wrote records a request and reports whether its answer is lost; r.mu is held.
func (r *registry) wrote(call, name, language string, bad *refusal) (lost bool) {
	w := TemplateWrite{Call: call, Name: name, Language: language, Done: bad == nil}
	if bad != nil {
		w.Code, w.Subcode = bad.code, bad.subcode
	}
	at := Template{Name: name, Language: language}
	for i, l := range r.losses {
		if l.Call != "" && l.Call != call || !l.Match.fits(&at) {
			continue
		}
		r.lost[i]++
		w.Lost = w.Lost || l.First == 0 || r.lost[i] <= l.First
	}
	r.writes = append(r.writes, w)
	return w.Lost
}

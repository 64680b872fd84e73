// Package account describes what is stored in a WhatsApp account: templates in one
// form for all providers, whether they may be sent, and whether a message fits one.
// It makes no requests.
package account

import (
	"encoding/json"
	"slices"
	"strings"
)

// Template is one language of a template as the account holds it, in one form for
// all providers: Meta's keywords have one case, defaults are filled in, and parts
// are in the order of a message.
type Template struct {
	ID       string `json:"id,omitempty"` // Meta's, of this language; "" if the provider does not report it
	Name     string `json:"name"`
	Language string `json:"language"`
	// Status is Meta's word in upper case, such as "APPROVED"; it may be one that
	// this package does not know. See State.
	Status string `json:"status"`
	// Category is "marketing", "utility" or "authentication", or another word of
	// Meta's in lower case.
	Category string `json:"category"`
	// CorrectCategory is the category that Meta considers right but has not applied
	// yet; "" for none.
	CorrectCategory string `json:"correct_category,omitempty"`
	// Quality is "GREEN", "YELLOW", "RED" or "UNKNOWN"; "" if it is not reported.
	Quality string `json:"quality,omitempty"`
	// Reason is why it was rejected, in Meta's word; "" for none.
	Reason string `json:"reason,omitempty"`
	// Named says that parameters have names; otherwise they are numbered from 1.
	Named bool `json:"named,omitempty"`
	// TTL is how long delivery is tried, in seconds; 0 for Meta's default.
	TTL int `json:"ttl,omitempty"`
	Content
	// Offer says that it is a limited-time offer; Expires, that messages say when
	// the offer ends.
	Offer   bool   `json:"offer,omitempty"`
	Expires bool   `json:"expires,omitempty"`
	Footer  string `json:"footer,omitempty"`
	Cards   []Card `json:"cards,omitempty"`
	// Strange are parts of kinds that this package does not know. Fit does not
	// check them.
	Strange []string `json:"strange,omitempty"`
	// Other are the fields that this package does not use, unchanged.
	Other map[string]json.RawMessage `json:"other,omitempty"`
	// Told are the components as the account reported them, for Spec. They are not
	// stored, and not compared: addresses of samples in them change with each read.
	Told json.RawMessage `json:"-"`
}

// Content is what a template and each of its cards have.
type Content struct {
	Header  *Header  `json:"header,omitempty"`
	Body    string   `json:"body,omitempty"`
	Buttons []Button `json:"buttons,omitempty"`
}

// Card is one card of a carousel.
type Card struct{ Content }

// Header is the header of a template. Its sample for review is not kept, because
// Meta returns another URL for it with each read.
type Header struct {
	Format string `json:"format"` // "text", "image", "video", "gif", "document", "location", "product"
	Text   string `json:"text,omitempty"`
}

// Button is a button of a template, at its index.
type Button struct {
	Type string `json:"type"` // "quick_reply", "url", "phone_number", "otp", …
	Text string `json:"text,omitempty"`
	URL  string `json:"url,omitempty"`
	// Phone is the number that a button of the type "phone_number" calls.
	Phone string `json:"phone_number,omitempty"`
}

// The categories of templates.
const (
	Marketing      = "marketing"
	Utility        = "utility"
	Authentication = "authentication"
)

// Same reports whether t and o are the same for reviewers and senders. It ignores
// fields that change by themselves and do not matter: the quality, and fields that
// this package does not use.
func (t *Template) Same(o *Template) bool {
	a, err := json.Marshal(t.decided())
	b, err2 := json.Marshal(o.decided())
	return err == nil && err2 == nil && string(a) == string(b)
}

// decided is t without what Same leaves out.
func (t *Template) decided() *Template {
	out := *t
	out.Quality, out.Other = "", nil
	return &out
}

// Decided is t for a digest: without what Same leaves out.
func (t *Template) Decided() Template { return *t.decided() }

// Find returns the template with that name and language; nil if there is none.
func Find(list []Template, name, language string) *Template {
	for i := range list {
		if list[i].Name == name && list[i].Language == language {
			return &list[i]
		}
	}
	return nil
}

// Languages returns the languages in which list has the template of that name,
// sorted.
func Languages(list []Template, name string) []string {
	var out []string
	for i := range list {
		if list[i].Name == name {
			out = append(out, list[i].Language)
		}
	}
	slices.Sort(out)
	return out
}

// Join merges the pages of an account's list, sorted by name and language. If the
// list changes while it is read, pages may repeat a template: equal ones are kept
// once. Two that differ are an error, because it is not known which one is true.
func Join(pages [][]Template) ([]Template, error) {
	var out []Template
	known := map[string]int{}
	for _, page := range pages {
		for _, t := range page {
			key := t.Name + "/" + t.Language
			if i, ok := known[key]; !ok {
				known[key] = len(out)
				out = append(out, t)
			} else if !out[i].Same(&t) {
				return nil, &changedError{t.Name, t.Language}
			}
		}
	}
	slices.SortFunc(out, func(a, b Template) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.Language, b.Language)
	})
	return out, nil
}

// changedError says that a list contains two different versions of one template.
type changedError struct{ Name, Language string }

// Error names the template.
func (e *changedError) Error() string {
	return "the list of templates has " + e.Name + " in " + e.Language + " twice, and they differ: it changed while it was read. Run the command again"
}

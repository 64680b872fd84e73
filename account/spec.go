package account

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Spec is one language of a template as it is declared: its words, and the samples
// that Meta's reviewers see in place of the variables.
type Spec struct {
	// Template has the name, language, category, words and time to live. ID, Status
	// and other fields that only Meta sets are empty.
	Template
	// Samples are the values that reviewers see: for variables of texts by name or
	// number, for the one in a button's URL by "button[0]".
	Samples map[string]string `json:"samples,omitempty"`
	// File is the sample of the header; nil unless the header is a medium.
	File *File `json:"file,omitempty"`
	// Written are hand-written components that replace the words; the words are
	// then what could be read from them.
	Written json.RawMessage `json:"components,omitempty"`
}

// File is a file of the configuration that is uploaded for review.
type File struct {
	Path   string `json:"path"` // below the configuration's directory
	Type   string `json:"type"` // such as "image/png"
	Size   int    `json:"size"` // bytes
	Digest string `json:"digest"`
}

// FileOf describes a file by its content.
func FileOf(path, kind string, content []byte) *File {
	sum := sha256.Sum256(content)
	return &File{Path: path, Type: kind, Size: len(content), Digest: "sha256:" + hex.EncodeToString(sum[:])}
}

// Equal reports whether a template declared as o need not be submitted again to be
// as s declares it. Samples are ignored: they do not matter once a template was
// reviewed.
func (s *Spec) Equal(o *Spec) bool {
	return s.SameWords(&o.Template) && s.Category == o.Category && bytes.Equal(s.Written, o.Written) && digestOf(s.File) == digestOf(o.File)
}

func digestOf(f *File) string {
	if f == nil {
		return ""
	}
	return f.Digest
}

// SameWords reports whether t and o have the same words and can be filled in the
// same way, in the form in which accounts report them: without what Meta adds.
func (t *Template) SameWords(o *Template) bool {
	a, err := json.Marshal(t.Words())
	b, err2 := json.Marshal(o.Words())
	return err == nil && err2 == nil && bytes.Equal(a, b)
}

// Words is t with only its words. Those that Meta writes itself in the template's
// language are left out: the text and footer of an authentication template, and the
// URL of its button.
func (t *Template) Words() Template {
	out := Template{Name: t.Name, Language: t.Language, Named: t.Named && len(t.variables()) > 0, TTL: t.TTL, Content: t.Content, Offer: t.Offer, Expires: t.Expires,
		Footer: t.Footer, Cards: t.Cards, Strange: t.Strange}
	if t.TTL < 0 {
		out.TTL = 0 // "as long as may be" reads back as nothing
	}
	if t.Category == Authentication {
		out.Body, out.Footer, out.Named, out.Buttons = "", "", false, nil
		for _, b := range t.Buttons {
			if b.Type == "otp" {
				b.URL, b.Text = "", ""
			}
			out.Buttons = append(out.Buttons, b)
		}
	}
	return out
}

// variables returns the variables of the header and the body.
func (t *Template) variables() []string {
	text := t.Body
	if t.Header != nil {
		text = t.Header.Text + "\n" + text
	}
	return variablesOf(text)
}

// Variables are the names, or the numbers from 1, of the variables of the texts.
func (s *Spec) Variables() []string {
	if s.Named {
		return s.variables()
	}
	return variablesOf(s.Body)
}

// read reads the words from hand-written components.
func (s *Spec) read() error {
	raw, err := json.Marshal(map[string]any{"name": s.Name, "language": s.Language, "status": "NEW", "category": s.Category,
		"parameter_format": s.format(), "components": s.Written})
	if err != nil {
		return fmt.Errorf("components are not JSON: %w", err)
	}
	t, err := Decode(raw)
	if err != nil {
		return err
	}
	s.Content, s.Offer, s.Expires, s.Footer, s.Cards, s.Strange = t.Content, t.Offer, t.Expires, t.Footer, t.Cards, t.Strange
	return nil
}

// Write replaces all words by hand-written components.
func (s *Spec) Write(components json.RawMessage) error {
	var b bytes.Buffer
	if err := json.Compact(&b, components); err != nil {
		return fmt.Errorf("components are not JSON: %w", err)
	}
	s.Written = b.Bytes()
	return s.read()
}

func (s *Spec) format() string {
	if s.Named {
		return "named"
	}
	return "positional"
}

// Digest is the digest of everything that is submitted.
func (s *Spec) Digest() string {
	b, err := json.Marshal(s)
	if err != nil {
		panic("account: a template has no JSON form: " + err.Error()) // raw JSON was checked when it was taken
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

type wireExample struct {
	Handles     []string      `json:"header_handle,omitempty"`
	Header      []string      `json:"header_text,omitempty"`
	HeaderNamed []namedSample `json:"header_text_named_params,omitempty"`
	Body        [][]string    `json:"body_text,omitempty"`
	BodyNamed   []namedSample `json:"body_text_named_params,omitempty"`
}

type namedSample struct {
	Name    string `json:"param_name"`
	Example string `json:"example"`
}

type writtenPart struct {
	Type    string          `json:"type"`
	Format  string          `json:"format,omitempty"`
	Text    string          `json:"text,omitempty"`
	Example *wireExample    `json:"example,omitempty"`
	Buttons []writtenButton `json:"buttons,omitempty"`
}

type writtenButton struct {
	Type    string `json:"type"`
	Text    string `json:"text,omitempty"`
	URL     string `json:"url,omitempty"`
	Phone   string `json:"phone_number,omitempty"`
	Example any    `json:"example,omitempty"` // a list for an address, a text for a coupon
}

type writtenTemplate struct {
	Name       string          `json:"name,omitempty"`
	Language   string          `json:"language,omitempty"`
	Category   string          `json:"category,omitempty"`
	Format     string          `json:"parameter_format,omitempty"`
	TTL        int             `json:"message_send_ttl_seconds,omitempty"`
	Components json.RawMessage `json:"components"`
}

// Creation returns the body of a request that creates the template, in Meta's form.
// handle refers to the header's uploaded file; "" if it has none. Source: Meta,
// reference of the template API, 2026-09-11.
func (s *Spec) Creation(handle string) ([]byte, error) {
	components, err := s.components(handle)
	if err != nil {
		return nil, err
	}
	return json.Marshal(writtenTemplate{Name: s.Name, Language: s.Language, Category: strings.ToUpper(s.Category), Format: s.format(), TTL: s.TTL, Components: components})
}

// Edit returns the body of a request that edits the template: all its components,
// and with recategorize also the category, which Meta accepts only for rejected or
// paused templates.
func (s *Spec) Edit(handle string, recategorize bool) ([]byte, error) {
	components, err := s.components(handle)
	if err != nil {
		return nil, err
	}
	w := writtenTemplate{TTL: s.TTL, Components: components}
	if recategorize {
		w.Category = strings.ToUpper(s.Category)
	}
	return json.Marshal(w)
}

func (s *Spec) components(handle string) (json.RawMessage, error) {
	if s.Written != nil {
		return s.Written, nil
	}
	var parts []writtenPart
	if h := s.Header; h != nil {
		parts = append(parts, s.header(h, handle))
	}
	parts = append(parts, writtenPart{Type: "BODY", Text: s.Body, Example: s.bodyExample()})
	if s.Footer != "" {
		parts = append(parts, writtenPart{Type: "FOOTER", Text: s.Footer})
	}
	if len(s.Buttons) > 0 {
		p := writtenPart{Type: "BUTTONS"}
		for i, b := range s.Buttons {
			p.Buttons = append(p.Buttons, s.button(i, b))
		}
		parts = append(parts, p)
	}
	return json.Marshal(parts)
}

func (s *Spec) header(h *Header, handle string) writtenPart {
	p := writtenPart{Type: "HEADER", Format: strings.ToUpper(h.Format), Text: h.Text}
	switch vars := variablesOf(h.Text); {
	case h.Format == "text" && len(vars) > 0 && s.Named:
		p.Example = &wireExample{HeaderNamed: []namedSample{{vars[0], s.Samples[vars[0]]}}}
	case h.Format == "text" && len(vars) > 0:
		p.Example = &wireExample{Header: []string{s.Samples[headerSample]}}
	case handle != "":
		p.Example = &wireExample{Handles: []string{handle}}
	}
	return p
}

// headerSample is the key of the sample of a header with a numbered variable, which
// is {{1}}, as is the body's first one.
const headerSample = "header"

func (s *Spec) bodyExample() *wireExample {
	vars := variablesOf(s.Body)
	if len(vars) == 0 {
		return nil
	}
	if s.Named {
		e := &wireExample{}
		for _, v := range vars {
			e.BodyNamed = append(e.BodyNamed, namedSample{v, s.Samples[v]})
		}
		return e
	}
	row := make([]string, len(vars))
	for i, v := range vars {
		row[i] = s.Samples[v]
	}
	return &wireExample{Body: [][]string{row}}
}

// ButtonSample is the key of the sample of a button.
func ButtonSample(i int) string { return "button[" + strconv.Itoa(i) + "]" }

func (s *Spec) button(i int, b Button) writtenButton {
	w := writtenButton{Type: strings.ToUpper(b.Type), Text: b.Text, URL: b.URL, Phone: b.Phone}
	sample := s.Samples[ButtonSample(i)]
	switch {
	case b.Type == "url" && len(variablesOf(b.URL)) > 0:
		w.Example = []string{strings.Replace(b.URL, "{{1}}", sample, 1)}
	case b.Type == "copy_code":
		w.Example = sample
	}
	return w
}

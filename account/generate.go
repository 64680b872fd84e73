package account

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// Declarable returns the template as a template block would declare it, so that
// nothing is left to change: with the samples that the account shows, and with
// hand-written components for what a block cannot say in its own words. A sample that
// the account does not show is the variable's name. The error says why no block can
// declare it.
func (t *Template) Declarable() (*Spec, error) {
	switch {
	case !TemplateName.MatchString(t.Name):
		return nil, errors.New("its name is not one that a new template may have")
	case !TemplateLanguage.MatchString(t.Language):
		return nil, errors.New("its language is not in Meta's spelling")
	case lifetimes[t.Category] == [2]int{}:
		return nil, errors.New("its category is one that no template is created in any more")
	}
	s := &Spec{Template: Template{Name: t.Name, Language: t.Language, Category: t.Category, Named: t.Named, TTL: max(t.TTL, 0), Content: t.Content, Footer: t.Footer}, Samples: map[string]string{}}
	var told []toldPart
	if len(t.Told) > 0 && json.Unmarshal(t.Told, &told) != nil {
		return nil, errors.New("its parts are not of the documented form")
	}
	s.sampled(told)
	if t.speakable() && len(s.Check()) == 0 && s.SameWords(t) {
		return s, nil
	}
	written, err := t.writable()
	if err == nil {
		err = s.Write(written)
	}
	switch {
	case err != nil:
		return nil, err
	case !s.SameWords(t):
		return nil, errors.New("it has parts that can't be handed in as they are read")
	}
	if problems := s.Check(); len(problems) > 0 {
		return nil, errors.New(strings.ToLower(problems[0].Detail[:1]) + strings.TrimSuffix(problems[0].Detail[1:], "."))
	}
	return s, nil
}

// toldPart is a component as it is read, for its samples.
type toldPart struct {
	Type    string      `json:"type"`
	Example toldExample `json:"example"`
	Buttons []struct {
		Example json.RawMessage `json:"example"`
	} `json:"buttons"`
}

// toldExample ignores samples that have another form than the documented one.
type toldExample struct{ wireExample }

// UnmarshalJSON implements json.Unmarshaler.
func (e *toldExample) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &e.wireExample) != nil {
		e.wireExample = wireExample{}
	}
	return nil
}

// sampled gives each variable of the texts and each button that needs one a sample.
func (s *Spec) sampled(told []toldPart) {
	var row []string
	for i := range told {
		e := &told[i].Example
		for _, named := range slices.Concat(e.HeaderNamed, e.BodyNamed) {
			s.Samples[named.Name] = named.Example
		}
		if len(e.Header) > 0 {
			s.Samples[headerSample] = e.Header[0]
		}
		if len(e.Body) > 0 {
			row = e.Body[0]
		}
		for n, b := range told[i].Buttons {
			if n < len(s.Buttons) && strings.EqualFold(told[i].Type, "buttons") {
				s.Samples[ButtonSample(n)] = s.Buttons[n].sample(b.Example)
			}
		}
	}
	kept := map[string]string{}
	keep := func(key, otherwise string) {
		if kept[key] = s.Samples[key]; strings.TrimSpace(kept[key]) == "" {
			kept[key] = otherwise
		}
	}
	for i, v := range s.Variables() {
		if !s.Named && i < len(row) {
			s.Samples[v] = row[i]
		}
		keep(v, v)
	}
	if h := s.Header; h != nil && !s.Named && len(variablesOf(h.Text)) > 0 {
		keep(headerSample, "1")
	}
	for i, b := range s.Buttons {
		if b.Type == "copy_code" || b.Type == "url" && len(variablesOf(b.URL)) > 0 {
			keep(ButtonSample(i), "sample")
		}
	}
	s.Samples = kept
}

// sample reads the sample of a button: a list with the whole address, or a text.
func (b *Button) sample(raw json.RawMessage) string {
	var one string
	var list []string
	if json.Unmarshal(raw, &one) != nil && json.Unmarshal(raw, &list) == nil && len(list) > 0 {
		one = list[0]
	}
	return strings.TrimPrefix(one, strings.TrimSuffix(b.URL, "{{1}}"))
}

// speakable reports whether a template block has words for all that the account
// tells of the template.
func (t *Template) speakable() bool {
	if len(t.Cards) > 0 || t.Offer || len(t.Strange) > 0 || t.Category == Authentication {
		return false
	}
	if h := t.Header; h != nil && h.Format != "text" && h.Format != "location" {
		return false // the account does not give back the file that was handed in
	}
	var parts []map[string]json.RawMessage
	if json.Unmarshal(t.Told, &parts) != nil {
		return false
	}
	for _, part := range parts {
		var buttons []map[string]json.RawMessage
		if raw, ok := part["buttons"]; ok && json.Unmarshal(raw, &buttons) != nil {
			return false
		}
		for _, of := range append(buttons, part) {
			for key := range of {
				if !slices.Contains(spoken, key) {
					return false
				}
			}
		}
	}
	return !slices.ContainsFunc(t.Buttons, func(b Button) bool {
		return !slices.Contains([]string{"quick_reply", "url", "phone_number", "copy_code"}, b.Type)
	})
}

// spoken are the fields of a component and of its buttons that a block has words for.
var spoken = []string{"type", "format", "text", "example", "buttons", "url", "phone_number"}

// writable returns the components as they can be handed in again: without the
// addresses of samples, and without what Meta adds to authentication templates.
func (t *Template) writable() (json.RawMessage, error) {
	var parts []any
	dec := json.NewDecoder(bytes.NewReader(t.Told))
	dec.UseNumber() // ids are larger than a float can say
	if dec.Decode(&parts) != nil || len(parts) == 0 {
		return nil, errors.New("the account does not tell its parts")
	}
	return json.Marshal(t.rewritten(parts))
}

func (t *Template) rewritten(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = t.rewritten(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = t.rewritten(v[key])
		}
		delete(v, "header_handle")
		if e, ok := v["example"].(map[string]any); ok && len(e) == 0 {
			delete(v, "example")
		}
		if t.Category == Authentication {
			unlocalised(v)
		}
	}
	return v
}

// unlocalised turns a part of an authentication template back into what Meta takes:
// its texts are Meta's, and its button reads back as an address.
func unlocalised(part map[string]any) {
	kind, _ := part["type"].(string)
	address, _ := part["url"].(string)
	switch strings.ToUpper(kind) {
	case "BODY", "FOOTER":
		delete(part, "text")
		delete(part, "example")
	case "URL":
		u, err := url.Parse(strings.ReplaceAll(address, "{{1}}", ""))
		if err != nil || !strings.HasPrefix(address, codeAddress) {
			return
		}
		delete(part, "url")
		delete(part, "example")
		part["type"] = "OTP"
		if otp := u.Query().Get("otp_type"); otp != "" {
			part["otp_type"] = otp
		}
	}
}

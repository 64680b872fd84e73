package account

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Decode reads one template of a list in Meta's form, which 360dialog and 1msg
// pass on with words in lower case. Words, parts and fields that are not known
// are kept. An error means that it is no template: without a name, a language
// or a status, or with a part of another form than Meta documents.
// Source: Meta, reference of the template API, read 2026-09-11; 360dialog,
// configs/templates; 1msg, OpenAPI 2.39, templates.
func Decode(raw []byte) (Template, error) {
	var w wireTemplate
	if err := json.Unmarshal(raw, &w); err != nil {
		return Template{}, errors.New("a template is not of the documented form")
	}
	t := Template{
		ID: text(w.ID), Name: w.Name, Language: w.language(), Status: strings.ToUpper(w.Status), Category: strings.ToLower(w.Category),
		CorrectCategory: strings.ToLower(w.CorrectCategory), Quality: strings.ToUpper(w.quality()), Named: strings.EqualFold(w.Format, "named"), TTL: w.TTL,
	}
	if reason := strings.ToUpper(w.Reason); reason != "NONE" {
		t.Reason = reason
	}
	if t.Name == "" || t.Language == "" || t.Status == "" {
		return Template{}, errors.New("a template has no name, no language or no status")
	}
	var components []wireComponent
	if len(w.Components) > 0 && json.Unmarshal(w.Components, &components) != nil {
		return Template{}, fmt.Errorf("the template %s in %s: its parts are not of the documented form", t.Name, t.Language)
	}
	t.Told = w.Components
	for _, c := range components {
		if err := t.add(c); err != nil {
			return Template{}, fmt.Errorf("the template %s in %s: %w", t.Name, t.Language, err)
		}
	}
	t.Other = others(raw)
	return t, nil
}

type wireTemplate struct {
	ID              json.RawMessage `json:"id"` // a text, and in some answers a number
	Name            string          `json:"name"`
	Language        json.RawMessage `json:"language"` // a text; {"code"} in old answers of 360dialog
	Status          string          `json:"status"`
	Category        string          `json:"category"`
	CorrectCategory string          `json:"correct_category"`
	Quality         json.RawMessage `json:"quality_score"` // {"score"}
	Reason          string          `json:"rejected_reason"`
	Format          string          `json:"parameter_format"`
	TTL             int             `json:"message_send_ttl_seconds"`
	Components      json.RawMessage `json:"components"`
}

// known are the fields that Template represents in its own way, or that change with
// each read.
var known = []string{"id", "name", "language", "status", "category", "correct_category", "quality_score", "rejected_reason",
	"parameter_format", "message_send_ttl_seconds", "components"}

type wireComponent struct {
	Type    string       `json:"type"`
	Format  string       `json:"format"`
	Text    string       `json:"text"`
	Buttons []wireButton `json:"buttons"`
	Cards   []struct {
		Components []wireComponent `json:"components"`
	} `json:"cards"`
	Offer *struct {
		Expires bool `json:"has_expiration"`
	} `json:"limited_time_offer"`
}

type wireButton struct {
	Type  string `json:"type"`
	Text  string `json:"text"`
	URL   string `json:"url"`
	Phone string `json:"phone_number"`
}

func (w *wireTemplate) language() string {
	var o struct {
		Code string `json:"code"`
	}
	if s := text(w.Language); s != "" {
		return s
	}
	_ = json.Unmarshal(w.Language, &o) // "" is no language
	return o.Code
}

func (w *wireTemplate) quality() string {
	var o struct {
		Score string `json:"score"`
	}
	_ = json.Unmarshal(w.Quality, &o) // "" if it is not reported
	return o.Score
}

// text is a JSON string or number as a text; "" for anything else.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

// others are the unknown fields of raw; nil if there are none.
func others(raw []byte) map[string]json.RawMessage {
	var all map[string]json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return nil
	}
	for _, name := range known {
		delete(all, name)
	}
	if len(all) == 0 {
		return nil
	}
	for name, value := range all {
		var b bytes.Buffer
		if json.Compact(&b, value) == nil {
			all[name] = b.Bytes()
		}
	}
	return all
}

// add adds a component to the template.
func (t *Template) add(c wireComponent) error {
	switch kind := strings.ToUpper(c.Type); kind {
	case "FOOTER":
		t.Footer = c.Text // of authentication templates it is localised, and absent when written
	case "LIMITED_TIME_OFFER":
		t.Offer, t.Expires = true, c.Offer != nil && c.Offer.Expires
	case "CAROUSEL":
		return t.carousel(c)
	default:
		known, err := t.Content.add(c)
		if !known {
			t.Strange = append(t.Strange, strings.ToLower(c.Type))
		}
		return err
	}
	return nil
}

func (t *Template) carousel(c wireComponent) error {
	for i, wc := range c.Cards {
		var card Card
		for _, part := range wc.Components {
			known, err := card.Content.add(part)
			if err != nil {
				return fmt.Errorf("card %d: %w", i+1, err)
			}
			if !known {
				t.Strange = append(t.Strange, strings.ToLower(part.Type))
			}
		}
		t.Cards = append(t.Cards, card)
	}
	if len(c.Cards) == 0 {
		return errors.New("its carousel has no cards")
	}
	return nil
}

// add adds a component that a card may have, too; known is false if its kind is
// unknown.
func (c *Content) add(w wireComponent) (known bool, err error) {
	switch strings.ToUpper(w.Type) {
	case "HEADER":
		if c.Header != nil {
			return true, errors.New("it has two headers")
		}
		c.Header = &Header{Format: strings.ToLower(w.Format)}
		if c.Header.Format == "text" || c.Header.Format == "" {
			c.Header.Format, c.Header.Text = "text", w.Text
		}
	case "BODY":
		c.Body = w.Text
	case "BUTTONS":
		for _, b := range w.Buttons {
			c.Buttons = append(c.Buttons, Button{Type: b.kind(), Text: b.Text, URL: b.URL, Phone: b.Phone})
		}
	default:
		return false, nil
	}
	return true, nil
}

// codeAddress is the beginning of the URL of a one-time-password button: a button
// that was created as OTP is read back as a URL button.
const codeAddress = "https://www.whatsapp.com/otp/code/"

func (b *wireButton) kind() string {
	kind := strings.ToLower(b.Type)
	if kind == "url" && strings.HasPrefix(b.URL, codeAddress) {
		return "otp"
	}
	return kind
}

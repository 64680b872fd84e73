package message

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// maxDraftBytes bounds the JSON that UnmarshalDraft reads. The longest message that
// WhatsApp accepts is far smaller.
const maxDraftBytes = 8 << 20

// wireDraft is a Draft as JSON.
type wireDraft struct {
	Kind     Kind            `json:"kind"`
	Message  json.RawMessage `json:"message"`
	Bindings []Binding       `json:"bindings,omitempty"`
	Slots    []string        `json:"slots,omitempty"`
	Links    []DraftLink     `json:"links,omitempty"`
}

// wirePart is a Part as JSON: {"text": "…"} or {"slot": 0}.
type wirePart struct {
	Text *string `json:"text,omitempty"`
	Slot *int    `json:"slot,omitempty"`
}

// MarshalJSON writes a constant as {"text": "…"} and a slot as {"slot": 0}.
func (p Part) MarshalJSON() ([]byte, error) {
	if p.Slot < 0 {
		return json.Marshal(wirePart{Text: &p.Text})
	}
	return json.Marshal(wirePart{Slot: &p.Slot})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Part) UnmarshalJSON(data []byte) error {
	var w wirePart
	if err := DecodeStrict(data, &w); err != nil {
		return err
	}
	switch {
	case w.Text != nil && w.Slot == nil:
		*p = Part{Text: *w.Text, Slot: -1}
	case w.Slot != nil && w.Text == nil && *w.Slot >= 0:
		*p = Part{Slot: *w.Slot}
	default:
		return errors.New("a part is either a text or a slot")
	}
	return nil
}

// MarshalDraft writes d as canonical JSON: equal drafts give equal bytes. It
// refuses a draft that is not valid, and texts that are not UTF-8, since JSON
// could not give them back.
func MarshalDraft(d *Draft) ([]byte, error) {
	if err := d.validate(); err != nil {
		return nil, fmt.Errorf("write draft: %w", err)
	}
	if err := d.checkUTF8(); err != nil {
		return nil, fmt.Errorf("write draft: %w", err)
	}
	data, err := marshalDraft(d)
	if err != nil {
		return nil, fmt.Errorf("write draft: %w", err)
	}
	return data, nil
}

func marshalDraft(d *Draft) ([]byte, error) {
	m, err := json.Marshal(d.Message)
	if err != nil {
		return nil, err
	}
	return json.Marshal(wireDraft{Kind: d.Message.Kind(), Message: m, Bindings: d.Bindings, Slots: d.Slots, Links: d.Links})
}

func (d *Draft) checkUTF8() error {
	var bad error
	Fields(d.Message, func(f Field) {
		if !utf8.ValidString(*f.Text) {
			bad = fmt.Errorf("%s is not valid UTF-8", f.Path)
		}
	})
	for _, b := range d.Bindings {
		for _, p := range b.Parts {
			if !utf8.ValidString(p.Text) {
				bad = fmt.Errorf("%s is not valid UTF-8", b.Path)
			}
		}
	}
	for i := range d.Links {
		if l := &d.Links[i]; !utf8.ValidString(l.Link + l.Base + l.URL) {
			bad = fmt.Errorf("link %d is not valid UTF-8", i)
		}
	}
	for i, s := range d.Slots {
		if !utf8.ValidString(s) {
			bad = fmt.Errorf("the name of slot %d is not valid UTF-8", i)
		}
	}
	return bad
}

// UnmarshalDraft reads what MarshalDraft wrote, and nothing else: an unknown
// or repeated key, another order or another spelling is an error, and so is a
// draft that is not valid. White space between tokens does not matter.
func UnmarshalDraft(data []byte) (*Draft, error) {
	if len(data) > maxDraftBytes {
		return nil, fmt.Errorf("read draft: %d bytes; at most %d are read", len(data), maxDraftBytes)
	}
	var w wireDraft
	if err := DecodeStrict(data, &w); err != nil {
		return nil, fmt.Errorf("read draft: %w", err)
	}
	d := &Draft{Message: New(w.Kind), Bindings: w.Bindings, Slots: w.Slots, Links: w.Links}
	if d.Message == nil {
		return nil, errors.New("read draft: unknown kind of message")
	}
	if err := DecodeStrict(w.Message, d.Message); err != nil {
		return nil, fmt.Errorf("read draft: %s: %w", w.Kind, err)
	}
	written, err := MarshalDraft(d)
	if err != nil {
		return nil, fmt.Errorf("read draft: %w", err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		return nil, fmt.Errorf("read draft: %w", err)
	}
	if !bytes.Equal(compact.Bytes(), written) {
		return nil, errors.New("read draft: the JSON is not in the form that handbill writes; it was changed by something else")
	}
	return d, nil
}

// DecodeStrict decodes exactly one JSON value without unknown keys.
func DecodeStrict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errors.New("more than one JSON value")
	}
	return nil
}

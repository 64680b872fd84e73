package message

import (
	"fmt"
	"strings"
)

// A Draft is a message compiled for one campaign or reply rule: its constant
// texts are final, and the others are parts with slots that one recipient's
// values fill. It is data: it goes into a saved plan, is what gets reviewed,
// and is exactly what gets sent.
//
// What a recipient's values can change is texts only. The shape of a message
// (how many rows, which header) is the same for everyone.
type Draft struct {
	// Message holds the constant texts; texts with slots are "".
	Message Message
	// Bindings are the texts that have slots, in document order.
	Bindings []Binding
	// Slots name what fills each slot, as written in the configuration, such
	// as "recipient.name" or "upper(recipient.city)". Equal expressions share
	// one slot. len(Slots) is the length of every recipient's values.
	Slots []string
	// Links are the links that the message names.
	Links []DraftLink
}

// Binding is one text with slots.
type Binding struct {
	Path  string `json:"path"` // as Field.Path, such as "section[0].row[1].title"
	Parts []Part `json:"parts"`
}

// Part is a piece of a text: a constant, or the value of a slot.
type Part struct {
	Text string // the constant; "" when Slot is used
	Slot int    // index into the recipient's values; -1 for a constant
}

// text returns the part's text for one recipient.
func (p Part) text(values []string) string {
	if p.Slot >= 0 {
		return values[p.Slot]
	}
	return p.Text
}

// Render returns the message for one recipient's values, which are in the order of
// d.Slots. The result shares nothing that can be changed with d. It panics if
// values are missing or d is not valid; MarshalDraft and UnmarshalDraft refuse such
// drafts.
func (d *Draft) Render(values []string) Message {
	m := Clone(d.Message)
	set, next := 0, 0
	visitAll(m, &visitor{visit: func(path []byte, f Field) {
		for range d.Bindings {
			b := &d.Bindings[next%len(d.Bindings)]
			next++
			if b.Path == string(path) {
				*f.Text = render(b.Parts, values)
				set++
				return
			}
		}
	}})
	if set != len(d.Bindings) {
		panic("message: the draft binds a text that its message does not have")
	}
	return m
}

// Text returns the i-th bound text for one recipient's values.
func (d *Draft) Text(i int, values []string) string { return render(d.Bindings[i].Parts, values) }

// render joins parts. A single part is returned without an allocation.
func render(parts []Part, values []string) string {
	if len(parts) == 1 {
		return parts[0].text(values)
	}
	n := 0
	for _, p := range parts {
		n += len(p.text(values))
	}
	var s strings.Builder
	s.Grow(n)
	for _, p := range parts {
		s.WriteString(p.text(values))
	}
	return s.String()
}

// validate reports whether d is well-formed: bindings are in document order, each
// names a text of the message that is empty there, no text is bound twice, and
// every part is either a constant or an existing slot.
func (d *Draft) validate() error {
	if d.Message == nil {
		return fmt.Errorf("the draft has no message")
	}
	next := 0
	var taken error
	Fields(d.Message, func(f Field) {
		if next == len(d.Bindings) || d.Bindings[next].Path != f.Path {
			return
		}
		next++
		if *f.Text != "" {
			taken = fmt.Errorf("the draft both sets and binds %q", f.Path)
		}
	})
	if next < len(d.Bindings) {
		return fmt.Errorf("the draft binds %q, which its message does not have there", d.Bindings[next].Path)
	}
	if taken != nil {
		return taken
	}
	if err := d.validateLinks(); err != nil {
		return err
	}
	return d.validateParts()
}

func (d *Draft) validateParts() error {
	for _, b := range d.Bindings {
		for _, p := range b.Parts {
			switch {
			case p.Slot < -1 || p.Slot >= len(d.Slots):
				return fmt.Errorf("%s: slot %d of %d", b.Path, p.Slot, len(d.Slots))
			case p.Slot >= 0 && p.Text != "":
				return fmt.Errorf("%s: a part is both a constant and a slot", b.Path)
			}
		}
	}
	return nil
}

package providers

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/handbill/handbill/message"
)

// encoder is the Sender of a Provider. It encodes each draft once, with marks in
// place of a recipient's values. For each recipient it only escapes the values
// and joins the pieces.
type encoder struct {
	provider Provider

	mu    sync.RWMutex
	forms map[*message.Draft]*form
}

// NewSender returns a Sender for p. The caller must not change a draft after it
// has passed it to Encode.
func NewSender(p Provider) Sender {
	return &encoder{provider: p, forms: map[*message.Draft]*form{}}
}

// Send implements Sender.
func (s *encoder) Send(ctx context.Context, r message.Request) message.Answer {
	return s.provider.Send(ctx, r)
}

// Distrust implements Distruster.
func (s *encoder) Distrust() {
	if d, ok := s.provider.(Distruster); ok {
		d.Distrust()
	}
}

// Encode implements Sender. It gives the same bytes as Provider.Encode of the
// rendered message.
func (s *encoder) Encode(to message.Address, d *message.Draft, values []string, ref string) (message.Request, error) {
	f := s.form(d)
	if f.pieces != nil && f.fits(to, values, ref) {
		return message.Request{Path: f.path, Body: f.fill(to, values, ref)}, nil
	}
	if len(values) != len(d.Slots) {
		return message.Request{}, fmt.Errorf("the draft has %d slots and the recipient %d values", len(d.Slots), len(values))
	}
	return s.provider.Encode(to, d.Render(values), ref)
}

// form is a draft's request, cut where it depends on the recipient. If it can't be
// cut it has no pieces, and the whole message is encoded for each recipient.
type form struct {
	path   string
	pieces []piece
	size   int // of the constant parts
	slots  int
	// whole are the fields that consist of slots only. If all slots of one are
	// empty, the field is absent and the request has another shape.
	whole [][]int
}

// piece is a run of constant bytes and what follows it.
type piece struct {
	bytes []byte
	slot  int // index into the values, or one of the marks below
}

const (
	nothing = -1 - iota // the end
	phone               // the digits of the recipient's number
	refMark             // the reference
)

// The marks stand for what is filled in. The mark of a slot is a number between
// private-use characters; a draft whose texts hold such characters isn't cut. The
// marks of the address and the reference are checked by a second encoding.
const (
	markOpen  = "\uf8f0"
	markClose = "\uf8f1"
	phoneMark = "990071993115577"
	refToken  = "hb1.MARK.MARKMARKMARK.MARK"
)

func (s *encoder) form(d *message.Draft) *form {
	s.mu.RLock()
	f := s.forms[d]
	s.mu.RUnlock()
	if f != nil {
		return f
	}
	f = s.compile(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.forms) >= maxForms {
		clear(s.forms)
	}
	s.forms[d] = f
	return f
}

// maxForms bounds the cache. A campaign has few drafts; a server that makes a new
// draft for each answer uses each only once.
const maxForms = 256

// compile cuts the request of d. It compares the result with the provider's own
// encoding for invented recipients; if they differ, the draft isn't cut.
func (s *encoder) compile(d *message.Draft) *form {
	whole, ok := cuttable(d)
	if !ok {
		return &form{}
	}
	marks := make([]string, len(d.Slots))
	for i := range marks {
		marks[i] = markOpen + strconv.Itoa(i) + markClose
	}
	r, err := s.provider.Encode(message.Address{Phone: "+" + phoneMark}, d.Render(marks), refToken)
	if err != nil {
		return &form{}
	}
	f := &form{path: r.Path, whole: whole, slots: len(d.Slots), pieces: cut(r.Body)}
	for _, p := range f.pieces {
		f.size += len(p.bytes)
	}
	for _, number := range [...]string{"+4930123456", "+12025550123"} {
		if !s.agrees(f, d, number) {
			return &form{}
		}
	}
	return f
}

// cuttable reports whether only plain texts of d have slots, and lists the
// fields that may turn out empty.
func cuttable(d *message.Draft) (whole [][]int, ok bool) {
	ok = true
	slots := map[string]*message.Binding{}
	for i := range d.Bindings {
		slots[d.Bindings[i].Path] = &d.Bindings[i]
	}
	message.Fields(d.Message, func(f message.Field) {
		b := slots[f.Path]
		if b == nil {
			ok = ok && !strings.Contains(*f.Text, markOpen)
			return
		}
		switch f.Type {
		case message.FieldNumber, message.FieldJSON, message.FieldURL:
			ok = false // their values are inspected or written without quotes
		}
		var indices []int
		constant := false
		for _, p := range b.Parts {
			if p.Slot >= 0 {
				indices = append(indices, p.Slot)
			} else if p.Text != "" {
				constant = true
				ok = ok && utf8.ValidString(p.Text) && !strings.Contains(p.Text, markOpen)
			}
		}
		if !constant {
			whole = append(whole, indices)
		}
	})
	return whole, ok
}

// cut splits a request at its marks.
func cut(body []byte) []piece {
	var out []piece
	start := 0
	for i := 0; i < len(body); {
		rest := body[i:]
		slot, length := nothing, 0
		switch {
		case bytes.HasPrefix(rest, []byte(markOpen)):
			end := bytes.Index(rest, []byte(markClose))
			n, err := strconv.Atoi(string(rest[len(markOpen):max(end, len(markOpen))]))
			if err != nil {
				return nil
			}
			slot, length = n, end+len(markClose)
		case bytes.HasPrefix(rest, []byte(phoneMark)):
			slot, length = phone, len(phoneMark)
		case bytes.HasPrefix(rest, []byte(refToken)):
			slot, length = refMark, len(refToken)
		default:
			i++
			continue
		}
		out = append(out, piece{bytes: body[start:i], slot: slot})
		i += length
		start = i
	}
	return append(out, piece{bytes: body[start:], slot: nothing})
}

// agrees compares f with the provider's encoding for an invented recipient.
func (s *encoder) agrees(f *form, d *message.Draft, number string) bool {
	values := make([]string, f.slots)
	for i := range values {
		values[i] = "v" + strconv.Itoa(i) + " \"\\\n" + number
	}
	to, ref := message.Address{Phone: number}, "hb1."+number[1:]
	r, err := s.provider.Encode(to, d.Render(values), ref)
	return err == nil && r.Path == f.path && bytes.Equal(r.Body, f.fill(to, values, ref))
}

// fits reports whether one recipient's request has the shape of the form.
func (f *form) fits(to message.Address, values []string, ref string) bool {
	if len(values) != f.slots || ref == "" || to.UserID != "" || !plainNumber(to.Phone) {
		return false
	}
	for _, v := range values {
		if !utf8.ValidString(v) {
			return false // two values may each hold half of a character
		}
	}
	for _, slots := range f.whole {
		if allEmpty(values, slots) {
			return false
		}
	}
	return true
}

func allEmpty(values []string, slots []int) bool {
	for _, i := range slots {
		if values[i] != "" {
			return false
		}
	}
	return true
}

// plainNumber reports whether s is "+" and digits.
func plainNumber(s string) bool {
	if len(s) < 2 || s[0] != '+' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func (f *form) fill(to message.Address, values []string, ref string) []byte {
	size := f.size + len(ref) + len(to.Phone)
	for _, v := range values {
		size += len(v) + 8
	}
	out := make([]byte, 0, size)
	for i := range f.pieces {
		p := &f.pieces[i]
		out = append(out, p.bytes...)
		switch {
		case p.slot >= 0:
			out = appendEscaped(out, values[p.slot])
		case p.slot == phone:
			out = append(out, to.Phone[1:]...)
		case p.slot == refMark:
			out = appendEscaped(out, ref)
		}
	}
	return out
}

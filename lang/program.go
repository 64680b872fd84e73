package lang

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// Program is a message bound to a campaign or reply rule: its draft, and how a
// recipient's values fill the draft's slots.
type Program struct {
	Draft *message.Draft
	// Data is the data block through which a template_message reads its template;
	// nil if the template is named by a text, and for other kinds.
	Data *DataTemplate

	slots  []slot
	extras bool // a slot uses recipient.phone or recipient.user_id
	names  []string
	ranges map[string]hcl.Range
	decl   hcl.Range
}

// slot is one expression that fills a slot of the draft.
type slot struct {
	prog *eval.Program
	// extras is true if the values vector continues with phone and user id.
	extras bool
	// needed are attributes that may not be empty, because nothing in the
	// expression handles that.
	needed []neededAttribute
	// nullable makes an empty text of a null: the text is optional, or the
	// attribute may be empty.
	nullable bool
}

type neededAttribute struct {
	index int
	name  string
	rng   hcl.Range
}

// ValueError says that a text of a message has no result for a recipient. It
// contains no value of the recipient.
type ValueError struct {
	Code            string // "empty_value" or "evaluation"
	Attribute       string // with empty_value: the attribute that is empty, if there is a single one
	Range           hcl.Range
	Summary, Detail string
}

// Error returns the place, the summary and the detail.
func (e *ValueError) Error() string { return e.Range.String() + ": " + e.Summary + ": " + e.Detail }

// Eval appends the values of the draft's slots for one recipient, whose
// attributes are those of the audience that the program was compiled for. An
// error is a *ValueError. It is safe for concurrent use.
func (p *Program) Eval(r *message.Recipient, dst []string) ([]string, error) {
	return p.EvalInto(r, dst, new([]byte))
}

// EvalInto is Eval, but makes texts in buf, whose memory it reuses from call to
// call.
func (p *Program) EvalInto(r *message.Recipient, dst []string, buf *[]byte) ([]string, error) {
	attributes, all := r.Attributes, r.Attributes
	if p.extras {
		all = append(append(make([]message.Value, 0, len(all)+2), all...), addressValue(r.Phone), addressValue(r.UserID))
	}
	made := madeTexts{buf: (*buf)[:0]}
	for i := range p.slots {
		vals := attributes
		if p.slots[i].extras {
			vals = all
		}
		var err error
		if dst, err = p.slots[i].eval(vals, dst, &made); err != nil {
			return dst, err
		}
	}
	made.share(dst)
	*buf = made.buf
	return dst, nil
}

// eval appends the slot's value, or makes it in made and appends its place.
func (s *slot) eval(vals []message.Value, dst []string, made *madeTexts) ([]string, error) {
	for _, n := range s.needed {
		if vals[n.index].Empty() {
			return dst, emptyValue(n)
		}
	}
	if text, ok := s.prog.Text(vals); ok {
		return append(dst, text), nil
	}
	if made.n == len(made.at) {
		made.share(dst)
	}
	var err error
	made.buf, err = s.prog.AppendString(made.buf, vals)
	switch {
	case err == nil:
		made.add(len(dst))
	case !s.nullable || !errors.Is(err, eval.ErrNull):
		return dst, valueError(err, s.prog.Range())
	}
	return append(dst, ""), nil
}

// madeTexts collects texts in one buffer, so that they become pieces of one
// string.
type madeTexts struct {
	buf []byte
	at  [8]struct{ slot, end int }
	n   int
}

// add records that the text up to the end of the buffer is the slot's.
func (m *madeTexts) add(slot int) {
	m.at[m.n].slot, m.at[m.n].end = slot, len(m.buf)
	m.n++
}

// share puts the texts into their slots and empties the buffer.
func (m *madeTexts) share(slots []string) {
	all, from := string(m.buf), 0
	for _, t := range m.at[:m.n] {
		slots[t.slot], from = all[from:t.end], t.end
	}
	m.buf, m.n = m.buf[:0], 0
}

func addressValue(s string) message.Value {
	if s == "" {
		return message.Value{}
	}
	return message.Str(s)
}

func emptyValue(n neededAttribute) *ValueError {
	return &ValueError{
		Code: "empty_value", Attribute: n.name, Range: n.rng, Summary: summaryOf("empty_value"),
		Detail: fmt.Sprintf("The attribute %s is empty for this recipient. Handle that with coalesce(recipient.%s, \"…\") or a conditional, or add %q to the audience's optional.", n.name, n.name, n.name),
	}
}

func valueError(err error, rng hcl.Range) *ValueError {
	var e *eval.Error
	if !errors.As(err, &e) {
		return &ValueError{Code: "evaluation", Range: rng, Summary: summaryOf("evaluation"), Detail: "The expression has no result for this recipient."}
	}
	if e.Code == eval.CodeNull {
		return &ValueError{Code: "empty_value", Attribute: e.Attribute, Range: e.Range, Summary: summaryOf("empty_value"), Detail: e.Detail}
	}
	return &ValueError{Code: "evaluation", Attribute: e.Attribute, Range: e.Range, Summary: summaryOf("evaluation"), Detail: e.Summary + ": " + e.Detail}
}

// Range returns the place in the source of the field at path, such as
// "section[1].row[3].title": the closest that is known, at least the message's
// block.
func (p *Program) Range(path string) hcl.Range {
	for path != "" {
		if rng, ok := p.ranges[path]; ok {
			return rng
		}
		for known, rng := range p.ranges {
			if strings.HasPrefix(known, path+".") || strings.HasPrefix(known, path+"[") {
				if first := p.firstBelow(path); first != known {
					rng = p.ranges[first]
				}
				return rng
			}
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return p.decl
}

// firstBelow is the first path below path in the order of the source.
func (p *Program) firstBelow(path string) string {
	best := ""
	for known, rng := range p.ranges {
		if !strings.HasPrefix(known, path+".") && !strings.HasPrefix(known, path+"[") {
			continue
		}
		if b := p.ranges[best]; best == "" || before(rng, b) || rng == b && known < best {
			best = known
		}
	}
	return best
}

func before(a, b hcl.Range) bool {
	if a.Filename != b.Filename {
		return a.Filename < b.Filename
	}
	return a.Start.Byte < b.Start.Byte
}

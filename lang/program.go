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
// recipient's values become the draft's slots.
type Program struct {
	Draft *message.Draft

	slots  []slot
	extras bool // a slot uses recipient.phone or recipient.user_id
	names  []string
	uses   []string
	ranges map[string]hcl.Range
	decl   hcl.Range
}

// slot is one expression that fills a slot of the draft.
type slot struct {
	prog *eval.Program
	// extras is true when the values vector goes on with phone and user id.
	extras bool
	// needed are attributes that may not be empty, since nothing in the
	// expression handles that.
	needed []neededAttribute
	// nullable makes a null an empty text: the text is an optional one, or the
	// attribute may be empty.
	nullable bool
}

type neededAttribute struct {
	index int
	name  string
	rng   hcl.Range
}

// ValueError is a recipient for whom a text of a message has no result. It
// holds no value of the recipient.
type ValueError struct {
	Code            string // "empty_value" or "evaluation"
	Attribute       string // with empty_value: the attribute that is empty, where one is to blame
	Range           hcl.Range
	Summary, Detail string
}

// Error is the place, the summary and the detail.
func (e *ValueError) Error() string { return e.Range.String() + ": " + e.Summary + ": " + e.Detail }

// Eval appends the values of the draft's slots for one recipient, whose
// attributes are those of the audience that the program was compiled for. An
// error is a *ValueError. It is safe for concurrent use.
func (p *Program) Eval(r *message.Recipient, dst []string) ([]string, error) {
	attributes, all := r.Attributes, r.Attributes
	if p.extras {
		all = append(append(make([]message.Value, 0, len(all)+2), all...), addressValue(r.Phone), addressValue(r.UserID))
	}
	var scratch [256]byte
	for i := range p.slots {
		s := &p.slots[i]
		vals := attributes
		if s.extras {
			vals = all
		}
		for _, n := range s.needed {
			if vals[n.index].Empty() {
				return dst, emptyValue(n)
			}
		}
		text, err := s.prog.AppendString(scratch[:0], vals)
		if err != nil {
			if s.nullable && errors.Is(err, eval.ErrNull) {
				dst = append(dst, "")
				continue
			}
			return dst, valueError(err, s.prog.Range())
		}
		dst = append(dst, string(text))
	}
	return dst, nil
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

// Range is the place in the source of the field at path, such as
// "section[1].row[3].title": the tightest that is known, at least the
// message's block.
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

// Uses names the recipient's attributes that the message uses, sorted.
func (p *Program) Uses() []string { return p.uses }

package message

import (
	"fmt"
	"strings"
)

// Checker checks the messages of one Draft against limits. What is the same for
// every recipient is checked once. It is safe for concurrent use.
type Checker struct {
	fields   []Field // of a copy of the draft's message
	bound    []int   // by field: index into bindings, or -1
	bindings []boundText
	static   []Violation
	dynamic  []rule
}

// boundText is a Binding with precomputed summaries of its constants.
type boundText struct {
	parts []Part
	sums  []summary // by part; of constants only
}

// NewChecker compiles the checks of d against l; a nil l stands for DefaultLimits.
// It panics if d binds a text that its message does not have; MarshalDraft and
// UnmarshalDraft refuse such drafts.
func NewChecker(d *Draft, l Limits) *Checker {
	b := newBuilder(Clone(d.Message), l)
	c := &Checker{fields: b.fields, bound: make([]int, len(b.fields)), static: b.found}
	c.bind(d.Bindings)
	t := texts{c: c}
	for _, r := range b.rules {
		if !c.depends(r) {
			c.static = append(c.static, r.check(t)...)
			continue
		}
		if text, ok := r.(*textRule); ok && text.kind == FieldURL {
			text.prefixed = c.prefixed(text.field)
		}
		c.dynamic = append(c.dynamic, r)
	}
	return c
}

func (c *Checker) bind(bindings []Binding) {
	at := make(map[string]int, len(c.fields))
	for i, f := range c.fields {
		c.bound[i] = -1
		at[f.Path] = i
	}
	for i, b := range bindings {
		f, ok := at[b.Path]
		if !ok {
			panic(fmt.Sprintf("message: the draft binds %q, which its message does not have", b.Path))
		}
		c.bound[f] = i
		c.bindings = append(c.bindings, newBoundText(b.Parts))
	}
}

func newBoundText(parts []Part) boundText {
	b := boundText{parts: parts, sums: make([]summary, len(parts))}
	for i, p := range parts {
		if p.Slot < 0 {
			b.sums[i] = scan(p.Text)
		}
	}
	return b
}

// depends reports whether a recipient's values can change what r reports.
func (c *Checker) depends(r rule) bool {
	for _, f := range r.refs() {
		if c.bound[f] >= 0 {
			return true
		}
	}
	return false
}

// prefixed reports whether the field begins with a constant that holds an
// https URL up to the end of its host.
func (c *Checker) prefixed(f int) bool {
	parts := c.bindings[c.bound[f]].parts
	if len(parts) == 0 || parts[0].Slot >= 0 {
		return false
	}
	rest, ok := cutScheme(parts[0].Text, "https://")
	end := strings.IndexAny(rest, "/?#")
	return ok && end > 0 && isHost(rest[:end])
}

// Static returns what is wrong for every recipient. The caller must not change the
// slice.
func (c *Checker) Static() []Violation { return c.static }

// Dynamic reports whether any check depends on the recipient.
func (c *Checker) Dynamic() bool { return len(c.dynamic) > 0 }

// Check reports what is wrong for one recipient's values beyond Static. It
// allocates nothing when nothing is wrong, except for texts whose form can only
// be judged as a whole: numbers, JSON and the like made of several parts.
func (c *Checker) Check(values []string, visit func(Violation)) {
	t := texts{c: c, values: values}
	for _, r := range c.dynamic {
		for _, v := range r.check(t) {
			visit(v)
		}
	}
}

// texts are the texts of a draft's message for one recipient.
type texts struct {
	c      *Checker
	values []string
}

func (t texts) path(f int) string  { return t.c.fields[f].Path }
func (t texts) isBound(f int) bool { return t.c.bound[f] >= 0 }

// at returns the text itself.
func (t texts) at(f int) string {
	if b := t.c.bound[f]; b >= 0 {
		return render(t.c.bindings[b].parts, t.values)
	}
	return *t.c.fields[f].Text
}

// empty is at(f) == "" without building the text.
func (t texts) empty(f int) bool {
	b := t.c.bound[f]
	if b < 0 {
		return *t.c.fields[f].Text == ""
	}
	for _, p := range t.c.bindings[b].parts {
		if p.text(t.values) != "" {
			return false
		}
	}
	return true
}

// summary is scan(at(f)) without building the text, unless a character is split
// between two parts.
func (t texts) summary(f int) summary {
	b := t.c.bound[f]
	if b < 0 {
		return scan(*t.c.fields[f].Text)
	}
	bound := &t.c.bindings[b]
	var sum summary
	for i := range bound.parts {
		if slot := bound.parts[i].Slot; slot >= 0 {
			next := scan(t.values[slot])
			sum.add(&next)
			continue
		}
		sum.add(&bound.sums[i])
	}
	return sum
}

// length is CodePoints(at(f)).
func (t texts) length(f int) int {
	sum := t.summary(f)
	if sum.has&invalid != 0 {
		return CodePoints(t.at(f))
	}
	return sum.runes
}

// hash returns a hash of at(f) that is the same for equal texts, whatever their
// parts are (FNV-1a).
func (t texts) hash(f int) uint64 {
	h := uint64(14695981039346656037)
	b := t.c.bound[f]
	if b < 0 {
		return hashText(h, *t.c.fields[f].Text)
	}
	for _, p := range t.c.bindings[b].parts {
		h = hashText(h, p.text(t.values))
	}
	return h
}

func hashText(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

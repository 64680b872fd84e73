package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/message"
)

// Text is one text of a message as far as its length is known before recipients are.
type Text struct {
	Range  hcl.Range
	Path   string // in the message, such as "section[0].row[1].title"
	Length int    // code points of what is the same for everyone
	Slots  int    // places that each recipient fills differently
	Limit  message.Limit
}

// Texts are the texts of all messages that have a limit, by place. A text that several
// campaigns send has the tightest limit of their providers.
func (c *Config) Texts() []Text {
	out := make([]Text, 0, len(c.texts))
	for _, t := range c.texts {
		out = append(out, t)
	}
	sortBy(out, func(t Text) hcl.Pos { return t.Range.Start })
	slices.SortStableFunc(out, func(a, b Text) int { return strings.Compare(a.Range.Filename, b.Range.Filename) })
	return out
}

// record keeps how long a text is.
func (w *binding) record(f message.Field, rng hcl.Range, parts []message.Part) {
	t := Text{Range: rng, Path: f.Path, Limit: w.limits()[f.Limit]}
	if t.Limit.Max == 0 {
		return
	}
	for _, p := range parts {
		if t.Length += message.CodePoints(p.Text); p.Slot >= 0 {
			t.Slots++
		}
	}
	if known, ok := w.cfg.texts[rng]; !ok || t.Limit.Max < known.Limit.Max {
		w.cfg.texts[rng] = t
	}
}

// limits are those of the provider that sends the message, else WhatsApp's own.
func (w *binding) limits() message.Limits {
	if w.cfg.eval.opt.Limits != nil && w.provider != "" {
		return w.cfg.eval.opt.Limits(w.provider)
	}
	return w.cfg.defaults
}

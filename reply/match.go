package reply

import (
	"slices"
	"time"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// match returns an Answer if the rule fires for the event, and otherwise the reason
// why not. It does the cheap checks first, and evaluates the condition last.
func (r *rule) match(ev *state.InboundEvent, k *Known) (*Answer, string, error) {
	if why := r.refuses(ev, k); why != "" {
		return nil, why, nil
	}
	groups, ok := r.textMatches(ev.Event.Text)
	if !ok {
		return nil, "text does not match", nil
	}
	a := &Answer{rule: r, ev: ev, vals: r.vector(ev, k, groups)}
	holds, err := r.program.Condition(a.vals)
	switch {
	case err != nil:
		return nil, "condition has no result", err
	case !holds:
		return nil, "condition does not hold", nil
	}
	return a, "", nil
}

// refuses returns which part of the rule the event does not meet, apart from the
// pattern and the condition; "" for none.
func (r *rule) refuses(ev *state.InboundEvent, k *Known) string {
	w := r.decl.When
	switch e := &ev.Event; {
	case r.decl.Provider != nil && r.decl.Provider.Address() != ev.Provider:
		return "another provider"
	case len(w.Types) > 0 && !slices.Contains(w.Types, e.Type):
		return "another type of message"
	case w.Order && e.Order == nil:
		return "no order"
	case w.ListReply != nil && !r.tapped(ev, "list_reply", w.ListReply.Address(), w.Rows, r.rows):
		return "no such row was tapped"
	case w.ButtonReply != nil && !r.pressed(ev):
		return "no such button was tapped"
	case len(w.Keywords) > 0 && !isKeyword(w.Keywords, e.Text):
		return "not one of the keywords"
	case w.FirstContact && !ev.First:
		return "not the first contact"
	case w.From != w.Until && !inTime(w, k.Now):
		return "not the time of day"
	}
	if last := k.LastReply[r.address]; r.decl.Cooldown > 0 && !last.IsZero() && k.Now.Before(last.Add(r.decl.Cooldown)) {
		return "cooldown"
	}
	return ""
}

// pressed reports whether the event is a tap on a button of the rule's message.
// WhatsApp distinguishes buttons of templates from those of other messages; a rule
// covers both.
func (r *rule) pressed(ev *state.InboundEvent) bool {
	w := r.decl.When
	address := w.ButtonReply.Address()
	return r.tapped(ev, "button_reply", address, w.Payloads, r.buttons) || r.tapped(ev, "button", address, w.Payloads, r.buttons)
}

// tapped reports whether the event is a tap of that kind on the message at
// address. WhatsApp may leave out what a tap answers; then the id must be one
// that the message has.
func (r *rule) tapped(ev *state.InboundEvent, kind, address string, ids []string, have choices) bool {
	e := &ev.Event
	if e.ReplyKind != kind || len(ids) > 0 && !slices.Contains(ids, e.ReplyID) {
		return false
	}
	if ev.Message != "" {
		return ev.Message == address
	}
	return len(ids) > 0 || slices.Contains(have.ids, e.ReplyID) || !have.complete
}

// isKeyword reports whether a text is one of the words and nothing else. Case,
// punctuation and spaces do not matter.
func isKeyword(words []string, text string) bool {
	text = fold(text)
	return slices.ContainsFunc(words, func(w string) bool { return fold(w) == text })
}

// inTime reports whether now is within the rule's time of day, in its time zone. A
// range may cross midnight: from 22:00 until 6:00. It includes From, but not Until.
func inTime(w *lang.When, now time.Time) bool {
	local := now.In(w.Timezone)
	minute := local.Hour()*60 + local.Minute()
	if w.From < w.Until {
		return minute >= w.From && minute < w.Until
	}
	return minute >= w.From || minute < w.Until
}

// textMatches returns the named groups of the rule's pattern; ok is true if there is
// no pattern.
func (r *rule) textMatches(text string) (groups map[string]message.Value, ok bool) {
	re := r.decl.When.Text
	if re == nil {
		return nil, true
	}
	at := re.FindStringSubmatchIndex(text)
	if at == nil {
		return nil, false
	}
	groups = map[string]message.Value{}
	for i, name := range re.SubexpNames() {
		if name == "" || at[2*i] < 0 {
			continue
		}
		groups[name] = message.Str(text[at[2*i]:at[2*i+1]])
	}
	return groups, true
}

// choices are the ids that a message offers. complete says that there are no others.
// It is false if the message has dynamic blocks or a template's buttons, whose ids
// are not known here.
type choices struct {
	ids      []string
	complete bool
}

// choicesOf collects the rows or buttons of a message.
func choicesOf(m *lang.Message, kind string) choices {
	c := choices{complete: true}
	if m == nil {
		return c
	}
	c.add(m.Tree.Blocks, kind)
	// A template's buttons are the provider's, not ours.
	c.complete = c.complete && m.Kind != message.KindTemplate && m.Kind != message.KindCarousel
	return c
}

// add collects the ids of blocks of a kind, at any depth.
func (c *choices) add(blocks []lang.Block, kind string) {
	for _, b := range blocks {
		switch {
		case b.Type == "dynamic":
			c.complete = false
		case b.Type == kind && len(b.Labels) > 0:
			c.ids = append(c.ids, b.Labels[0])
		default:
			c.add(b.Blocks, kind)
		}
	}
}

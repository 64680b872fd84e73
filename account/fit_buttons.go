package account

import (
	"fmt"
	"slices"

	"github.com/handbill/handbill/message"
)

// fillers are the types of a message's buttons that can fill a template's button,
// by the latter's type. A one-time-password button is filled as a URL. Source:
// Meta, template components and authentication templates, 2026-09-11.
var fillers = map[string][]message.TemplateButtonType{
	"quick_reply": {message.TemplateQuickReply}, "url": {message.TemplateURL}, "copy_code": {message.TemplateCopyCode},
	"otp": {message.TemplateURL}, "catalog": {message.TemplateCatalog}, "mpm": {message.TemplateMultiProduct},
	"flow": {message.TemplateFlow}, "voice_call": {message.TemplateVoiceCall},
	"phone_number": {}, "spm": {},
}

// needed reports whether a message has to fill the button.
func (b *Button) needed() bool {
	switch b.Type {
	case "url":
		return len(variablesOf(b.URL)) > 0
	case "copy_code", "otp", "mpm":
		return true
	}
	return false
}

func (f *fit) buttons(prefix string, given []message.TemplateButton, want []Button) {
	filled := map[int]bool{}
	for i := range given {
		g := &given[i]
		path := fmt.Sprintf("%sbutton[%d]", prefix, i)
		filled[g.Index] = true
		if g.Index < 0 || g.Index >= len(want) {
			f.say(path, "The template has %s, so there is none with the index %d.", plural(len(want), "button"), g.Index)
			continue
		}
		f.button(path, g, &want[g.Index])
	}
	for i := range want {
		if want[i].needed() && !filled[i] {
			f.say(prefix+"button", "The template's button %d (%s) has to be filled: button %q { type = %q … }.", i, message.SafeText(want[i].Text), fmt.Sprint(i), filler(want[i].Type))
		}
	}
}

func filler(kind string) message.TemplateButtonType {
	if types := fillers[kind]; len(types) > 0 {
		return types[0]
	}
	return message.TemplateButtonType(kind)
}

func (f *fit) button(path string, g *message.TemplateButton, t *Button) {
	types, known := fillers[t.Type]
	switch {
	case !known:
		f.found = append(f.found, Problem{Path: path, Doubt: true,
			Detail: fmt.Sprintf("The template's button %d is of the type %q, which this handbill does not know: whether the message fits it is not certain.", g.Index, message.SafeText(t.Type))})
	case len(types) == 0 || t.Type == "url" && len(variablesOf(t.URL)) == 0:
		f.say(path, "The template's button %d (%s) has nothing to fill.", g.Index, t.Type)
	case !slices.Contains(types, g.Type):
		f.say(path, "The template's button %d is filled with type %q, and the message gives %q.", g.Index, types[0], g.Type)
	}
}

// The cards that a product carousel may be sent with. Source: Meta,
// product-card-carousel templates, 2025-11-21.
const minCards, maxCards = 2, 10

// cards checks a carousel's cards against the template's. There must be as many
// media cards as the template has; the number of product cards may differ, and all
// must be like the template's first.
func (f *fit) cards(given []message.TemplateCard, want []Card) {
	switch products := len(want) > 0 && want[0].Header != nil && want[0].Header.Format == "product"; {
	case len(want) == 0:
		if len(given) > 0 {
			f.say("card", "The template has no cards, and the message gives %d.", len(given))
		}
		return
	case products && (len(given) < minCards || len(given) > maxCards):
		f.say("card", "The template is a row of products: the message gives %d to %d cards, not %d.", minCards, maxCards, len(given))
		return
	case products:
		for i := range given {
			f.card(i, &given[i], &want[0])
		}
		return
	case len(given) != len(want):
		f.say("card", "The template has %s, and the message gives %d: it has to give each.", plural(len(want), "card"), len(given))
		return
	}
	for i := range given {
		f.card(i, &given[i], &want[i])
	}
}

func (f *fit) card(i int, m *message.TemplateCard, t *Card) {
	f.content(fmt.Sprintf("card[%d].", i), part{m.Header, m.Body, m.Buttons}, &t.Content, false)
}

package account

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/handbill/handbill/message"
)

// Problem is where a message does not fit its template.
type Problem struct {
	Path   string // in the message, such as "button[0]"
	Detail string // a sentence
	Doubt  bool   // it may still fit: what is known does not show it
}

// Fit checks the shape of a message against the template that it names: its
// parameters, header, buttons, cards and offer. Values are not checked, so a
// message with unfilled slots will do. Source: Meta, template components, media and
// product card carousels, read 2025-11-21 and 2026-09-11.
func Fit(m *message.Template, t *Template) []Problem {
	f := &fit{named: t.Named}
	f.content("", part{m.Header, m.Body, m.Buttons}, &t.Content, t.Category == Authentication)
	f.cards(m.Cards, t.Cards)
	switch {
	case m.Offer != nil && !t.Expires:
		f.say("limited_time_offer", "The template says no time at which an offer ends, so the message can't give one.")
	case m.Offer == nil && t.Expires:
		f.say("limited_time_offer", "The template's offer has an end, so the message needs limited_time_offer { expires = … }.")
	}
	for _, kind := range t.Strange {
		f.found = append(f.found, Problem{Detail: fmt.Sprintf("The template has a part of the kind %q, which this handbill does not know: whether the message fits it is not certain.", message.SafeText(kind)), Doubt: true})
	}
	return f.found
}

type fit struct {
	named bool
	found []Problem
}

// part is what a message provides for a Content.
type part struct {
	header  *message.TemplateHeader
	body    []message.TemplateParameter
	buttons []message.TemplateButton
}

func (f *fit) say(path, format string, args ...any) {
	f.found = append(f.found, Problem{Path: path, Detail: fmt.Sprintf(format, args...)})
}

// variable matches a variable in a template's text.
var variable = regexp.MustCompile(`\{\{\s*([A-Za-z0-9_]+)\s*\}\}`)

// variablesOf returns the names or numbers of the variables of a template's text in
// order, each once.
func variablesOf(text string) []string {
	var out []string
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(out, m[1]) {
			out = append(out, m[1])
		}
	}
	return out
}

func (f *fit) content(prefix string, m part, t *Content, code bool) {
	want := variablesOf(t.Body)
	if code && len(want) == 0 {
		want = []string{"1"} // its text is Meta's own, and some answers leave it out
	}
	f.parameters(prefix+"body", m.body, want)
	f.header(prefix+"header", m.header, t.Header)
	f.buttons(prefix, m.buttons, t.Buttons)
}

// parameters checks the parameters of a body against the variables of its text.
func (f *fit) parameters(path string, given []message.TemplateParameter, want []string) {
	var names []string
	for i := range given {
		if given[i].Name != "" {
			names = append(names, given[i].Name)
		}
	}
	switch {
	case f.named && len(names) < len(given):
		f.say(path, "The template's parameters have names, so they are given as an object: { %s }.", sample(want))
	case !f.named && len(names) > 0:
		f.say(path, "The template's parameters have numbers and no names, so they are given as a list of %d, in the order of the numbers.", len(want))
	case f.named:
		f.names(path, names, want)
	case len(given) != len(want):
		f.say(path, "The template has %s, and the message gives %d.", plural(len(want), "parameter"), len(given))
	}
}

func (f *fit) names(path string, given, want []string) {
	for _, name := range given {
		if !slices.Contains(want, name) {
			f.say(path, "The template has no parameter %q. %s", name, has(want))
		}
	}
	for _, name := range want {
		if !slices.Contains(given, name) {
			f.say(path, "The template's parameter %q is missing.", message.SafeText(name))
		}
	}
}

func has(names []string) string {
	if len(names) == 0 {
		return "It has none."
	}
	return "It has: " + message.SafeText(strings.Join(names, ", ")) + "."
}

// sample shows how named parameters are written.
func sample(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, message.SafeText(n)+" = …")
	}
	return strings.Join(out, ", ")
}

// header checks a message's header against the template's.
func (f *fit) header(path string, m *message.TemplateHeader, t *Header) {
	switch {
	case t == nil || t.Format == "text" && len(variablesOf(t.Text)) == 0:
		if m != nil {
			f.say(path, "The template's header has nothing to fill, so the message can't give one.")
		}
		return
	case m == nil:
		f.say(path, "The template's header is %s, which the message has to give: header { %s }.", headerKind(t.Format), headerArgument(t.Format))
		return
	}
	given := givenHeader(m)
	switch t.Format {
	case "text":
		if given != "text" {
			f.say(path, "The template's header is a text, and the message gives %s.", headerKind(given))
			return
		}
		f.headerName(path, m.Text.Name, variablesOf(t.Text)[0])
	case "image", "video", "document", "location", "product":
		if given != t.Format {
			f.say(path, "The template's header is %s, and the message gives %s.", headerKind(t.Format), headerKind(given))
		}
	default:
		f.found = append(f.found, Problem{Path: path, Detail: fmt.Sprintf("The template's header is of the kind %q: whether the message fits it is not certain.", message.SafeText(t.Format)), Doubt: true})
	}
}

func (f *fit) headerName(path, given, want string) {
	switch {
	case f.named && given != want:
		f.say(path, "The header's parameter is called %q in the template: parameter_name = %q.", message.SafeText(want), message.SafeText(want))
	case !f.named && given != "":
		f.say(path, "The template's parameters have numbers and no names, so the header has no parameter_name.")
	}
}

func givenHeader(m *message.TemplateHeader) string {
	switch {
	case m.Text != nil:
		return "text"
	case m.Media != nil:
		return string(m.Media.Type)
	case m.Location != nil:
		return "location"
	}
	return "product"
}

func headerKind(format string) string {
	switch format {
	case "text":
		return "a text with a variable"
	case "image":
		return "an image"
	}
	return "a " + message.SafeText(format)
}

func headerArgument(format string) string {
	switch format {
	case "location":
		return "latitude = …, longitude = …"
	case "product":
		return "catalog = …, product = …"
	case "gif":
		return "video = …"
	}
	return message.SafeText(format) + " = …"
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}

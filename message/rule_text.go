package message

import (
	"strconv"
	"strings"
)

// textRule checks one text by itself: whether it is there, readable, within its
// bounds, and of its type.
type textRule struct {
	field    int
	path     string
	name     string // first part of the rules' codes
	kind     FieldType
	optional bool
	limit    Limit
	source   string
	format   *format
	// prefixed says that the text begins with a constant which already holds
	// an https URL's host, so that only its rest can be wrong.
	prefixed bool
}

func newTextRule(i int, f Field, b *builder) *textRule {
	r := &textRule{field: i, path: f.Path, name: f.Limit, kind: f.Type, optional: f.Optional}
	r.limit, r.source = b.limit(f.Limit)
	if known, ok := formats[f.Limit]; ok {
		r.format = &known
	}
	return r
}

func (r *textRule) refs() []int { return []int{r.field} }

func (r *textRule) check(t texts) (found []Violation) {
	if t.isBound(r.field) && r.clean(t.summary(r.field)) {
		return nil
	}
	r.judge(t.at(r.field), func(v Violation) { found = append(found, v) })
	return found
}

// clean reports whether a text with this summary cannot break any of the rules.
// False only means that the text must be checked.
func (r *textRule) clean(s summary) bool {
	if s.runes == 0 {
		return r.optional
	}
	if s.has&(invalid|control|leftover|ampersand) != 0 || s.has&visible == 0 {
		return false
	}
	return r.cleanLength(s) && r.cleanType(s)
}

func (r *textRule) cleanLength(s summary) bool {
	l := r.limit
	return r.kind == FieldNumber ||
		s.runes >= l.Min && (l.Max == 0 || s.utf16 <= l.Max) && (l.Warn == 0 || s.runes <= l.Warn)
}

func (r *textRule) cleanType(s summary) bool {
	if r.format != nil {
		return false
	}
	switch r.kind {
	case FieldText:
		return true
	case FieldID:
		return s.has&lineBreak == 0 && plainEdge(s.first) && plainEdge(s.last)
	case FieldParameter:
		return s.has&(lineBreak|doubleSpace) == 0 && (r.name != urlEnd || s.has&(space|foreign) == 0 && s.first|0x20 != 'h')
	case FieldURL:
		return r.prefixed && s.has&(lineBreak|space) == 0
	}
	return false
}

func plainEdge(c byte) bool { return c > ' ' && c < 0x7f }

// judge reports everything that is wrong with s.
func (r *textRule) judge(s string, report func(Violation)) {
	if s == "" {
		if !r.optional {
			r.report(report, "required", Error, "The text is empty or missing; WhatsApp needs it. Give a text, or handle the empty value with coalesce(...).")
		}
		return
	}
	sum := scan(s)
	switch {
	case sum.has&invalid != 0:
		r.report(report, "utf8", Error, "The text is not valid UTF-8, so it can't be sent as JSON. Convert its source to UTF-8.")
		return
	case sum.has&visible == 0:
		r.report(report, "blank", Error, "The text has no visible character; WhatsApp treats it as empty and refuses it. Leave it out, or give a text.")
		return
	case sum.has&control != 0, sum.has&lineBreak != 0 && r.kind != FieldText && r.kind != FieldParameter && r.kind != FieldJSON:
		r.report(report, "control", Error, "The text holds a control character, which no phone can show. Remove it, for example with replace(...).")
	}
	r.judgeLength(sum, report)
	r.judgeType(s, sum, report)
	if sum.has&ampersand != 0 && r.isProse() && UnescapeHTML(s) != s {
		report(Violation{Path: r.path, Rule: "text.html_entity", Severity: Warning, Source: "what web shops export",
			Detail: `The text holds an HTML entity, such as "&amp;" or "&#39;", which a phone shows as it is written. Make the character of it: unescape(...).`})
	}
	if sum.has&leftover != 0 {
		report(Violation{Path: r.path, Rule: "text.leftover_interpolation", Severity: Warning, Source: "the language of handbill",
			Detail: `The text still holds "${" or "%{" and would be sent so. A doubled "$${" is the escape of a literal "${": for a dollar before a price write "\u0024${price}", or money(price, "USD").`})
	}
}

// isProse reports whether people read the text.
func (r *textRule) isProse() bool {
	return r.kind == FieldText || r.kind == FieldParameter && r.name != urlEnd
}

// judgeLength checks the text's length against its limit. For a number the value is
// bounded instead.
func (r *textRule) judgeLength(s summary, report func(Violation)) {
	l := r.limit
	if r.kind == FieldNumber {
		return
	}
	switch {
	case s.runes < l.Min:
		r.bound(report, "min", l.Min, s.runes, Error, itoa(s.runes)+" characters; WhatsApp needs at least "+itoa(l.Min)+".")
	case l.Max > 0 && s.runes > l.Max:
		r.bound(report, "max", l.Max, s.runes, Error, itoa(s.runes)+" characters; WhatsApp takes at most "+itoa(l.Max)+
			" and refuses the whole message. Shorten it by "+itoa(s.runes-l.Max)+", or use truncate(...).")
	case l.Max > 0 && s.utf16 > l.Max:
		r.bound(report, "utf16", l.Max, s.utf16, Warning, itoa(s.runes)+" characters, but "+itoa(s.utf16)+" in UTF-16, where an emoji counts as two or more; "+
			"the limit is "+itoa(l.Max)+" and Meta does not say which count it uses. Shorten it to be safe.")
	}
	if l.Warn > 0 && s.runes > l.Warn && (l.Max == 0 || s.runes <= l.Max) {
		r.bound(report, "advised", l.Warn, s.runes, Warning, itoa(s.runes)+" characters; sources disagree, and some say that WhatsApp takes no more than "+itoa(l.Warn)+".")
	}
}

func (r *textRule) judgeType(s string, sum summary, report func(Violation)) {
	switch r.kind {
	case FieldID:
		if strings.TrimSpace(s) != s {
			r.report(report, "spaces", Error, "The id begins or ends with a space, which WhatsApp refuses. Remove it, for example with trimspace(...).")
		}
	case FieldURL:
		r.judgeURL(s, report)
	case FieldNumber:
		r.judgeNumber(s, report)
	case FieldJSON:
		if !isObject(s) {
			r.report(report, "json", Error, "The text is not a non-empty JSON object. Write it with jsonencode({...}).")
		}
	case FieldParameter:
		r.judgeParameter(s, sum, report)
	}
	if r.format != nil && !r.format.valid(s) {
		r.report(report, "format", Error, r.format.detail)
	}
}

func (r *textRule) judgeURL(s string, report func(Violation)) {
	secure, ok := httpURL(s)
	switch {
	case !ok:
		r.report(report, "shape", Error, "The text is not an http or https URL with a host and without spaces. Write the whole address, such as \"https://shop.example/spring\".")
	case !secure:
		r.report(report, "https", Warning, "The URL begins with http://, so that anybody on the way can read and change the page. Write https:// if the site has it.")
	}
}

func (r *textRule) judgeNumber(s string, report func(Violation)) {
	if r.limit.Min == 0 && r.limit.Max == 0 {
		return
	}
	n, err := strconv.Atoi(s)
	switch {
	case err != nil:
		r.report(report, "format", Error, "The text is not a whole number.")
	case n < r.limit.Min:
		r.bound(report, "min", r.limit.Min, n, Error, "the value "+itoa(n)+"; WhatsApp needs at least "+itoa(r.limit.Min)+".")
	case n > r.limit.Max:
		r.bound(report, "max", r.limit.Max, n, Error, "the value "+itoa(n)+"; WhatsApp takes at most "+itoa(r.limit.Max)+".")
	}
}

// judgeParameter checks a template's parameter for what WhatsApp refuses with
// 132018.
func (r *textRule) judgeParameter(s string, sum summary, report func(Violation)) {
	if sum.has&lineBreak != 0 {
		r.report(report, "line_break", Error, "A template's parameter may hold no line break and no tab; WhatsApp refuses the message (132018). Put the break into the template, or use replace(...).")
	}
	if sum.has&doubleSpace != 0 && strings.Contains(s, "     ") {
		r.report(report, "spaces", Error, "A template's parameter may hold no more than 4 spaces in a row; WhatsApp refuses the message (132018). Use replace(...).")
	}
	if r.name == urlEnd {
		r.judgeURLEnd(s, sum, report)
	}
}

// urlEnd is the limit of the variable end of a template button's URL.
const urlEnd = "template.button.url"

// judgeURLEnd checks the variable end of a URL, whose beginning is in the template.
func (r *textRule) judgeURLEnd(s string, sum summary, report func(Violation)) {
	if _, whole := httpURL(s); whole {
		r.report(report, "whole", Warning, "The text is a whole URL, and WhatsApp puts it behind the beginning that the template has, so the link would lead nowhere. Give the end alone, such as \"spring?u=7\".")
	}
	if sum.has&(space|foreign) != 0 {
		r.report(report, "encoding", Error, "The text is the end of a URL and holds a space or a character outside ASCII, at which a phone may cut the link. Encode the value: urlencode(...).")
	}
}

func (r *textRule) report(report func(Violation), suffix string, s Severity, detail string) {
	report(Violation{Path: r.path, Rule: r.name + "." + suffix, Severity: s, Detail: detail, Source: r.source})
}

func (r *textRule) bound(report func(Violation), suffix string, limit, got int, s Severity, detail string) {
	report(Violation{
		Path: r.path, Rule: r.name + "." + suffix, Limit: limit, Got: got,
		Severity: s, Detail: "The text has " + detail, Source: r.source,
	})
}

func itoa(n int) string { return strconv.Itoa(n) }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return itoa(n) + " " + many
}

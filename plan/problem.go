package plan

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/message"
)

// problem is what is wrong with one recipient. Problems are compared by their
// cause, and hold no value of the recipient.
type problem struct {
	cause
	severity hcl.DiagnosticSeverity
	detail   string
	got      int
	with     message.Place // another row that it is about; zero for none
}

// cause identifies a problem: recipients with the same cause share one
// diagnostic.
type cause struct {
	code     string
	campaign string
	path     string // of the text, with a limit
	rule     string // of the limit, or the expression's error
	file     string // where the cause stands
	line     int
	column   int
}

// problems collects what is wrong with recipients: one diagnostic for each
// cause, with a count and the first rows.
type problems struct {
	groups map[cause]*problemGroup
	order  []*problemGroup
}

// problemGroup counts one problem at one place of the configuration, with the
// first rows that have it.
type problemGroup struct {
	problem
	rng    hcl.Range
	count  int
	places []message.Place // the first three
	withs  []message.Place // of these the other rows
	worst  int
}

// shownPlaces is how many rows a diagnostic names.
const shownPlaces = 3

// add counts a problem of a row.
func (p *problems) add(found problem, rng hcl.Range, place message.Place) {
	found.file, found.line, found.column = rng.Filename, rng.Start.Line, rng.Start.Column
	g := p.groups[found.cause]
	if g == nil {
		g = &problemGroup{problem: found, rng: rng, worst: found.got}
		if p.groups == nil {
			p.groups = map[cause]*problemGroup{}
		}
		p.groups[found.cause] = g
		p.order = append(p.order, g)
	}
	g.count++
	if found.got > g.worst {
		g.worst, g.detail = found.got, found.detail
	}
	if len(g.places) < shownPlaces {
		g.places, g.withs = append(g.places, place), append(g.withs, found.with)
	}
}

// diagnostics are one for each cause, in the order of their first rows.
func (p *problems) diagnostics() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, g := range p.order {
		var b strings.Builder
		fmt.Fprintf(&b, "%s: %s", g.campaign, recipients(g.count))
		if g.path != "" {
			fmt.Fprintf(&b, ", %s (%s)", g.path, g.rule)
		}
		fmt.Fprintf(&b, ": %s.", placeList(g.places, g.withs, g.count))
		if g.detail != "" {
			b.WriteString(" ")
			if g.count > 1 && g.worst > 0 {
				b.WriteString("The worst: ")
			}
			b.WriteString(ended(g.detail))
		}
		diags = append(diags, diagnose(g.severity, g.code, g.rng, "%s", b.String()))
	}
	return diags
}

// ended returns s with a capital at the beginning and a full stop at the end.
func ended(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return dotted(string(unicode.ToUpper(r)) + s[n:])
}

// dotted returns s with a full stop, unless it ends with punctuation already.
func dotted(s string) string {
	if s == "" || strings.ContainsRune(".!?:", rune(s[len(s)-1])) {
		return s
	}
	return s + "."
}

func recipients(n int) string {
	if n == 1 {
		return "1 recipient"
	}
	return strconv.Itoa(n) + " recipients"
}

// placeList is "contacts.csv:118, :240, :311 and 37 more", with other rows
// "contacts.csv:118 (with contacts.csv:2)".
func placeList(places, withs []message.Place, count int) string {
	var b strings.Builder
	for i, p := range places {
		switch {
		case i == 0:
			b.WriteString(p.String())
		case p.File == places[i-1].File && p.File != "":
			b.WriteString(", " + p.Within())
		default:
			b.WriteString(", " + p.String())
		}
		if withs[i] != (message.Place{}) {
			fmt.Fprintf(&b, " (with %s)", withs[i])
		}
	}
	if more := count - len(places); more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}

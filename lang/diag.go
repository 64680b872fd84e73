package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
)

// diagExtra is what every diagnostic of this package carries in Extra.
type diagExtra struct {
	code    string
	wrapped any    // hcl's own Extra
	chain   string // the end of Detail that says in which module it is; "" for none
}

// UnwrapDiagnosticExtra lets hcl's helpers find what they put there.
func (e *diagExtra) UnwrapDiagnosticExtra() any { return e.wrapped }

// DiagCode returns the stable code of a diagnostic, such as "unknown_name", for
// scripts and `handbill explain`; "" for a diagnostic that is not of the
// language.
func DiagCode(d *hcl.Diagnostic) string {
	if e, ok := d.Extra.(*diagExtra); ok {
		return e.code
	}
	return ""
}

// diagList collects diagnostics and keeps equal ones once, since a message is
// checked for each campaign that uses it, and a module for each of its calls.
type diagList struct {
	all  hcl.Diagnostics
	seen map[string]bool
	in   *module // what diagnostics are about; nil for the configuration itself
}

func (l *diagList) add(d *hcl.Diagnostic) {
	if e, ok := d.Extra.(*diagExtra); ok && e.chain == "" && l.in != nil {
		e.chain = l.in.chain()
		d.Detail += e.chain
	}
	key := d.Summary + "\x00" + strings.TrimSuffix(d.Detail, chainOf(d))
	if d.Subject != nil {
		key += "\x00" + d.Subject.String()
	}
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	if !l.seen[key] {
		l.seen[key] = true
		l.all = append(l.all, d)
	}
}

// chainOf is the end of a diagnostic's Detail that says in which module it is.
func chainOf(d *hcl.Diagnostic) string {
	if e, ok := d.Extra.(*diagExtra); ok {
		return e.chain
	}
	return ""
}

// take adds diagnostics of hcl and of eval. It drops their expressions and
// contexts, from which a writer would print values.
func (l *diagList) take(diags hcl.Diagnostics) {
	for _, d := range diags {
		c := *d
		c.Expression, c.EvalContext = nil, nil
		if ours, ok := c.Extra.(*diagExtra); ok {
			again := *ours
			c.Extra = &again
		} else {
			c.Extra = &diagExtra{code: foreignCode(c.Summary), wrapped: d.Extra}
		}
		l.add(&c)
	}
}

func (l *diagList) err(code string, rng hcl.Range, format string, args ...any) {
	l.add(newDiag(hcl.DiagError, code, rng, fmt.Sprintf(format, args...)))
}

func (l *diagList) warn(code string, rng hcl.Range, format string, args ...any) {
	l.add(newDiag(hcl.DiagWarning, code, rng, fmt.Sprintf(format, args...)))
}

// errors counts the errors, to tell whether a step added any.
func (l *diagList) errors() int {
	n := 0
	for _, d := range l.all {
		if d.Severity == hcl.DiagError {
			n++
		}
	}
	return n
}

// newDiag makes a diagnostic with the Summary that the table of codes has for its
// code, so that the same problem always has the same words.
func newDiag(sev hcl.DiagnosticSeverity, code string, rng hcl.Range, detail string) *hcl.Diagnostic {
	summary := summaryOf(code)
	if summary == "" {
		panic("lang: no such diagnostic code: " + code)
	}
	d := &hcl.Diagnostic{Severity: sev, Summary: summary, Detail: detail, Extra: &diagExtra{code: code}}
	if rng.Filename != "" {
		d.Subject = &rng
	}
	return d
}

// DidYouMean returns ` Did you mean "x"?` with the name nearest to what was given;
// "" if none is near.
func DidYouMean(given string, names []string) string { return didYouMean(given, names) }

// didYouMean returns ` Did you mean "x"?`, or "" if no name is near.
func didYouMean(given string, names []string) string {
	if near := nearest(given, names); near != "" {
		return fmt.Sprintf(" Did you mean %q?", near)
	}
	return ""
}

// nearest returns the name most like given; "" if none is like it. Of equally near
// names it returns the first in the alphabet.
func nearest(given string, names []string) string {
	names = slices.Sorted(slices.Values(names))
	best, bestDistance := "", 3
	if len(given) > 8 {
		bestDistance = 4
	}
	for _, name := range names {
		if d := levenshtein.Distance(strings.ToLower(given), strings.ToLower(name), nil); d < bestDistance && d < max(len(given), 2) {
			best, bestDistance = name, d
		}
	}
	return best
}

// listOf is "a, b and c".
func listOf(names []string) string {
	switch len(names) {
	case 0:
		return "none"
	case 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

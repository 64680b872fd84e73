package plan

import (
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
)

// template says what a recipient's language means: why the message waits, or that
// the template lacks the language, which it reports.
func (j *judge) template(c *compiled, values []string, v *verdict) (hold delivery.Reason, ok bool) {
	f := c.fitted
	switch {
	case f == nil:
		return delivery.ReasonNone, true
	case f.fixed != nil:
		return f.fixed.hold(), true
	}
	_, code := f.language(values)
	tr := f.langs[code]
	bad := func(reason delivery.Reason, problemCode, path, detail string) (delivery.Reason, bool) {
		v.skip(reason)
		j.problem(v, c.program.Range(path), problem{cause: cause{code: problemCode, path: path, rule: message.SafeText(code)}, detail: detail})
		return delivery.ReasonNone, false
	}
	switch {
	case tr == nil:
		return bad(delivery.ReasonTemplateLanguage, "template_language", "language", f.others(code))
	case len(tr.problems) > 0:
		return bad(delivery.ReasonTemplateUnusable, "template_mismatch", tr.problems[0].Path, tr.problems[0].Detail)
	case tr.unusable() != "":
		return bad(delivery.ReasonTemplateUnusable, "template_unusable", "language", tr.unusable())
	}
	return tr.hold(), true
}

// use records a language in which something is sent.
func (f *fitted) use(values []string) {
	if f == nil || f.fixed != nil {
		return
	}
	_, code := f.language(values)
	if tr := f.langs[code]; tr != nil {
		tr.used = true
	}
}

package plan

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/hashicorp/hcl/v2"
)

// render evaluates and checks the recipient's message, and defers it where the
// schedule says so. It comes after the rules of delivery, so a broken template
// raises no error for people who get nothing anyway. A message that is deferred is
// rendered too, since apply evaluates nothing and needs it whole in the plan.
func (j *judge) render(w *worker, b *batch, c *compiled, v *verdict) {
	values, ok := j.values(w, b, c, v)
	if !ok {
		return
	}
	zone := j.zone(w, b, v)
	reason := j.campaign.Quiet.Wait(&w.clock, j.at, zone)
	local := reason == delivery.ReasonQuietHours || reason == delivery.ReasonLocalTime
	if j.campaign.Quiet.zoneless(zone) || local && j.alwaysQuiet(w, zone) {
		v.skip(delivery.ReasonZoneUnknown)
		j.problem(v, j.decl.Schedule.DeclRange, problem{cause: cause{code: "quiet_hours_zone_unknown"}})
		return
	}
	if reason == delivery.ReasonExpired {
		v.skip(reason)
		return
	}
	hold, ok := j.template(c, values, v)
	if !ok {
		return
	}
	if hold != delivery.ReasonNone {
		reason = hold // precedes the schedule, whose end apply sees by itself
	}
	if !j.keep(w, b, v) {
		return
	}
	v.entry.Draft, v.entry.Values = c.draft, values
	v.entry.Digest = j.digest(w, c, values)
	v.length = c.body.length(values)
	if reason == delivery.ReasonNone && j.campaign.Halted() {
		reason = delivery.ReasonHalted
	}
	if due := time.Unix(v.follows, 0).UTC(); v.follows != 0 && j.at.Before(due) {
		reason, hold, v.entry.Due = delivery.ReasonNotDue, delivery.ReasonNotDue, due
	}
	// A repetition keeps its action while it waits: apply asks the schedule again,
	// and finds here that the template waits, or that it is too early.
	if v.entry.Action.Repeats() {
		v.entry.Reason = hold
	}
	if reason != delivery.ReasonNone && !v.entry.Action.Repeats() {
		v.entry.Action, v.entry.Reason = Defer, reason
	}
	if reason == delivery.ReasonLocalTime {
		v.due = j.due(w, zone)
	}
}

// zone returns the time zone of the recipient's quiet hours and keeps it in the
// entry for apply. It is the zone that the audience gives, else "" for the
// schedule's own, else all zones that the number may be in.
func (j *judge) zone(w *worker, b *batch, v *verdict) string {
	q := j.campaign.Quiet
	if q == nil || q.Attribute < 0 {
		return ""
	}
	zone := ""
	if j.timezone >= 0 {
		zone = w.person.Attributes[j.timezone].Text
	}
	if zone != "" && w.clock.zone(zone) == nil {
		p := problem{cause: cause{code: "invalid_time_zone"}, severity: hcl.DiagWarning}
		p.campaign = j.campaign.Address
		v.problems = append(v.problems, placed{p, j.decl.Audience.DeclRange})
		zone = ""
	}
	if zone == "" && q.Timezone == "" {
		zone = zonesOfAddress(v.entry.Recipient.Address)
	}
	if zone != "" {
		b.zones = append(b.zones, message.Str(zone))
		v.entry.Recipient.Attributes = b.zones[len(b.zones)-1:]
	}
	return zone
}

// due returns when a message to somebody in the zone may go out.
func (j *judge) due(w *worker, zone string) int64 {
	at, known := w.due[zone]
	if !known {
		open, _ := j.campaign.Quiet.Open(&Clock{}, j.at, zone)
		at = open.Unix()
		if w.due == nil {
			w.due = map[string]int64{}
		}
		w.due[strings.Clone(zone)] = at // zone may be a piece of a larger text
	}
	return at
}

// alwaysQuiet reports whether, at every time of day when the campaign may go out,
// it is quiet in at least one of the zones.
func (j *judge) alwaysQuiet(w *worker, zone string) bool {
	if !strings.Contains(zone, " ") {
		return false
	}
	if w.always == nil {
		w.always = map[string]bool{}
	}
	always, known := w.always[zone]
	if !known {
		_, ok := j.campaign.Quiet.Open(&Clock{}, j.at, zone)
		always = !ok
		w.always[strings.Clone(zone)] = always // zone may be a piece of a larger text
	}
	return always
}

// values evaluates and checks the message for the recipient.
func (j *judge) values(w *worker, b *batch, c *compiled, v *verdict) ([]string, bool) {
	r := v.entry.Recipient
	r.Attributes = w.person.Attributes
	values, err := j.eval(w, b, c, &r)
	if err != nil {
		j.valueError(w, v, err)
		return nil, false
	}
	if !c.checker.Dynamic() {
		return values, true
	}
	ok := true
	c.checker.Check(values, func(found message.Violation) {
		p := problem{cause: cause{code: "message_limit", path: found.Path, rule: found.Rule}, detail: found.Detail, got: found.Got}
		if found.Severity == message.Warning {
			p.code, p.severity, p.campaign = "message_limit_advised", hcl.DiagWarning, j.campaign.Address
			v.problems = append(v.problems, placed{p, c.program.Range(found.Path)})
			return
		}
		ok = false
		j.problem(v, c.program.Range(found.Path), p)
	})
	if !ok {
		v.skip(delivery.ReasonMessageLimit)
	}
	return values, ok
}

// eval appends the recipient's values to those of the batch.
func (j *judge) eval(w *worker, b *batch, c *compiled, r *message.Recipient) ([]string, error) {
	from := len(b.values)
	all, err := c.program.EvalInto(r, b.values, &w.text)
	if err != nil {
		return nil, err
	}
	b.values = all
	return all[from:len(all):len(all)], nil
}

// valueError leaves out a recipient for whom a text has no value.
func (j *judge) valueError(w *worker, v *verdict, err error) {
	var failed *lang.ValueError
	if !errors.As(err, &failed) {
		v.skip(delivery.ReasonEvaluation)
		j.problem(v, j.decl.DeclRange, problem{cause: cause{code: "evaluation"}, detail: err.Error()})
		return
	}
	reason, detail := delivery.ReasonEvaluation, detailOr(failed.Detail, failed.Summary)
	if failed.Code == "empty_value" {
		reason = delivery.ReasonEmptyValue
	}
	if w.person.Placeholder(attribute(j.decl.Audience, failed.Attribute)) {
		reason, detail = delivery.ReasonPlaceholder, placeholderDetail(failed.Attribute)
	}
	v.skip(reason)
	j.problem(v, failed.Range, problem{cause: cause{code: string(reason), rule: failed.Summary + failed.Attribute}, detail: detail})
}

// placeholderDetail says what to do about an attribute that holds a placeholder.
func placeholderDetail(name string) string {
	return fmt.Sprintf("The attribute %s holds what an export writes where there is no value, such as NULL or N/A, or the name of its column, and that counts as empty. "+
		"Handle it with coalesce(recipient.%s, \"…\") or a conditional, add %q to the audience's optional, or say with its placeholders which texts are meant as they are.", name, name, name)
}

// textChanged reports whether the recipient was sent a text other than today's.
func (j *judge) textChanged(w *worker, b *batch, p texts, r message.Recipient, digest [16]byte) bool {
	if digest == ([16]byte{}) {
		return false // sent by somebody else, and imported
	}
	r.Attributes = w.person.Attributes
	for _, c := range []*compiled{p.main, p.fallback} {
		if c == nil {
			continue
		}
		values, err := j.eval(w, b, c, &r)
		if err == nil && j.digest(w, c, values) == digest {
			return false
		}
	}
	return true
}

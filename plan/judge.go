package plan

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// compiled is a message ready to be made for recipients.
type compiled struct {
	draft    int // index into Plan.Drafts
	program  *lang.Program
	checker  *message.Checker
	digester *message.Digester
	body     bodyMeter
	window   bool   // it needs an open window
	category string // for the price
}

// judge decides about the recipients of one campaign, one at a time and each
// by itself: what depends on other recipients is the ledger's. It is safe for
// concurrent use by workers of their own.
type judge struct {
	index    int
	campaign *Campaign
	decl     *lang.Campaign
	rows     *lang.Rows
	main     *compiled
	fallback *compiled // nil for none
	known    *known
	windows  *windows // of the campaign's number
	table    aliases  // of this revision
	last     *aliases // of the revision before, while this one has nobody; else nil
	excluded []*excludedSet
	earlier  *table[struct{}] // who had an earlier revision; nil unless resending is prevented
	earkeys  *keys
	scope    *scope
	timezone int // index of the attribute "timezone"; -1 for none
	at       time.Time
}

// verdict is what a judge says about one row.
type verdict struct {
	entry   Entry
	key     string // of the person: the same for every id of theirs, and every spelling of a number
	id      uint64 // key as a number; 0 where it is none
	own     string // the recipient's own key, canonical
	dropped bool   // the audience's filter leaves it out
	keyless bool   // no usable address
	oldText bool
	seen    bool // the last audience had this recipient
	resend  bool // had an earlier revision, or this one
	starts  bool // a message would go out to somebody whose window is closed
	length  int  // code points of the body
	ends    ends
	// problems are what is wrong; nearly always none.
	problems []placed
}

// ends is where in its batch a verdict's encoded entry ends, and what the plan's
// digest covers of it.
type ends struct{ entry, decided int }

// phone is the number of the recipient as a key; 0 for none. It is the id's but
// for numbers with several spellings.
func (v *verdict) phone() uint64 {
	if v.entry.Recipient.Phone == v.key {
		return v.id
	}
	phone, _ := phoneKey(v.entry.Recipient.Phone)
	return phone
}

// placed is a problem with its cause's place in the configuration.
type placed struct {
	problem
	rng hcl.Range
}

// worker is what one goroutine reuses from row to row.
type worker struct {
	person  lang.Person
	numbers *audience.Numbers
	clock   Clock
	always  map[string]bool  // zones that are never open together
	sums    [2]*message.Sums // of the message and its fallback
	core    []byte
	text    []byte
}

func (j *judge) worker(numbers *audience.Numbers) *worker {
	w := &worker{numbers: numbers}
	for i, c := range []*compiled{j.main, j.fallback} {
		if c != nil {
			w.sums[i] = c.digester.Sums()
		}
	}
	return w
}

// digest identifies the message that c makes of the values.
func (j *judge) digest(w *worker, c *compiled, values []string) [16]byte {
	if c == j.fallback {
		return w.sums[1].Sum(values)
	}
	return w.sums[0].Sum(values)
}

// row decides about one row of the audience. err is an error of the row.
func (j *judge) row(w *worker, b *batch, values []message.Value, v *verdict, err error) {
	v.entry.Draft = -1
	v.entry.Campaign = j.index
	if err == nil {
		err = j.rows.Eval(values, &w.person)
	}
	if err != nil {
		j.rowError(v, err)
		return
	}
	if !w.person.Keep {
		v.dropped = true
		return
	}
	if !j.address(w, v) {
		return
	}
	if !j.scope.targeted(j.campaign.Address, v.key) {
		v.skip(delivery.ReasonNotTargeted)
		return
	}
	j.decide(w, b, v)
}

// rowError leaves out a row that has no meaning.
func (j *judge) rowError(v *verdict, err error) {
	v.keyless = true
	var unreadable *audience.Error
	var failed *lang.RowError
	switch {
	case errors.As(err, &unreadable):
		v.skip(delivery.ReasonUnreadableRow)
		j.problem(v, j.decl.Audience.Source.DeclRange, problem{cause: cause{code: "unreadable_row", rule: unreadable.Summary}, detail: strings.TrimSpace(dotted(unreadable.Summary) + " " + unreadable.Detail)})
	case errors.As(err, &failed):
		v.skip(delivery.ReasonEvaluation)
		j.problem(v, failed.Range, problem{cause: cause{code: "evaluation", rule: failed.Summary + failed.Detail}, detail: either(failed.Detail, failed.Summary)})
	default:
		v.skip(delivery.ReasonEvaluation)
		j.problem(v, j.decl.Audience.DeclRange, problem{cause: cause{code: "evaluation"}, detail: err.Error()})
	}
}

// address finds who the row is about.
func (j *judge) address(w *worker, v *verdict) bool {
	if w.person.Phone == "" && w.person.UserID != "" {
		v.entry.Recipient.UserID = w.person.UserID
		v.key = w.person.UserID
		j.person(v)
		return true
	}
	phone, err := w.numbers.Parse(w.person.Phone, j.decl.Audience.Region)
	if err != nil {
		v.keyless = true
		v.skip(delivery.ReasonInvalidPhone)
		p := problem{cause: cause{code: "invalid_phone"}}
		p.rule, p.detail = numberReason(err)
		j.problem(v, j.decl.Audience.DeclRange, p)
		return false
	}
	v.entry.Recipient.Phone = phone
	v.key = message.Canonical(phone)
	v.id, _ = phoneKey(v.key)
	j.person(v)
	return true
}

// person finds whose the recipient's id is.
func (j *judge) person(v *verdict) {
	v.own = v.key
	if j.known.ties == nil {
		return
	}
	if v.key = j.known.ties.person(v.own); v.key != v.own {
		v.id, _ = phoneKey(v.key)
	}
}

// decide says what happens to a recipient whose address is known.
func (j *judge) decide(w *worker, b *batch, v *verdict) {
	if j.isExcluded(v.key) {
		v.skip(delivery.ReasonExcluded)
		return
	}
	to := v.entry.Recipient.Key()
	sent, spelling, had := j.table.lookup(to, v.key)
	if v.seen = had; had && spelling != to {
		v.entry.Recipient.Phone = spelling // the state's, so that it stays one delivery
	}
	if j.last != nil {
		_, _, v.seen = j.last.lookup(to, v.key)
	}
	v.resend = j.hadEarlier(v.key)
	action := Send
	if had {
		var settled bool
		if action, settled = j.settled(sent, v); settled {
			if action == Sent {
				v.oldText = j.textChanged(w, b, v.entry.Recipient, sent.Digest)
			}
			if action == Skip {
				v.skip(delivery.ReasonCancelled)
			}
			v.entry.Action = action
			return
		}
	}
	c, known, reason := j.gates(w, v)
	if reason != delivery.ReasonNone {
		v.skip(reason)
		return
	}
	if !c.window && j.campaign.Category == "authentication" && v.entry.Recipient.Phone == "" {
		v.skip(delivery.ReasonPhoneNeeded)
		j.problem(v, templateOf(j.decl).DeclRange, problem{cause: cause{code: "phone_needed"},
			detail: "WhatsApp delivers an authentication template to a phone number only and refuses a user id (131062). Give the audience these people's numbers, or send them a template of another category"})
		return
	}
	if action == Send && c == j.fallback {
		action = Fallback
	}
	// Somebody whose window is closed, as far as anybody knows, begins a
	// conversation by what goes to them.
	v.starts = !c.window && known.Gate(j.at.UnixMilli(), false) != delivery.GateNone
	v.entry.Action, v.entry.Attempt = action, sent.Attempt+1
	j.render(w, b, c, v)
}

// settled says what a delivery that the state has means for this plan; done is
// false where the recipient is to be sent to.
func (j *judge) settled(sent state.Sent, v *verdict) (action Action, done bool) {
	again := j.scope.replaces(j.campaign.Address, v.key)
	switch sent.Send {
	case state.Accepted:
		v.resend = v.resend || again
		return pick(again, Replace, Sent), !again
	case state.Sending, state.InDoubt:
		if again {
			p := problem{cause: cause{code: "replace_in_doubt"}, severity: hcl.DiagWarning, detail: "Nobody knows whether they have the message, so -replace does not send it to them. Settle them first with handbill resolve -as=sent or -as=not-sent."}
			p.campaign = j.campaign.Address
			v.problems = append(v.problems, placed{p, j.decl.DeclRange})
		}
		return Doubt, true
	case state.Rejected:
		again = again || j.scope.retries(sent.Code)
		return pick(again, Retry, Refused), !again
	case state.Cancelled:
		again = again || j.scope.retry == "failed"
		return pick(again, Retry, Skip), !again
	}
	return Send, false
}

func pick(c bool, yes, no Action) Action {
	if c {
		return yes
	}
	return no
}

// gates choose the message for the recipient, with what is known of their
// window at the sending number, or say why there is none.
func (j *judge) gates(w *worker, v *verdict) (c *compiled, known delivery.Window, reason delivery.Reason) {
	id := j.known.id(v.key, v.id)
	p := j.known.of(id)
	switch {
	case j.known.erased(v.entry.Recipient.Key()):
		return nil, known, delivery.GateErased.Reason()
	case p.optedOut:
		return nil, known, delivery.GateOptedOut.Reason()
	case message.Unserved(v.entry.Recipient.Address):
		return nil, known, delivery.ReasonCountry
	}
	c, known = j.main, j.windows.window(id, p, w.person.LastInbound, j.at)
	if c.window {
		if ends := known.Ends(); ends != 0 {
			v.entry.WindowUntil = time.UnixMilli(ends).UTC()
		}
		switch gate := known.Gate(j.at.UnixMilli(), j.campaign.AssumeOpen); {
		case gate == delivery.GateNone:
			return c, known, delivery.ReasonNone
		case j.fallback == nil:
			return nil, known, gate.Reason()
		}
		c = j.fallback
	}
	switch {
	case !w.person.Consent:
		return nil, known, delivery.GateConsent.Reason()
	case !j.campaign.Marketing():
	case country(v.entry.Recipient.Address) == "US":
		p := problem{cause: cause{code: "us_marketing"}, severity: hcl.DiagWarning}
		p.campaign = j.campaign.Address
		v.problems = append(v.problems, placed{p, templateOf(j.decl).DeclRange})
		return nil, known, delivery.ReasonUSMarketing
	case delivery.Cooling(int64(p.cooldown)*1000, j.at.UnixMilli()):
		return nil, known, delivery.GateCooldown.Reason()
	}
	return c, known, delivery.ReasonNone
}

// render makes the values of the recipient's message, checks it, and puts it
// off where the schedule says so.
func (j *judge) render(w *worker, b *batch, c *compiled, v *verdict) {
	values, ok := j.values(w, b, c, v)
	if !ok {
		return
	}
	zone := j.zone(w, b, v)
	reason := j.campaign.Quiet.Wait(&w.clock, j.at, zone)
	if j.campaign.Quiet.zoneless(zone) || reason == delivery.ReasonQuietHours && j.alwaysQuiet(w, zone) {
		v.skip(delivery.ReasonZoneUnknown)
		j.problem(v, j.decl.Schedule.DeclRange, problem{cause: cause{code: "quiet_hours_zone_unknown"}})
		return
	}
	if reason == delivery.ReasonExpired {
		v.skip(reason)
		return
	}
	v.entry.Draft, v.entry.Values = c.draft, values
	v.entry.Digest = j.digest(w, c, values)
	v.length = c.body.length(values)
	if reason == delivery.ReasonNone && j.campaign.Halted() {
		reason = delivery.ReasonHalted
	}
	// A repetition stays one while it waits: apply knows the schedule too.
	if reason != delivery.ReasonNone && !v.entry.Action.Repeats() {
		v.entry.Action, v.entry.Reason = Defer, reason
	}
}

// zone is where the recipient's quiet hours are told from, kept in the entry for
// apply: the audience's word, else the schedule's own zone (""), else every zone
// that the number may be in.
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

// alwaysQuiet reports whether the quiet hours leave no time in a day that is
// outside of them in all zones.
func (j *judge) alwaysQuiet(w *worker, zone string) bool {
	if !strings.Contains(zone, " ") {
		return false
	}
	if w.always == nil {
		w.always = map[string]bool{}
	}
	always, known := w.always[zone]
	if !known {
		_, ok := j.campaign.Quiet.End(&Clock{}, j.at, zone)
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
	reason, detail := delivery.ReasonEvaluation, either(failed.Detail, failed.Summary)
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

// textChanged reports whether the recipient was sent another text than today's.
func (j *judge) textChanged(w *worker, b *batch, r message.Recipient, digest [16]byte) bool {
	if digest == ([16]byte{}) {
		return false // sent by somebody else, and imported
	}
	r.Attributes = w.person.Attributes
	for _, c := range []*compiled{j.main, j.fallback} {
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

// problem notes what makes the recipient invalid.
func (j *judge) problem(v *verdict, rng hcl.Range, p problem) {
	p.campaign = j.campaign.Address
	p.severity = hcl.DiagError
	if j.decl.OnInvalid == "skip" {
		p.severity = hcl.DiagWarning
	}
	v.problems = append(v.problems, placed{p, rng})
}

func (v *verdict) skip(reason delivery.Reason) {
	e := &v.entry
	e.Action, e.Reason, e.Draft, e.Values, e.Attempt = Skip, reason, -1, nil, 0
	e.Digest, e.WindowUntil, e.Recipient.Attributes = [16]byte{}, time.Time{}, nil
}

func (j *judge) isExcluded(key string) bool {
	for _, set := range j.excluded {
		if id, ok := set.keys.find(key); ok && set.set.at(id) != nil {
			return true
		}
	}
	return false
}

func (j *judge) hadEarlier(key string) bool {
	if j.earlier == nil {
		return false
	}
	id, ok := j.earkeys.find(key)
	return ok && j.earlier.at(id) != nil
}

// either is the detail of an error, or its summary where it has none.
func either(detail, summary string) string {
	if detail == "" {
		return summary
	}
	return detail
}

package plan

import (
	"errors"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/internal/openmap"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// compiled is a message ready to be made for recipients.
type compiled struct {
	draft    int    // index into Plan.Drafts
	message  string // address
	program  *lang.Program
	checker  *message.Checker
	digester *message.Digester
	body     bodyMeter
	window   bool    // it needs an open window
	fitted   *fitted // checked against the account's template; nil if it names none
}

// judge decides about the recipients of one campaign, each by itself. What
// depends on other recipients is left to the sequencer. Goroutines may share a
// judge; each needs a worker of its own.
type judge struct {
	index      int
	campaign   *Campaign
	decl       *lang.Campaign
	rows       *lang.Rows
	own        texts // for those who meet no variant
	variants   []choice
	arms       []arm // of an experiment; nil for none
	assigns    *assigns
	drafts     []*compiled // every message of the campaign, by draft
	known      *known
	windows    *windows // of the campaign's number
	table      aliases  // of this revision
	last       *aliases // of the revision before, while this one has no deliveries; else nil
	excluded   []*excludedSet
	earlier    *openmap.Map[struct{}] // who had an earlier revision; nil unless resending is prevented
	earlierIDs *recipientIDs
	scope      *scope
	timezone   int           // index of the attribute "timezone"; -1 for none
	after      time.Duration // of a source that is a campaign
	kept       []int         // the attributes that are kept with the message
	at         time.Time
}

// verdict is what a judge says about one row.
type verdict struct {
	entry   Entry
	key     string // of the person: the same for every id of theirs, and every spelling of a number
	id      uint64 // key as a number; 0 where it is none
	own     string // the recipient's own key, canonical
	also    string // the person of the row's user id, if the row has a number too and the state does not know that both are one person; else ""
	dropped bool   // the audience's filter leaves it out
	keyless bool   // no usable address
	oldText bool
	seen    bool // the last audience had this recipient
	resend  bool // had an earlier revision, or this one
	starts  bool // a message would go out to somebody whose window is closed
	length  int  // code points of the body
	ends    ends
	// problems lists what is wrong with the row or its message.
	problems []placed
	due      int64 // Unix time when the message may go, for who waits for their local time
	follows  int64 // Unix time before which the message may not go, since it follows another one; 0 for none
	variant  int   // index into Campaign.Variants, from 1; 0 for none, or not asked
	arm      int   // index into Campaign.Experiment.Arms, from 1; 0 for none
}

// ends holds where a verdict's encoded entry ends in its batch, and where the part
// of it ends that the plan's digest covers.
type ends struct{ entry, decided int }

// phone returns the id of the recipient's number; 0 for none. It differs from v.id
// where the number has several spellings or the person several ids.
func (v *verdict) phone() uint64 {
	if v.entry.Recipient.Phone == v.key {
		return v.id
	}
	phone, _ := phoneKey(v.entry.Recipient.Phone)
	return phone
}

// placed is a problem with the place in the configuration that causes it.
type placed struct {
	problem
	rng hcl.Range
}

// worker holds the buffers that one goroutine reuses from row to row.
type worker struct {
	person  lang.Person
	numbers *audience.Numbers
	clock   Clock
	due     map[string]int64 // Unix times by zone
	always  map[string]bool  // whether zones are never open at the same time
	sums    []*message.Sums  // parallel to judge.drafts
	core    []byte
	text    []byte
}

// worker makes what one goroutine needs for judging rows: scratch memory, and
// parsers that are not shared.
func (j *judge) worker(numbers *audience.Numbers) *worker {
	w := &worker{numbers: numbers}
	for _, c := range j.drafts {
		w.sums = append(w.sums, c.digester.Sums())
	}
	return w
}

// digest identifies the message that c makes of the values.
func (j *judge) digest(w *worker, c *compiled, values []string) [16]byte {
	return w.sums[c.draft-j.drafts[0].draft].Sum(values)
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
	if j.after > 0 {
		v.follows = dueAfter(values, j.after)
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

// rowError leaves out a row that cannot be read or evaluated.
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
		j.problem(v, failed.Range, problem{cause: cause{code: "evaluation", rule: failed.Summary + failed.Detail}, detail: detailOr(failed.Detail, failed.Summary)})
	default:
		v.skip(delivery.ReasonEvaluation)
		j.problem(v, j.decl.Audience.DeclRange, problem{cause: cause{code: "evaluation"}, detail: err.Error()})
	}
}

// address reads the recipient's address from the row. It reports false, with a
// problem, when there is none.
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
	if v.entry.Recipient.UserID = w.person.UserID; w.person.UserID != "" {
		if also := j.known.ties.person(w.person.UserID); also != v.key {
			v.also = also
		}
	}
	return true
}

// person finds the person to whom the recipient's id belongs.
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
	if j.isExcluded(v.key) || v.also != "" && j.isExcluded(v.also) {
		v.skip(delivery.ReasonExcluded)
		return
	}
	p, ok := j.choose(w, v)
	if !ok {
		return
	}
	to := v.entry.Recipient.Key()
	sent, spelling, had := j.table.lookup(to, v.key)
	if v.seen = had; had && spelling != to {
		v.entry.Recipient.Phone = spelling // the state's, so that it stays one delivery
	}
	if v.also != "" {
		if o, _, ok := j.table.lookup(v.entry.Recipient.UserID, v.also); ok && attempt(o).Over(attempt(sent)) {
			sent, had, v.seen = o, true, true
		}
	}
	if j.last != nil {
		_, _, v.seen = j.last.lookup(to, v.key)
	}
	v.resend = j.hadEarlier(v.key) || v.also != "" && j.hadEarlier(v.also)
	action := Send
	held := false
	if j.arms != nil {
		p, held = j.assign(v, sent, had)
	}
	if had {
		var settled bool
		if action, settled = j.settled(sent, v); settled {
			if action == Sent {
				v.oldText = j.textChanged(w, b, p, v.entry.Recipient, sent.Digest)
			}
			v.entry.Action = action
			return
		}
	}
	c, known, reason := j.gates(w, p, v)
	if reason != delivery.ReasonNone {
		v.skip(reason)
		return
	}
	if held {
		v.entry.Action, v.entry.Attempt = HeldOut, 1
		return
	}
	if !c.window && j.campaign.Category == "authentication" && v.entry.Recipient.Phone == "" {
		v.skip(delivery.ReasonPhoneNeeded)
		j.problem(v, templateOf(j.decl).DeclRange, problem{cause: cause{code: "phone_needed"},
			detail: "WhatsApp delivers an authentication template to a phone number only and refuses a user id (131062). Give the audience these people's numbers, or send them a template of another category"})
		return
	}
	if action == Send && c == p.fallback {
		action = Fallback
	}
	// A template starts a conversation unless the person's window is known to be
	// open.
	v.starts = !c.window && known.Gate(j.at.UnixMilli(), false) != delivery.GateNone
	v.entry.Action, v.entry.Attempt = action, sent.Attempt+1
	j.render(w, b, c, v)
}

// settled returns the action for a recipient whose delivery the state has; done is
// false when a message is to be sent.
func (j *judge) settled(sent state.Sent, v *verdict) (action Action, done bool) {
	again := j.scope.replaces(j.campaign.Address, v.key)
	switch sent.Send {
	case state.HeldOut: // whatever is asked for
		return HeldOut, true
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
	}
	return Send, false
}

func pick(c bool, yes, no Action) Action {
	if c {
		return yes
	}
	return no
}

// gates returns the message for the recipient and what is known about their window
// at the sending number, or the reason why they get none.
func (j *judge) gates(w *worker, of texts, v *verdict) (c *compiled, known delivery.Window, reason delivery.Reason) {
	id := j.known.id(v.key, v.id)
	p := j.known.of(id)
	if v.also != "" {
		p.join(j.known.of(j.known.id(v.also, 0)))
	}
	switch {
	case j.known.erased(v.entry.Recipient.Key()), v.also != "" && j.known.erased(v.entry.Recipient.UserID):
		return nil, known, delivery.GateErased.Reason()
	case p.optedOut:
		return nil, known, delivery.GateOptedOut.Reason()
	case message.Unserved(v.entry.Recipient.Address):
		return nil, known, delivery.ReasonCountry
	}
	c, known = of.main, j.windows.window(id, p, w.person.LastInbound, j.at)
	if v.also != "" {
		known = known.Join(j.windows.window(j.known.id(v.also, 0), p, time.Time{}, j.at))
	}
	if c.window {
		if ends := known.Ends(); ends != 0 {
			v.entry.WindowUntil = time.UnixMilli(ends).UTC()
		}
		switch gate := known.Gate(j.at.UnixMilli(), j.campaign.AssumeOpen); {
		case gate == delivery.GateNone:
			return c, known, delivery.ReasonNone
		case of.fallback == nil:
			return nil, known, gate.Reason()
		}
		c = of.fallback
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

// problem records why the recipient is invalid.
func (j *judge) problem(v *verdict, rng hcl.Range, p problem) {
	p.campaign = j.campaign.Address
	p.severity = hcl.DiagError
	if j.decl.OnInvalid == "skip" {
		p.severity = hcl.DiagWarning
	}
	v.problems = append(v.problems, placed{p, rng})
}

// skip leaves a recipient out for a reason.
func (v *verdict) skip(reason delivery.Reason) {
	e := &v.entry
	e.Action, e.Reason, e.Draft, e.Values, e.Attempt = Skip, reason, -1, nil, 0
	e.Digest, e.WindowUntil, e.Recipient.Attributes = [16]byte{}, time.Time{}, nil
	e.Due, e.Kept = time.Time{}, nil
}

// isExcluded reports whether somebody is in an audience that the campaign
// excludes.
func (j *judge) isExcluded(key string) bool {
	for _, set := range j.excluded {
		if id, ok := set.ids.find(key); ok && set.set.At(id) != nil {
			return true
		}
	}
	return false
}

// hadEarlier reports whether somebody had an earlier revision of the campaign.
func (j *judge) hadEarlier(key string) bool {
	if j.earlier == nil {
		return false
	}
	id, ok := j.earlierIDs.find(key)
	return ok && j.earlier.At(id) != nil
}

// detailOr returns the detail of an error, or its summary where there is none.
func detailOr(detail, summary string) string {
	if detail == "" {
		return summary
	}
	return detail
}

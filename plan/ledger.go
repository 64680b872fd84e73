package plan

import (
	"hash"
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
)

// ledger books the verdicts about one campaign in the order of the audience:
// everything that depends on who came before.
type ledger struct {
	campaign *Campaign
	judge    *judge
	out      io.Writer // the spool
	hash     hash.Hash // of the plan's digest

	keys    keys
	seen    table[struct{}]
	firsts  map[string]first // the first row of a person with several ids
	recent  *sends           // sent within the cap's period; nil without a cap
	planned *sends           // by the campaigns before; nil where none has a cap
	reach   *reach           // with whom conversations start; nil without a limit to hold them against
	ghosts  *ghosts
	again   int // recipients whom a campaign before a rename sent the same

	problems *problems
	prices   *prices
	cost     costCount
	samples  samples

	found, fresh int // recipients of the last audience, and new ones
	sends        int
	rows         int

	written       ends // of the batch that is booked
	core, amended []byte
	repeated      []bool // by row: somebody who was there before
}

// first is under which id and where a person was first.
type first struct {
	own   string
	place message.Place
}

// book writes one batch down.
func (l *ledger) book(b *batch) error {
	l.rows += len(b.Rows)
	l.written = ends{}
	l.meet(b)
	var from ends
	for i := range b.Rows {
		v := &b.verdicts[i]
		switch {
		case v.dropped:
			l.campaign.Filtered++
			continue
		case l.amend(v, l.repeated[i]):
			if err := l.replace(b, v, from); err != nil {
				return err
			}
		}
		l.count(v)
		from = v.ends
	}
	return l.write(b, from)
}

// meet finds the recipients of the batch who were there before. It is a loop of
// its own so that the table's memory is waited for together.
func (l *ledger) meet(b *batch) {
	l.repeated = l.repeated[:0]
	for i, id := range b.ids[:len(b.Rows)] {
		repeated := false
		switch v := &b.verdicts[i]; {
		case id != 0:
			_, added := l.seen.put(id)
			repeated = !added
		case v.key != "":
			_, added := l.seen.put(l.keys.add(v.key))
			repeated = !added
		}
		l.repeated = append(l.repeated, repeated)
	}
}

// write writes what the batch has encoded from where it is written already up
// to the ends.
func (l *ledger) write(b *batch, to ends) error {
	entries, decided := b.entries[l.written.entry:to.entry], b.decided[l.written.decided:to.decided]
	l.written = to
	l.hash.Write(decided)
	_, err := l.out.Write(entries)
	return err
}

// replace writes an entry that was amended in place of the one that stands in
// the batch behind from.
func (l *ledger) replace(b *batch, v *verdict, from ends) error {
	if err := l.write(b, from); err != nil {
		return err
	}
	l.written = v.ends
	l.core = appendCore(l.core[:0], &v.entry)
	l.amended = appendDecided(l.amended[:0], &v.entry, l.campaign, l.core)
	l.hash.Write(l.amended)
	l.amended = appendEntry(l.amended[:0], &v.entry, l.campaign.Source, l.core)
	_, err := l.out.Write(l.amended)
	return err
}

// amend applies what depends on other recipients, and reports whether that
// changed the entry.
func (l *ledger) amend(v *verdict, repeated bool) bool {
	if repeated {
		l.duplicate(v)
		return true
	}
	if l.judge.known.ties.has(v.own) {
		if l.firsts == nil {
			l.firsts = map[string]first{}
		}
		l.firsts[strings.Clone(v.key)] = first{strings.Clone(v.own), v.entry.Recipient.Place}
	}
	if !v.keyless {
		l.census(v)
	}
	a := v.entry.Action
	if !a.Sends() {
		return false
	}
	c := l.campaign
	if c.CapCount > 0 && l.recent.of(v.key)+l.planned.of(v.key) >= c.CapCount {
		v.skip(delivery.GateCap.Reason())
		return true
	}
	if a != Defer {
		if c.Total > 0 && l.sends >= c.Total && !a.Repeats() {
			v.entry.Action, v.entry.Reason = Defer, delivery.ReasonTotalLimit
			return true
		}
		l.sends++
	}
	return false
}

// duplicate leaves out a row of somebody who was there before, and says so where
// the rows do not show it.
func (l *ledger) duplicate(v *verdict) {
	v.problems = nil
	was, several := l.firsts[v.key]
	if !several || was.own == v.own {
		v.skip(delivery.ReasonDuplicate)
		return
	}
	v.skip(delivery.ReasonDuplicatePerson)
	v.problems = append(v.problems, placed{problem{cause: cause{code: "duplicate_person", campaign: l.campaign.Address}, severity: hcl.DiagWarning,
		detail: "The state knows that their ids are one person's. Their first row counts.", with: was.place}, l.judge.decl.Audience.DeclRange})
}

// census counts whom the last audience had.
func (l *ledger) census(v *verdict) {
	if v.seen {
		l.found++
	} else {
		l.fresh++
	}
}

// count books what was decided.
func (l *ledger) count(v *verdict) {
	c, e := l.campaign, &v.entry
	c.Recipients++
	for _, p := range v.problems {
		l.problems.add(p.problem, p.rng, e.Recipient.Place)
	}
	c.Counts.add(e)
	if e.Action == Sent && v.oldText {
		c.OldText++
	}
	if e.Action.Sends() {
		l.sending(v)
	}
}

// sending books a message that goes out.
func (l *ledger) sending(v *verdict) {
	e := &v.entry
	l.campaign.Longest = max(l.campaign.Longest, v.length)
	l.samples.see(e, v.length)
	if now := e.Action != Defer || e.Reason == delivery.ReasonQuietHours; v.starts && now && l.campaign.Messaging != nil {
		l.campaign.Messaging.Starts++
		if l.reach != nil {
			l.reach.add(v.key)
		}
	}
	if l.planned != nil {
		l.planned.add(v.key)
	}
	if l.ghosts.had(v.key, e.Digest, l.message(e)) {
		l.again++
	}
	if v.resend && l.judge.decl.PreventResend {
		l.problems.add(problem{cause: cause{code: "prevent_resend", campaign: l.campaign.Address}, severity: hcl.DiagError,
			detail: "They had an earlier revision of this campaign, or this one."}, l.judge.decl.DeclRange, e.Recipient.Place)
	}
	if l.prices != nil {
		l.cost.add(l.prices, e.Recipient.Phone, l.compiled(e).category)
	}
}

// compiled is the message that e sends.
func (l *ledger) compiled(e *Entry) *compiled {
	if l.judge.fallback != nil && e.Draft == l.judge.fallback.draft {
		return l.judge.fallback
	}
	return l.judge.main
}

// message is the address of the message that e sends.
func (l *ledger) message(e *Entry) string {
	if l.compiled(e) == l.judge.fallback {
		return l.campaign.Fallback
	}
	return l.campaign.Message
}

// samples keeps the messages that a reviewer is shown.
type samples struct {
	first, longest, shortest *sample
}

type sample struct {
	to     message.Address
	draft  int
	values []string
	length int
}

func newSample(e *Entry, length int) *sample {
	return &sample{to: e.Recipient.Address, draft: e.Draft, values: append([]string(nil), e.Values...), length: length}
}

func (s *samples) see(e *Entry, length int) {
	if s.first == nil {
		s.first = newSample(e, length)
		s.longest, s.shortest = s.first, s.first
		return
	}
	if length > s.longest.length {
		s.longest = newSample(e, length)
	}
	if length < s.shortest.length {
		s.shortest = newSample(e, length)
	}
}

// list draws the samples, masked.
func (s *samples) list(drafts []*message.Draft) []Sample {
	out := []Sample{}
	add := func(why string, from *sample) {
		out = append(out, Sample{Recipient: maskKey(from.to.Key()), Why: why, Text: from.text(drafts[from.draft])})
	}
	if s.first == nil {
		return out
	}
	add("first", s.first)
	if s.longest != s.first {
		add("longest", s.longest)
	}
	if s.shortest != s.first {
		add("shortest", s.shortest)
	}
	return out
}

// text is the message's main text with the recipient's values masked. A
// template has none of its own: its parameters stand for it.
func (s *sample) text(d *message.Draft) string {
	masked := make([]string, len(s.values))
	for i, v := range s.values {
		masked[i] = maskText(v)
	}
	var body, rest string
	message.Fields(d.Render(masked), func(f message.Field) {
		switch {
		case *f.Text == "":
		case f.Path == "body" || f.Path == "caption" && body == "":
			body = *f.Text
		case f.Type == message.FieldParameter && rest == "":
			rest = *f.Text
		case f.Type == message.FieldParameter:
			rest += " | " + *f.Text
		}
	})
	template, ok := d.Message.(*message.Template)
	switch {
	case body != "":
		return body
	case !ok:
		return rest
	case rest == "":
		return "template " + template.Name
	}
	return "template " + template.Name + ": " + rest
}

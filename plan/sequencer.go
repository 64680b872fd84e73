package plan

import (
	"cmp"
	"hash"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/internal/openmap"
	"github.com/handbill/handbill/message"
)

// sequencer takes the verdicts about one campaign in the order of the audience.
// It decides what depends on earlier recipients (duplicates, caps, totals),
// counts, and writes the entries to the spool.
type sequencer struct {
	campaign *Campaign
	judge    *judge
	out      io.Writer // the spool
	hash     hash.Hash // of the plan's digest

	ids     recipientIDs
	seen    openmap.Map[struct{}]
	firsts  map[string]first // the first row of a person with several ids
	recent  *sends           // sent within the cap's period; nil without a cap
	planned *sends           // sends of the campaigns before; nil if none has a cap
	reach   *reach           // people with whom a conversation starts; nil where no limit is known
	renamed *renamed
	again   int // recipients who had the same message from a campaign that is gone

	problems *problems
	prices   *prices
	cost     costCount
	samples  samples
	// byVariant are the samples of Campaign.Variants; nil where there are none.
	byVariant []samples
	// byArm are those of Campaign.Experiment.
	byArm []samples

	found, fresh int // recipients of the last audience, and new ones
	sends        int
	rows         int
	spaced       int // messages of which a value has spaces around it

	written       ends // how much of the batch is in the spool
	core, amended []byte
	repeated      []bool // by row: the person had an earlier row
}

// first is the first row of a person: the id it named, and its place.
type first struct {
	own   string
	place message.Place
}

// add takes one batch.
func (q *sequencer) add(b *batch) error {
	q.rows += len(b.Rows)
	q.written = ends{}
	q.meet(b)
	var from ends
	for i := range b.Rows {
		v := &b.verdicts[i]
		switch {
		case v.dropped:
			q.campaign.Filtered++
			continue
		case q.amend(v, q.repeated[i]):
			if err := q.replace(b, v, from); err != nil {
				return err
			}
		}
		q.count(v)
		from = v.ends
	}
	return q.write(b, from)
}

// meet marks the recipients of the batch who had an earlier row. It is a loop of
// its own so that the processor overlaps the map's cache misses.
func (q *sequencer) meet(b *batch) {
	q.repeated = q.repeated[:0]
	for i, id := range b.ids[:len(b.Rows)] {
		repeated := false
		switch v := &b.verdicts[i]; {
		case id != 0:
			_, added := q.seen.Put(id)
			repeated = !added
		case v.key != "":
			_, added := q.seen.Put(q.ids.add(v.key))
			repeated = !added
		}
		if also := b.verdicts[i].also; also != "" {
			_, added := q.seen.Put(q.ids.add(also))
			repeated = repeated || !added
		}
		q.repeated = append(q.repeated, repeated)
	}
}

// write writes the encoded entries of the batch, from the first that is not yet
// written up to the given ends.
func (q *sequencer) write(b *batch, to ends) error {
	entries, decided := b.entries[q.written.entry:to.entry], b.decided[q.written.decided:to.decided]
	q.written = to
	q.hash.Write(decided)
	_, err := q.out.Write(entries)
	return err
}

// replace writes an amended entry instead of the one in the batch after from.
func (q *sequencer) replace(b *batch, v *verdict, from ends) error {
	if err := q.write(b, from); err != nil {
		return err
	}
	q.written = v.ends
	q.core = appendCore(q.core[:0], &v.entry)
	q.amended = appendDecided(q.amended[:0], &v.entry, q.campaign, q.core)
	q.hash.Write(q.amended)
	q.amended = appendEntry(q.amended[:0], &v.entry, q.campaign.Source, q.core)
	_, err := q.out.Write(q.amended)
	return err
}

// amend applies the rules that depend on other recipients, and reports whether
// one of them changed the entry.
func (q *sequencer) amend(v *verdict, repeated bool) bool {
	if repeated {
		q.duplicate(v)
		return true
	}
	if q.judge.known.ties.has(v.own) {
		if q.firsts == nil {
			q.firsts = map[string]first{}
		}
		q.firsts[strings.Clone(v.key)] = first{strings.Clone(v.own), v.entry.Recipient.Place}
	}
	if !v.keyless {
		q.compare(v)
	}
	a := v.entry.Action
	if !a.Sends() {
		return false
	}
	c := q.campaign
	if c.CapCount > 0 && q.sentTo(v) >= c.CapCount {
		v.skip(delivery.GateCap.Reason())
		return true
	}
	if a != Defer {
		if c.Total > 0 && q.sends >= c.Total && !a.Repeats() {
			v.entry.Action, v.entry.Reason = Defer, delivery.ReasonTotalLimit
			return true
		}
		q.sends++
	}
	return false
}

// sentTo returns how many messages a cap counts for a row. They include those under
// its user id if the row has a number too and nothing says that both are one person.
func (q *sequencer) sentTo(v *verdict) int {
	n := q.recent.of(v.key) + q.planned.of(v.key)
	if v.also != "" {
		n += q.recent.of(v.also) + q.planned.of(v.also)
	}
	return n
}

// duplicate leaves out a row of a person who had one before. Where the two rows
// name different ids, so that nobody would see it, it adds a warning.
func (q *sequencer) duplicate(v *verdict) {
	v.problems, v.variant, v.arm = nil, 0, 0
	was, several := q.firsts[v.key]
	if !several || was.own == v.own {
		v.skip(delivery.ReasonDuplicate)
		return
	}
	v.skip(delivery.ReasonDuplicatePerson)
	v.problems = append(v.problems, placed{problem{cause: cause{code: "duplicate_person", campaign: q.campaign.Address}, severity: hcl.DiagWarning,
		detail: "The state knows that their ids are one person's. Their first row counts.", with: was.place}, q.judge.decl.Audience.DeclRange})
}

// compare counts who was in the audience of the campaign before, and who is new.
func (q *sequencer) compare(v *verdict) {
	if v.seen {
		q.found++
	} else {
		q.fresh++
	}
}

// count adds the verdict to the campaign's counts.
func (q *sequencer) count(v *verdict) {
	c, e := q.campaign, &v.entry
	c.Recipients++
	for _, p := range v.problems {
		q.problems.add(p.problem, p.rng, e.Recipient.Place)
	}
	c.Counts.add(e)
	q.meetVariant(v)
	q.meetArm(v)
	if e.Action == Sent && v.oldText {
		c.OldText++
	}
	if e.Action.Sends() {
		q.sending(v)
	}
}

// sending counts a message that will be sent.
func (q *sequencer) sending(v *verdict) {
	e := &v.entry
	if due := time.Unix(v.due, 0).UTC(); v.due != 0 && (q.campaign.Next.IsZero() || due.Before(q.campaign.Next)) {
		q.campaign.Next = due
	}
	if !e.Due.IsZero() && (q.campaign.Due.IsZero() || e.Due.Before(q.campaign.Due)) {
		q.campaign.Due = e.Due
	}
	q.campaign.Longest = max(q.campaign.Longest, v.length)
	q.samples.see(e, v.length)
	if slices.ContainsFunc(e.Values, func(s string) bool { return strings.TrimSpace(s) != s }) {
		q.spaced++
	}
	q.compiled(e).fitted.use(e.Values)
	if now := e.Action != Defer || e.Reason == delivery.ReasonQuietHours || e.Reason == delivery.ReasonLocalTime; v.starts && now && q.campaign.Messaging != nil {
		q.campaign.Messaging.Starts++
		if q.reach != nil {
			q.reach.add(v.key)
		}
	}
	if q.planned != nil {
		q.planned.add(v.key)
		if v.also != "" {
			q.planned.add(v.also)
		}
	}
	if q.renamed.had(v.key, e.Digest, q.compiled(e).message) {
		q.again++
	}
	if v.resend && q.judge.decl.PreventResend {
		q.problems.add(problem{cause: cause{code: "prevent_resend", campaign: q.campaign.Address}, severity: hcl.DiagError,
			detail: "They had an earlier revision of this campaign, or this one."}, q.judge.decl.DeclRange, e.Recipient.Place)
	}
	if q.prices != nil {
		category := categoryService
		if !q.compiled(e).window {
			category = cmp.Or(q.campaign.Category, account.Marketing)
		}
		q.cost.add(q.prices, e.Recipient.Address, category)
	}
}

// compiled returns the message that e sends.
func (q *sequencer) compiled(e *Entry) *compiled {
	return q.judge.drafts[e.Draft-q.judge.drafts[0].draft]
}

// samples keeps the messages that a reviewer is shown.
type samples struct {
	first, longest, shortest *sample
}

// sample is a recipient whose message the plan shows.
type sample struct {
	to     message.Address
	draft  int
	values []string
	length int
}

// newSample copies the values, since the entry is used again.
func newSample(e *Entry, length int) *sample {
	return &sample{to: e.Recipient.Address, draft: e.Draft, values: append([]string(nil), e.Values...), length: length}
}

// see keeps the entry if it is the longest, the shortest or the first so far.
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

// text returns the message's main text with the recipient's values masked. A
// template has no text here: its parameters stand for it.
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

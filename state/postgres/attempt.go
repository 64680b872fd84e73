package postgres

import (
	"cmp"
	"maps"
	"slices"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// attempt is one attempt at a delivery.
type attempt struct {
	id       int64
	key      state.Key // the recipient as the first attempt spelled it
	choice   state.Choice
	number   int
	run      int64  // 0 for replies, -1 for imports
	from     string // the sending number
	lane     int64  // of a new one; it is not read
	intended int64
	message  string
	digest   [16]byte
	ref      string
	ordered  bool     // again, after it was accepted
	out      *outcome // nil while it is open
	fate     fate
	clicked  int64 // when the person first followed one of its links; as it was read
}

// outcome is immutable: a change replaces it.
type outcome struct {
	send               state.Send
	proof              state.Proof
	settled            int64
	code, title, cause string
	id                 string
}

// fate is what providers reported about an attempt.
type fate struct {
	delivery.Status
	billed  delivery.Billed
	replied int64
}

func (a *attempt) send() state.Send {
	if a.out == nil {
		return state.Sending
	}
	return a.out.send
}

func (a *attempt) person() string { return person(a.key.Recipient) }

// person returns the canonical spelling of a recipient, as the state keeps it.
func person(recipient string) string { return clean(message.Canonical(recipient)) }

func (a *attempt) rules() delivery.Attempt {
	return delivery.Attempt{Number: a.number, Send: a.send()}
}

const attemptColumns = `a.id, a.campaign, a.revision, a.recipient, a.attempt, a.run, a.number, a.intended, a.message, a.digest, a.ref, a.ordered, a.arm, a.variant, a.attributes, coalesce((SELECT min(l.clicked) FROM links l WHERE l.attempt = a.id AND l.clicked <> 0), 0),
	o.send, o.proof, o.settled, o.code, o.title, o.cause, o.sent_id,
	s.rank, s.rank_at, s.failed_at, s.fail_code, s.fail_title, s.billable, s.category, s.model, s.type, s.billed_rank, s.billed_at, s.replied`

const attemptTables = ` FROM attempts a LEFT JOIN outcomes o ON o.id = a.id LEFT JOIN statuses s ON s.id = a.id `

// attemptRow receives attemptColumns in a scan.
type attemptRow struct {
	attempt
	digest, attributes       []byte
	send                     *int16
	proof                    *string
	settled                  *int64
	code, title, cause, sent *string
	rank, billedRank         *int16
	rankAt, failedAt         *int64
	failCode, failTitle      *string
	billable                 *bool
	category, model, kind    *string
	billedAt, replied        *int64
	revision                 int64
}

func (r *attemptRow) into() []any {
	a := &r.attempt
	return []any{&a.id, &a.key.Campaign, &r.revision, &a.key.Recipient, &a.number, &a.run, &a.from, &a.intended, &a.message, &r.digest, &a.ref, &a.ordered, &a.choice.Arm, &a.choice.Variant, &r.attributes, &a.clicked,
		&r.send, &r.proof, &r.settled, &r.code, &r.title, &r.cause, &r.sent,
		&r.rank, &r.rankAt, &r.failedAt, &r.failCode, &r.failTitle, &r.billable, &r.category, &r.model, &r.kind, &r.billedRank, &r.billedAt, &r.replied}
}

// read returns the scanned attempt, independent of the row.
func (r *attemptRow) read() *attempt {
	a := r.attempt
	a.key.Revision = int(r.revision)
	a.choice.Attributes = string(r.attributes)
	copy(a.digest[:], r.digest)
	if r.send != nil {
		a.out = &outcome{state.Send(*r.send), state.Proof(*r.proof), *r.settled, *r.code, *r.title, *r.cause, *r.sent}
	}
	if r.rank != nil {
		a.fate = fate{delivery.Status{Rank: message.Rank(*r.rank), RankAt: *r.rankAt, FailedAt: *r.failedAt, FailCode: *r.failCode, FailTitle: *r.failTitle},
			delivery.Billed{Billing: message.Billing{Billable: *r.billable, Category: *r.category, Model: *r.model, Type: *r.kind}, Rank: message.Rank(*r.billedRank), At: *r.billedAt}, *r.replied}
	}
	return &a
}

// find reads attempts, oldest first, with the changes of this transaction.
func (t *tx) find(where string, a ...any) (out []*attempt) {
	t.askAttempts(where, a, func(a *attempt) { out = append(out, a) }, nil)
	t.flush()
	return out
}

// askAttempts is find, one at a time, with the next flush.
func (t *tx) askAttempts(where string, a []any, each func(*attempt), done func()) {
	var r attemptRow
	t.ask("SELECT "+attemptColumns+attemptTables+"WHERE "+where+" ORDER BY a.id", a, r.into(), func() error {
		each(t.known(r.read()))
		return nil
	}, done)
}

// known returns the attempt's only value in this transaction: the one that was read
// first.
func (t *tx) known(a *attempt) *attempt {
	if had := t.attempts[a.id]; had != nil {
		return had
	}
	t.attempts[a.id] = a
	return a
}

// attemptAt returns the attempt of a handle; nil for none.
func (t *tx) attemptAt(id int64) *attempt {
	if a := t.attempts[id]; a != nil {
		return a
	}
	for _, a := range t.find("a.id = $1", id) {
		return a
	}
	return nil
}

// loadPersons reads all attempts to the people with these canonical ids.
func (t *tx) loadPersons(ids []string) {
	t.askPersons(ids)
	t.load()
}

// askPersons is loadPersons with the next flush.
func (t *tx) askPersons(ids []string) {
	missing := map[string]bool{}
	for _, id := range ids {
		if _, ok := t.persons[id]; !ok {
			missing[id] = true
		}
	}
	if len(missing) == 0 {
		return
	}
	var found []*attempt
	t.askAttempts("a.person = ANY($1)", args(slices.Sorted(maps.Keys(missing))), func(a *attempt) { found = append(found, a) }, func() {
		for id := range missing {
			t.persons[id] = nil
		}
		for _, a := range found {
			t.persons[a.person()] = append(t.persons[a.person()], a)
		}
	})
}

// under returns the attempts that went to these ids, oldest first.
func (t *tx) under(ids map[string]bool) (out []*attempt) {
	t.loadPersons(slices.Sorted(maps.Keys(ids)))
	for id := range ids {
		out = append(out, t.persons[id]...)
	}
	slices.SortFunc(out, func(a, b *attempt) int { return cmp.Compare(a.id, b.id) })
	return out
}

// last returns the newest attempt at a delivery, under any id of the person; nil for
// none. If several ids have one, it returns the one that says most. number is the
// highest number of them all.
func (t *tx) last(key state.Key) (best *attempt, number int) {
	newest := map[string]*attempt{}
	for _, a := range t.under(t.everyID(key.Recipient)) {
		if a.key.Campaign == key.Campaign && a.key.Revision == key.Revision {
			newest[a.person()] = a
		}
	}
	for _, id := range append([]string{person(key.Recipient)}, slices.Sorted(maps.Keys(newest))...) {
		a := newest[id]
		if a == nil {
			continue
		}
		if number = max(number, a.number); best == nil || a.rules().Over(best.rules()) {
			best = a
		}
	}
	return best, number
}

// of returns the attempts that went to a person, newest first.
func (t *tx) of(recipient string) []*attempt {
	out := t.under(t.everyID(recipient))
	slices.Reverse(out)
	slices.SortStableFunc(out, func(a, b *attempt) int { return cmp.Compare(b.intended, a.intended) })
	return out
}

// toEither returns the attempts that went to the person of an intent, under each id
// in the plan.
func (t *tx) toEither(in *state.Intent) []*attempt {
	out := t.of(in.Recipient)
	if also := in.Also(); also != "" {
		for _, a := range t.of(also) {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
		slices.SortStableFunc(out, func(a, b *attempt) int { return cmp.Compare(b.intended, a.intended) })
	}
	return out
}

// loadRefs reads which attempts have these references or provider's ids.
func (t *tx) loadRefs(refs, ids []string) {
	refs = slices.DeleteFunc(refs, func(ref string) bool { _, ok := t.refs[ref]; return ok || ref == "" })
	ids = slices.DeleteFunc(ids, func(id string) bool { _, ok := t.sent[id]; return ok || id == "" })
	if len(refs) > 0 {
		found := t.find("a.ref = ANY($1) AND a.ref <> ''", refs)
		for _, ref := range refs {
			t.refs[ref] = nil
		}
		for _, a := range slices.Backward(found) {
			t.refs[a.ref] = a
		}
	}
	if len(ids) > 0 {
		found := t.find("o.sent_id = ANY($1) AND o.sent_id <> ''", ids)
		for _, id := range ids {
			t.sent[id] = nil
		}
		for _, a := range found {
			if a.out != nil && a.out.id != "" {
				t.sent[a.out.id] = append(t.sent[a.out.id], a)
			}
		}
	}
}

// attemptOf returns the attempt that an event is about: by our reference, or else by
// the provider's id.
func (t *tx) attemptOf(ref, id string) *attempt {
	ref, id = clean(ref), clean(id)
	t.loadRefs([]string{ref}, nil)
	if a := t.refs[ref]; a != nil && ref != "" {
		return a
	}
	t.loadRefs(nil, []string{id})
	var first *attempt
	for _, a := range t.sent[id] {
		if a.out != nil && a.out.id == id && id != "" && (first == nil || a.id < first.id) {
			first = a
		}
	}
	return first
}

// add writes a new attempt with its links.
func (t *tx) add(a *attempt, body []byte, links ...state.TokenLink) {
	t.attempts[a.id] = a
	if _, ok := t.persons[a.person()]; ok {
		t.persons[a.person()] = append(t.persons[a.person()], a)
	}
	if _, ok := t.refs[a.ref]; ok && t.refs[a.ref] == nil {
		t.refs[a.ref] = a
	}
	if t.bulk.outcomes.people[a.person()] { // whether the attempt may be made depends on them
		t.bulk.put(&t.queue)
	}
	t.bulk.attempts.add(a, body)
	t.bulk.links.add(a.id, links)
}

// askNewIDs reads unused ids for attempts with the next flush.
func (t *tx) askNewIDs(many int) {
	var id int64
	t.ask("SELECT nextval(s.name) FROM (SELECT pg_get_serial_sequence('attempts', 'id')::regclass AS name OFFSET 0) s, generate_series(1, $1::int)", args(many), []any{&id}, func() error {
		t.newIDs = append(t.newIDs, id)
		return nil
	}, nil)
}

// nextAttempt returns an unused id for an attempt.
func (t *tx) nextAttempt(many int) (id int64) {
	if len(t.newIDs) == 0 {
		t.askNewIDs(many)
		t.flush()
		if len(t.newIDs) == 0 {
			return 0
		}
	}
	id, t.newIDs = t.newIDs[0], t.newIDs[1:]
	return id
}

// put writes an outcome.
func (t *tx) put(a *attempt, o *outcome) {
	for _, s := range []*string{&o.id, &o.code, &o.title, &o.cause} {
		*s = clean(*s)
	}
	a.out = o
	if list, ok := t.sent[o.id]; ok && o.id != "" && !slices.Contains(list, a) {
		t.sent[o.id] = append(list, a)
	}
	t.bulk.outcomes.add(a, o)
}

// putFate writes what was reported about an attempt.
func (t *tx) putFate(a *attempt, f fate) {
	f.FailCode, f.FailTitle = clean(f.FailCode), clean(f.FailTitle)
	f.billed.Category, f.billed.Model, f.billed.Type = clean(f.billed.Category), clean(f.billed.Model), clean(f.billed.Type)
	if f == a.fate {
		return
	}
	a.fate = f
	t.bulk.statuses.add(a.id, &f)
}

// export converts an attempt to the form that a state returns.
func (a *attempt) export() state.Delivery {
	d := state.Delivery{Key: a.key, Choice: a.choice, To: message.AddressOf(a.key.Recipient), Send: a.send(), Attempt: a.number, Ref: a.ref, Message: a.message, Digest: a.digest,
		Intended: state.Moment(a.intended), Rank: a.fate.Rank, RankAt: state.Moment(a.fate.RankAt), Replied: state.Moment(a.fate.replied), Clicked: state.Moment(a.clicked),
		Failed: a.fate.FailedAt != 0 && a.fate.Rank < message.RankDelivered, FailCode: a.fate.FailCode, FailTitle: a.fate.FailTitle,
		Billing: a.fate.billed.Billing}
	if o := a.out; o != nil {
		d.ID, d.Proof, d.Code, d.Title, d.Cause, d.Settled = o.id, o.proof, o.code, o.title, o.cause, state.Moment(o.settled)
	}
	return d
}

package faults

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	rules "github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/state"
)

// book is what a state holds durably, in memory: the rules of state.Store
// without SQLite, so that a hundred thousand campaigns fit into a minute.
// TestBookIsTheStore proves that the two give the same answers.
type book struct {
	lineage       string
	epoch, serial int64
	recovered     int // attempts up to this one have been recovered
	runs          []bookRun
	attempts      []*attempt // the handle is the index plus one
	byKey         map[state.Key][]int64
	byRef         map[string]int64
	people        map[string]*human
	orphans       []orphan
	inbox         []delivery
	seen          map[string]bool
	findings      []finding
	halts         []state.Halt
	slots         map[string]*pace.Slots // by sending number
	// moved is told of every move on the send axis.
	moved func(from, to state.Send, p state.Proof)
	// found is told of every finding.
	found func(kind string)
}

type bookRun struct {
	epoch int64
	ended bool
}

type attempt struct {
	key      state.Key
	number   int
	run      int64
	intended int64 // Unix milliseconds, as all times of the book
	ref      string
	outcome  *outcome // nil while it is open

	rank     message.Rank
	failedAt int64
	failCode string
}

type outcome struct {
	send        state.Send
	proof       state.Proof
	code, cause string
	id          string
}

type human struct {
	lastInbound, shut int64
	out               bool
	optAt             int64
	cooldown          int64
}

type orphan struct {
	about, text string
	received    int64
	event       message.Event
}

// delivery is one webhook body.
type delivery struct {
	body   string
	at     int64
	events []message.Event
}

type finding struct {
	kind, detail string
	attempt      int64
}

var errNotOpen = errors.New("the run is not open")

func newBook(lineage string) *book {
	return &book{lineage: lineage, byKey: map[state.Key][]int64{}, byRef: map[string]int64{},
		people: map[string]*human{}, seen: map[string]bool{}, slots: map[string]*pace.Slots{}, moved: func(_, _ state.Send, _ state.Proof) {}, found: func(string) {}}
}

func (b *book) person(key string) *human {
	p := b.people[key]
	if p == nil {
		p = &human{}
		b.people[key] = p
	}
	return p
}

func (b *book) fence(run int64) error {
	r := &b.runs[run-1]
	switch {
	case r.ended:
		return errNotOpen
	case r.epoch != b.epoch:
		return state.ErrFenced
	}
	return nil
}

func (b *book) begin(resume ...string) int64 {
	b.halts = slices.DeleteFunc(b.halts, func(h state.Halt) bool { return slices.Contains(resume, h.Campaign) })
	b.epoch++
	b.serial++
	b.runs = append(b.runs, bookRun{epoch: b.epoch})
	return int64(len(b.runs))
}

// halt is Store.Halt: the first reason stands.
func (b *book) halt(h state.Halt) {
	if !slices.ContainsFunc(b.halts, func(o state.Halt) bool { return o.Campaign == h.Campaign }) {
		b.halts = append(b.halts, h)
	}
}

func (b *book) finish(run int64) error {
	if err := b.fence(run); err != nil {
		return err
	}
	b.runs[run-1].ended = true
	return nil
}

// recover is T8 for what an earlier process left.
func (b *book) recover() int {
	n := 0
	for _, a := range b.attempts[b.recovered:] {
		if a.outcome == nil {
			b.put(a, &outcome{send: state.InDoubt, cause: "interrupted"})
			n++
		}
	}
	b.recovered = len(b.attempts)
	return n
}

// put writes an outcome, and asserts that the move is allowed.
func (b *book) put(a *attempt, o *outcome) {
	from := state.Sending
	if a.outcome != nil {
		from = a.outcome.send
	}
	if a.outcome == nil || from != o.send {
		if err := rules.Transition(from, o.send, o.proof); err != nil {
			panic(err)
		}
		b.moved(from, o.send, o.proof)
	}
	a.outcome = o
}

func (b *book) intend(run int64, intents []state.Intent, now int64) ([]state.Verdict, error) {
	if err := b.fence(run); err != nil {
		return nil, err
	}
	if len(intents) > 0 { // what people said before holds for what goes now
		b.fold(len(b.inbox))
	}
	out := make([]state.Verdict, len(intents))
	for i := range intents {
		in := &intents[i]
		if out[i] = b.gates(in, now); out[i].Gate != "" {
			continue
		}
		slot, ok := b.slotsOf(in.Number).Take(in.Pace, time.UnixMilli(now))
		if !ok {
			out[i] = state.Verdict{Gate: state.GatePace, Until: slot}
			continue
		}
		out[i].Leave = slot
		a := &attempt{key: in.Key, number: in.Attempt, run: run, intended: now, ref: in.Ref}
		b.attempts = append(b.attempts, a)
		id := int64(len(b.attempts))
		b.byKey[in.Key] = append(b.byKey[in.Key], id)
		b.byRef[in.Ref] = id
		b.moved(state.Pending, state.Sending, "")
		out[i].Attempt = id
	}
	return out, nil
}

func (b *book) gates(in *state.Intent, now int64) state.Verdict {
	if v := b.once(in); v.Gate != "" {
		return v
	}
	p := b.people[in.Recipient]
	if p == nil {
		p = &human{}
	}
	switch {
	case in.Marketing && p.out:
		return state.Verdict{Gate: state.GateOptedOut}
	case in.Marketing && p.cooldown > now:
		return state.Verdict{Gate: state.GateCooldown, Until: time.UnixMilli(p.cooldown).UTC()}
	}
	if in.Window {
		if gate := p.window(in, now); gate != "" {
			return state.Verdict{Gate: gate}
		}
	}
	if v := b.frequency(in, now); v.Gate != "" {
		return v
	}
	return b.spaced(in, now)
}

func (b *book) slotsOf(number string) *pace.Slots {
	if b.slots[number] == nil {
		b.slots[number] = &pace.Slots{}
	}
	return b.slots[number]
}

// spaced is the rule of 6 seconds between two messages to one person.
func (b *book) spaced(in *state.Intent, now int64) state.Verdict {
	last := int64(0)
	for key, ids := range b.byKey {
		for _, id := range ids {
			if a := b.attempts[id-1]; key.Recipient == in.Recipient && (a.outcome == nil || a.outcome.send != state.Pending) {
				last = max(last, a.intended)
			}
		}
	}
	gate, until := rules.Spaced(last, now, in.Spacing)
	if gate == rules.GateNone {
		return state.Verdict{}
	}
	return state.Verdict{Gate: gate.String(), Until: time.UnixMilli(until).UTC()}
}

func (b *book) once(in *state.Intent) state.Verdict {
	send, a := b.latest(in.Key)
	last := 0
	if a != nil {
		last = a.number
	}
	switch {
	case send == state.Accepted:
		return state.Verdict{Gate: state.GateSent}
	case send == state.Sending || send == state.InDoubt:
		return state.Verdict{Gate: state.GateDoubt}
	case (send == state.Rejected || send == state.Cancelled) && !in.Retry:
		return state.Verdict{Gate: state.GateRefused}
	case in.Attempt != last+1:
		return state.Verdict{Gate: state.GateAttempt, Next: last + 1, Was: send}
	}
	return state.Verdict{}
}

const day = int64(24 * time.Hour / time.Millisecond)

func (p *human) window(in *state.Intent, now int64) string {
	ends := p.shut
	if p.lastInbound != 0 {
		ends = p.lastInbound + day
		if p.shut >= p.lastInbound {
			ends = min(ends, p.shut)
		}
	}
	switch {
	case ends > now+rules.WindowMargin.Milliseconds():
		return ""
	case ends == 0 && in.AssumeOpen:
		return ""
	case ends == 0:
		return state.GateWindowUnknown
	}
	return state.GateWindowClosed
}

func (b *book) frequency(in *state.Intent, now int64) state.Verdict {
	if in.CapCount == 0 {
		return state.Verdict{}
	}
	per := in.CapPer.Milliseconds()
	var times []int64
	for key, ids := range b.byKey {
		if key.Recipient != in.Recipient {
			continue
		}
		for _, id := range ids {
			a := b.attempts[id-1]
			if a.intended > now-per && (a.outcome == nil || a.outcome.send == state.Accepted || a.outcome.send == state.InDoubt) {
				times = append(times, a.intended)
			}
		}
	}
	if len(times) < in.CapCount {
		return state.Verdict{}
	}
	slices.SortFunc(times, func(x, y int64) int { return cmp.Compare(y, x) })
	return state.Verdict{Gate: state.GateCap, Until: time.UnixMilli(times[in.CapCount-1] + per).UTC()}
}

func (b *book) settle(run int64, outcomes []state.Outcome) error {
	fenced := b.fence(run)
	if fenced != nil && !errors.Is(fenced, state.ErrFenced) {
		return fenced
	}
	for i := range outcomes {
		o := &outcomes[i]
		if err := b.settleOne(o); err != nil {
			return err
		}
		if !o.Hold.IsZero() {
			b.slotsOf(o.Number).Hold(o.Hold, o.At)
		}
		if o.ID != "" {
			b.adopt(o.ID)
		}
	}
	return fenced
}

func (b *book) settleOne(o *state.Outcome) error {
	a := b.attempts[o.Attempt-1]
	next := &outcome{send: o.Send, proof: o.Proof, code: o.Code, cause: o.Cause, id: o.ID}
	switch old := a.outcome; {
	case old == nil:
		if err := rules.Transition(state.Sending, o.Send, o.Proof); err != nil {
			return err
		}
		b.put(a, next)
	case old.send == next.send && old.send != state.Accepted:
	case old.send == state.Accepted && next.send == state.Accepted:
		b.joinAccepted(o.Attempt, next)
	case old.send == state.Accepted && next.send == state.InDoubt:
	case old.send == state.Accepted:
		b.find(state.FindingContradiction, o.Attempt, fmt.Sprintf("accepted by %s, and the answer said %s %s", old.proof, next.send, next.code))
	case next.send == state.Accepted && (old.send == state.Pending || old.send == state.Rejected):
		b.acceptedAfterAll(o.Attempt, next)
	case old.send == state.Pending || old.send == state.Rejected:
	case old.send == state.InDoubt && next.send == state.Pending:
		b.moved(old.send, next.send, next.proof)
		a.outcome = next
	default:
		if err := rules.Transition(old.send, next.send, next.proof); err != nil {
			return err
		}
		b.put(a, next)
	}
	b.consequences(a, o)
	return nil
}

// acceptedAfterAll is an answer that comes after the message was believed to be
// not taken.
func (b *book) acceptedAfterAll(id int64, next *outcome) {
	a := b.attempts[id-1]
	ids := b.byKey[a.key]
	if last := ids[len(ids)-1]; last != id {
		b.provenLate(id, last, next.id, next.proof)
		return
	}
	b.find(state.FindingContradiction, id, fmt.Sprintf("believed to be %s, and then its answer said accepted", a.outcome.send))
	b.moved(a.outcome.send, next.send, next.proof)
	a.outcome = next
}

func (b *book) joinAccepted(id int64, next *outcome) {
	old := b.attempts[id-1].outcome
	switch {
	case next.id == "" || old.id == next.id:
	case old.id != "":
		b.find(state.FindingDuplicate, id, "the provider has two ids for one message")
	default:
		old.id = next.id
	}
}

func (b *book) consequences(a *attempt, o *state.Outcome) {
	if !o.OptOut && o.Cooldown.IsZero() && !o.WindowShut {
		return
	}
	p := b.person(a.key.Recipient)
	at := o.At.UnixMilli()
	if o.OptOut {
		p.optOut(at)
	}
	if !o.Cooldown.IsZero() {
		p.cooldown = max(p.cooldown, o.Cooldown.UnixMilli())
	}
	if o.WindowShut {
		p.shut = max(p.shut, at)
	}
}

func (p *human) optOut(at int64) {
	if at >= p.optAt {
		p.out, p.optAt = true, at
	}
}

func (b *book) find(kind string, id int64, detail string) {
	if f := (finding{kind, detail, id}); !slices.Contains(b.findings, f) {
		b.findings = append(b.findings, f)
		b.found(kind)
	}
}

// accept is what Store.Append does.
func (b *book) accept(d delivery) bool {
	if b.seen[d.body] {
		return false
	}
	b.seen[d.body] = true
	b.inbox = append(b.inbox, d)
	return true
}

func (b *book) fold(limit int) int {
	n := min(limit, len(b.inbox))
	for _, d := range b.inbox[:n] {
		for i := range d.events {
			b.event(&d.events[i], d.at)
		}
	}
	b.inbox = b.inbox[n:]
	return n
}

func (b *book) event(ev *message.Event, received int64) {
	switch ev.Kind {
	case message.EventStatus:
		id := b.about(ev.Ref, ev.ID)
		if id == 0 {
			if ev.Ref != "" && message.OurRef(b.lineage, ev.Ref) {
				b.find(state.FindingRollback, 0, "a status came for reference "+ev.Ref+", which this state does not know: it is older than what was sent from it")
			}
			b.wait(ev, received)
			return
		}
		b.joinStatus(id, ev, received)
	case message.EventInbound:
		if b.seen["inbound "+ev.ID] {
			return
		}
		b.seen["inbound "+ev.ID] = true
		p := b.person(ev.From.Key())
		p.lastInbound = max(p.lastInbound, eventTime(ev, received))
	case message.EventPreference:
		if p := b.person(ev.From.Key()); ev.OptOut {
			p.optOut(eventTime(ev, received))
		} else if at := eventTime(ev, received); at > p.optAt {
			p.out, p.optAt = false, at
		}
	}
}

func eventTime(ev *message.Event, received int64) int64 {
	if ev.At.IsZero() || ev.At.UnixMilli() > received {
		return received
	}
	return ev.At.UnixMilli()
}

func (b *book) about(ref, id string) int64 {
	if at := b.byRef[ref]; ref != "" && at != 0 {
		return at
	}
	if id == "" {
		return 0
	}
	for i, a := range b.attempts {
		if a.outcome != nil && a.outcome.id == id {
			return int64(i + 1)
		}
	}
	return 0
}

func (b *book) joinStatus(id int64, ev *message.Event, received int64) {
	id = b.proven(id, ev)
	a, at := b.attempts[id-1], eventTime(ev, received)
	if !ev.Failed {
		a.rank = max(a.rank, ev.Rank)
		return
	}
	if a.failedAt == 0 || at < a.failedAt || at == a.failedAt && ev.Code < a.failCode {
		a.failedAt, a.failCode = at, ev.Code
	}
	switch p := b.person(a.key.Recipient); ev.Code {
	case "131050":
		p.optOut(at)
	case "131049":
		p.cooldown = max(p.cooldown, at+day)
	case "131047":
		p.shut = max(p.shut, at)
	}
}

// proven settles an attempt by a status, or the later attempt at the same
// delivery, and says which.
func (b *book) proven(id int64, ev *message.Event) int64 {
	a := b.attempts[id-1]
	if a.outcome != nil && a.outcome.send == state.Accepted {
		had := a.outcome.id
		b.joinAccepted(id, &outcome{send: state.Accepted, id: ev.ID})
		if had == "" {
			b.adopt(ev.ID)
		}
		return id
	}
	ids := b.byKey[a.key]
	if last := ids[len(ids)-1]; last != id {
		return b.provenLate(id, last, ev.ID, state.ProofEcho)
	}
	if a.outcome != nil {
		switch a.outcome.send {
		case state.Rejected:
			b.find(state.FindingContradiction, id, "refused with "+a.outcome.code+", and then a status came for it")
		case state.Pending, state.Cancelled:
			b.find(state.FindingContradiction, id, "believed to be not taken, and then a status came for it")
		}
	}
	b.put(a, &outcome{send: state.Accepted, proof: state.ProofEcho, id: ev.ID})
	b.adopt(ev.ID)
	return id
}

// provenLate is the proof of an attempt after which another was made.
func (b *book) provenLate(id, last int64, messageID string, by state.Proof) int64 {
	l := b.attempts[last-1]
	if l.outcome != nil && l.outcome.send == state.Accepted && messageID != "" {
		switch l.outcome.id {
		case messageID:
			return last
		case "":
			l.outcome.id = messageID
			b.adopt(messageID)
			return last
		}
	}
	b.find(state.FindingDuplicate, id, "believed to be not taken and made again, and then a status came for it")
	if l.outcome != nil && l.outcome.send == state.Accepted {
		return id
	}
	b.put(l, &outcome{send: state.Accepted, proof: by, id: messageID})
	b.adopt(messageID)
	return last
}

func (b *book) wait(ev *message.Event, received int64) {
	text, err := json.Marshal(ev)
	if err != nil {
		panic(err)
	}
	if !slices.ContainsFunc(b.orphans, func(o orphan) bool { return o.text == string(text) }) {
		b.orphans = append(b.orphans, orphan{about: ev.ID, text: string(text), received: received, event: *ev})
	}
}

// adopt joins what waited for an id; what is about nobody waits on.
func (b *book) adopt(id string) {
	waiting := b.orphans
	b.orphans = nil
	var mine []orphan
	for _, o := range waiting {
		if o.about == id && b.about(o.event.Ref, id) != 0 {
			mine = append(mine, o)
		} else {
			b.orphans = append(b.orphans, o)
		}
	}
	for i := range mine {
		b.joinStatus(b.about(mine[i].event.Ref, id), &mine[i].event, mine[i].received)
	}
}

// resolve is what a person decides of a doubt.
func (b *book) resolve(key state.Key, as state.Send) error {
	ids := b.byKey[key]
	if len(ids) == 0 {
		return state.ErrUnknown
	}
	a := b.attempts[ids[len(ids)-1]-1]
	if a.outcome == nil || a.outcome.send != state.InDoubt {
		return errors.New("not in doubt")
	}
	if err := rules.Transition(state.InDoubt, as, state.ProofOperator); err != nil {
		return err
	}
	o := *a.outcome
	o.send, o.proof = as, state.ProofOperator
	b.put(a, &o)
	b.serial++
	return nil
}

// latest is where a delivery stands: as its last attempt; nil when there was
// none.
func (b *book) latest(key state.Key) (state.Send, *attempt) {
	ids := b.byKey[key]
	if len(ids) == 0 {
		return state.Pending, nil
	}
	a := b.attempts[ids[len(ids)-1]-1]
	if a.outcome == nil {
		return state.Sending, a
	}
	return a.outcome.send, a
}

func (b *book) tally(campaign string, revision int) state.Tally {
	var t state.Tally
	for key := range b.byKey {
		if key.Campaign != campaign || key.Revision != revision {
			continue
		}
		switch send, a := b.latest(key); send {
		case state.Accepted:
			t.Accepted++
			if a.rank >= message.RankDelivered {
				t.Delivered++
			} else if a.failedAt != 0 {
				t.Failed++
			}
		case state.Rejected:
			t.Rejected++
		case state.InDoubt, state.Sending:
			t.InDoubt++
		case state.Pending:
			t.Pending++
		}
	}
	return t
}

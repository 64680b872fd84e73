package memstate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// run is one apply.
type run struct {
	state.Run
	over bool
}

// sameDelivery reports whether two keys name one delivery, in either spelling of the
// number.
func sameDelivery(a, b state.Key) bool {
	return a.Campaign == b.Campaign && a.Revision == b.Revision && message.Canonical(a.Recipient) == message.Canonical(b.Recipient)
}

// last returns the newest attempt at a delivery, under any id of the person; nil for
// none. If several ids have one, it returns the one that says most. number is the
// highest number of them all.
func (s *Store) last(key state.Key) (best *attempt, number int) {
	newest, ids := map[string]*attempt{}, s.everyID(key.Recipient)
	for _, a := range s.attempts {
		if a != nil && a.key.Campaign == key.Campaign && a.key.Revision == key.Revision && ids[message.Canonical(a.key.Recipient)] {
			newest[message.Canonical(a.key.Recipient)] = a
		}
	}
	own := message.Canonical(key.Recipient)
	for _, id := range append([]string{own}, slices.Sorted(maps.Keys(newest))...) {
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

func (a *attempt) rules() delivery.Attempt {
	return delivery.Attempt{Number: a.number, Send: a.send()}
}

// of returns the attempts that went to a person, newest first.
func (s *Store) of(recipient string) (out []*attempt) {
	ids := s.everyID(recipient)
	for _, a := range slices.Backward(s.attempts) {
		if a != nil && ids[message.Canonical(a.key.Recipient)] {
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b *attempt) int { return cmp.Compare(b.intended, a.intended) })
	return out
}

// toEither returns the attempts that went to the person of an intent, under each id
// in the plan.
func (s *Store) toEither(in *state.Intent) []*attempt {
	out := s.of(in.Recipient)
	if also := in.Also(); also != "" {
		for _, a := range s.of(also) {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
		slices.SortStableFunc(out, func(a, b *attempt) int { return cmp.Compare(b.intended, a.intended) })
	}
	return out
}

// put writes an outcome.
func (s *Store) put(a *attempt, o *outcome) {
	if from := a.send(); a.out == nil || from != o.send {
		s.opt.Moved(from, o.send, o.proof)
	}
	set(s, &a.out, o)
}

// Begin implements state.Store.
func (s *Store) Begin(ctx context.Context, r state.Run, resources []state.Resource) (state.Run, error) {
	err := s.write(ctx, func() error {
		set(s, &s.meta.Serial, s.meta.Serial+1)
		set(s, &s.meta.Epoch, s.meta.Epoch+1)
		set(s, &s.resources, slices.Clone(resources))
		for _, address := range r.Resume {
			s.changeHalts(func(h []state.Halt) []state.Halt {
				return slices.DeleteFunc(h, func(h state.Halt) bool { return h.Campaign == address })
			})
		}
		s.putAll(r.Blobs)
		r.ID = int64(len(s.runs) + 1)
		r.Lanes = slices.Clone(r.Lanes)
		for i, l := range r.Lanes {
			var err error
			if r.Lanes[i], err = s.take(l.Number, r.ID); err != nil {
				return err
			}
		}
		s.keepRun(run{Run: r}, r.ID)
		return nil
	})
	return r, err
}

func (s *Store) keepRun(r run, id int64) {
	r.ID, r.Blobs, r.Lanes, r.Resume, r.Who = id, nil, nil, nil, ""
	if r.Started.IsZero() {
		r.Started = state.Moment(s.now)
	}
	r.Started, r.Ended = state.Moment(state.Millis(r.Started)), state.Moment(state.Millis(r.Ended))
	r.Campaigns = slices.Clone(r.Campaigns)
	s.wrote(max(state.Millis(r.Started), state.Millis(r.Ended)))
	runs := slices.Clone(s.runs)
	if id > int64(len(runs)) {
		runs = append(runs, run{})
	}
	runs[id-1] = r
	set(s, &s.runs, runs)
}

// Finish implements state.Store.
func (s *Store) Finish(ctx context.Context, r state.Run) error {
	return s.write(ctx, func() error {
		if r.ID < 1 || r.ID > int64(len(s.runs)) || s.runs[r.ID-1].over {
			return fmt.Errorf("run %d is not open", r.ID)
		}
		for _, l := range s.lanes {
			if l.Run == r.ID && s.taken(l.Lane) {
				return state.ErrFenced
			}
		}
		if r.Ended.IsZero() {
			r.Ended = state.Moment(s.now)
		}
		s.keepRun(run{Run: r, over: true}, r.ID)
		return nil
	})
}

// Intend implements state.Store.
func (s *Store) Intend(ctx context.Context, lane state.Lane, intents []state.Intent) ([]state.Verdict, error) {
	return s.Turn(ctx, lane, nil, intents)
}

// Settle implements state.Store.
func (s *Store) Settle(ctx context.Context, lane state.Lane, outcomes []state.Outcome) error {
	_, err := s.Turn(ctx, lane, outcomes, nil)
	return err
}

// Turn implements state.Store.
func (s *Store) Turn(ctx context.Context, lane state.Lane, outcomes []state.Outcome, intents []state.Intent) (out []state.Verdict, err error) {
	var fenced error
	err = s.write(ctx, func() error {
		if fenced = s.fence(lane); fenced != nil && !errors.Is(fenced, state.ErrFenced) {
			return fenced
		}
		for i := range outcomes {
			if err := s.settle(outcomes[i]); err != nil {
				return err
			}
			s.hold(&outcomes[i])
		}
		if fenced != nil || len(intents) == 0 {
			return nil
		}
		s.fold(len(s.inbox))
		out = make([]state.Verdict, len(intents))
		for i := range intents {
			if lane.Run == 0 && intents[i].Inbound == 0 {
				return errors.New("an intent outside a run must answer an inbound event")
			}
			out[i] = s.intend(lane, &intents[i])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, fenced
}

func (s *Store) intend(lane state.Lane, in *state.Intent) (v state.Verdict) {
	if s.erased[idOf(in.Recipient)] || s.erased[idOf(in.Also())] {
		return state.Verdict{Gate: delivery.GateOptedOut}
	}
	key := in.Key
	last, number := s.last(key)
	if also := in.Also(); also != "" {
		key.Recipient = also
		o, most := s.last(key)
		if o != nil && (last == nil || o.rules().Over(last.rules())) {
			last = o
		}
		number = max(number, most)
		key = in.Key
	}
	known := delivery.Attempt{}
	if last != nil {
		defer func() { v.UnderAnother = last.key.Recipient != in.Recipient }()
		key.Recipient = last.key.Recipient // so that it stays one delivery
		known = delivery.Attempt{Number: number, Send: last.send()}
	}
	switch gate := known.Once(delivery.Order{Number: in.Attempt, Retry: in.Retry, Again: in.Again}); gate {
	case delivery.GateNone:
	case delivery.GateAttempt:
		return state.Verdict{Gate: gate, Next: known.Number + 1, Was: known.Send}
	default:
		return state.Verdict{Gate: gate}
	}
	if gate, until := s.gate(lane.Number, in); gate != delivery.GateNone {
		return state.Verdict{Gate: gate, Until: state.Moment(until)}
	}
	leave, v := s.slot(lane.Number, in)
	if v.Gate != "" {
		return v
	}
	if last != nil && !s.everyID(in.Recipient)[message.Canonical(last.key.Recipient)] {
		s.goesOn(lane, in)
	}
	if last != nil && last.send() == state.Accepted {
		set(s, &last.ordered, true)
	}
	a := &attempt{id: int64(len(s.attempts) + 1), key: key, choice: in.Choice, number: in.Attempt, run: lane.Run, from: lane.Number, intended: s.now, message: in.Message, digest: in.Digest, ref: in.Ref}
	set(s, &s.attempts, append(s.attempts, a))
	for _, l := range in.Links {
		set(s, &s.links, append(s.links, &link{token: l.Token, attempt: a, link: l.Link}))
	}
	s.wrote(s.now)
	s.opt.Moved(state.Pending, state.Sending, "")
	return state.Verdict{Attempt: a.id, Leave: leave}
}

// HoldOut implements state.Store.
func (s *Store) HoldOut(ctx context.Context, lane state.Lane, who []state.Key) (n int, err error) {
	err = s.write(ctx, func() error {
		if err := s.fence(lane); err != nil {
			return err
		}
		for _, key := range who {
			last, _ := s.last(key)
			switch {
			case s.erased[idOf(key.Recipient)] || last != nil && last.send() != state.HeldOut:
				continue
			case last == nil:
				a := &attempt{id: int64(len(s.attempts) + 1), key: key, number: 1, run: -1, intended: s.now, out: &outcome{send: state.HeldOut, settled: s.now}}
				set(s, &s.attempts, append(s.attempts, a))
				s.wrote(s.now)
			}
			n++
		}
		return nil
	})
	return n, err
}

// goesOn records that the two ids in a row of the plan are one person's, if a
// delivery that began under the user id continues to the number. It does not if
// another user id of the number is known.
func (s *Store) goesOn(lane state.Lane, in *state.Intent) {
	c := s.gather(idOf(in.Recipient), idOf(in.Also()))
	if now, old, ok := c.Row(idOf(in.Recipient), idOf(in.Also())); ok {
		s.together(lane.Number, s.now, now, old)
	}
}

// gate returns why the message may not be sent now, from what may have changed about
// the person since the plan.
func (s *Store) gate(number string, in *state.Intent) (delivery.Gate, int64) {
	p := s.person(in.Recipient)
	w := p.WindowAt(number)
	if also := in.Also(); also != "" {
		o := s.person(also)
		p.Opt, p.Cooldown, w = p.Opt.Stricter(o.Opt), max(p.Cooldown, o.Cooldown), w.Join(o.WindowAt(number))
	}
	if in.Marketing {
		if gate, until := delivery.Marketing(p.Opt, p.Cooldown, s.now, in.NoCooldown); gate != delivery.GateNone {
			return gate, until
		}
	}
	if in.Window {
		if !in.KnownUntil.IsZero() {
			w = w.Claim(state.Millis(in.KnownUntil.Add(-delivery.WindowLength)), s.now)
		}
		if gate := w.Gate(s.now, in.AssumeOpen); gate != delivery.GateNone {
			return gate, 0
		}
	}
	limit := delivery.Cap{Count: in.CapCount, Per: in.CapPer}
	var times []int64
	for _, a := range s.toEither(in) {
		if a.run != 0 && a.intended > limit.Since(s.now) && a.send().MayHaveReached() {
			times = append(times, a.intended)
		}
	}
	if gate, until := limit.Gate(times); gate != delivery.GateNone {
		return gate, until
	}
	return s.spaced(in)
}

// settle records one answer.
func (s *Store) settle(o state.Outcome) error {
	if o.Attempt < 1 || o.Attempt > int64(len(s.attempts)) || s.attempts[o.Attempt-1] == nil {
		return nil // it was removed meanwhile
	}
	a := s.attempts[o.Attempt-1]
	gone := state.IsErased(a.key.Recipient)
	if gone && o.ID != "" { // WhatsApp's ids hold the phone number
		set(s, &s.orphans, slices.DeleteFunc(slices.Clone(s.orphans), func(w orphan) bool { return w.about == o.ID }))
		o.ID = ""
	}
	next := &outcome{send: o.Send, proof: o.Proof, settled: state.Millis(o.At), code: o.Code, title: o.Title, cause: o.Cause, id: o.ID}
	if a.out == nil {
		if err := delivery.Transition(state.Sending, o.Send, o.Proof); err != nil {
			return err
		}
		s.put(a, next)
	} else if err := s.join(a, next); err != nil {
		return err
	}
	switch {
	case !gone:
		s.consequences(a, &o)
	case o.UserID != "" && !s.erased[idOf(o.UserID)]: // erased is erased under every id
		s.erase(o.UserID)
	}
	if o.ID != "" {
		s.adopt(o.ID)
	}
	return nil
}

func (s *Store) join(a *attempt, next *outcome) error {
	how, err := delivery.Joins(a.out.send, next.send, next.proof)
	if err != nil {
		return err
	}
	switch how {
	case delivery.JoinReplace:
		s.put(a, next)
	case delivery.JoinComplete:
		s.complete(a, next.id)
	case delivery.JoinContradict:
		s.find(state.FindingContradiction, a.id, fmt.Sprintf("accepted by %s, and the answer said %s %s", a.out.proof, next.send, next.code))
	case delivery.JoinAfterAll:
		if later := s.later(a); later != nil {
			s.provenLate(a, later, next)
			return nil
		}
		s.find(state.FindingContradiction, a.id, fmt.Sprintf("believed to be %s, and then its answer said accepted", a.out.send))
		s.put(a, next)
	}
	return nil
}

// complete adds the id to an accepted attempt, or notes a second one.
func (s *Store) complete(a *attempt, id string) {
	switch {
	case id == "" || id == a.out.id:
	case a.out.id != "":
		s.find(state.FindingDuplicate, a.id, "the provider has two ids for one message")
	case !state.IsErased(a.key.Recipient):
		o := *a.out
		o.id = id
		set(s, &a.out, &o)
	}
}

// consequences records what an answer means for the person.
func (s *Store) consequences(a *attempt, o *state.Outcome) {
	if o.UserID != "" && !s.together(o.Number, state.Millis(o.At), idsOf(a.key.Recipient, o.UserID), nil) || !o.Tells() {
		return
	}
	s.tell(a.key.Recipient, o.Tell)
}

// find records a contradiction, once.
func (s *Store) find(kind string, attempt int64, detail string) {
	for i, f := range s.findings {
		if f.Kind == kind && f.Detail == detail && s.about[i] == attempt {
			return
		}
	}
	s.opt.Found(kind)
	set(s, &s.findings, append(s.findings, state.Finding{ID: int64(len(s.findings) + 1), At: state.Moment(s.now), Kind: kind, Detail: detail}))
	set(s, &s.about, append(s.about, attempt))
}

// Tally implements state.Store.
func (s *Store) Tally(ctx context.Context, campaign string, revision int) (t state.Tally, err error) {
	rows, err := s.Funnel(ctx, campaign)
	for i := range rows {
		if rows[i].Revision == revision {
			t.Add(&rows[i])
		}
	}
	return t, err
}

// changeHalts changes the list of what is halted.
func (s *Store) changeHalts(change func([]state.Halt) []state.Halt) {
	list := change(slices.Clone(s.halts))
	slices.SortStableFunc(list, func(a, b state.Halt) int { return cmp.Compare(a.Campaign, b.Campaign) })
	set(s, &s.halts, list)
}

// Halt implements state.Store.
func (s *Store) Halt(ctx context.Context, h state.Halt) error {
	return s.write(ctx, func() error {
		s.changeHalts(func(list []state.Halt) []state.Halt {
			if slices.ContainsFunc(list, func(o state.Halt) bool { return o.Campaign == h.Campaign }) {
				return list
			}
			return append(list, h)
		})
		return nil
	})
}

// Halts implements state.Store.
func (s *Store) Halts(ctx context.Context) (list []state.Halt, err error) {
	err = s.read(ctx, func() error {
		if len(s.halts) > 0 {
			list = slices.Clone(s.halts)
		}
		return nil
	})
	return list, err
}

// Halted implements state.Store. It returns nil: a state in memory cannot be restored
// from a copy.
func (s *Store) Halted(ctx context.Context) (*state.HaltError, error) {
	return nil, s.read(ctx, func() error { return nil })
}

package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/state"
)

// Begin implements state.Store.
func (s *Store) Begin(ctx context.Context, r state.Run, resources []state.Resource) (state.Run, error) {
	r.Lanes = slices.Clone(r.Lanes)
	err := s.write(ctx, func(t *tx) error {
		if halt := t.halted(); halt != nil {
			return halt
		}
		if r.Carried != nil {
			if err := t.closeOpen(&r); err != nil {
				return err
			}
		}
		t.meta.Serial++
		t.meta.Epoch++
		t.putResources(resources)
		for _, address := range r.Resume {
			if t.exec("DELETE FROM halts WHERE campaign = $1", address) > 0 {
				t.later("INSERT INTO decisions (at, who, what, why) VALUES ($1, $2, $3, '')", t.now, r.Who, "resumed "+address)
			}
		}
		t.putBlobs(r.Blobs)
		t.one("SELECT coalesce(max(id), 0) + 1 FROM runs", nil, &r.ID)
		for i, l := range r.Lanes {
			var err error
			if r.Lanes[i], err = t.take(l.Number, r.ID); err != nil {
				return err
			}
		}
		t.keepRun(r, r.ID, false)
		if r.Carried != nil {
			return t.carry(&r)
		}
		return nil
	})
	if err != nil {
		return state.Run{}, named(err, "opening a run")
	}
	return r, nil
}

func (t *tx) putResources(list []state.Resource) {
	t.later("DELETE FROM resources")
	for i, r := range list {
		t.later("INSERT INTO resources VALUES ($1, $2, $3, $4, $5, $6)", i, r.Address, r.Type, r.Name, append([]byte{}, r.Tree...), r.Refs)
	}
}

func (t *tx) putBlobs(blobs map[string][]byte) {
	for _, name := range slices.Sorted(maps.Keys(blobs)) {
		if data := blobs[name]; data == nil {
			t.later("DELETE FROM blobs WHERE name = $1", name)
		} else {
			t.later("INSERT INTO blobs VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET data = excluded.data", name, data)
		}
	}
}

func (t *tx) keepRun(r state.Run, id int64, over bool) {
	r.ID, r.Blobs, r.Lanes, r.Resume, r.Who, r.Carried = id, nil, nil, nil, "", nil
	if r.Started.IsZero() {
		r.Started = state.Moment(t.now)
	}
	r.Started, r.Ended = state.Moment(state.Millis(r.Started)), state.Moment(state.Millis(r.Ended))
	t.wrote(max(state.Millis(r.Started), state.Millis(r.Ended)))
	data, err := json.Marshal(r)
	if err != nil {
		t.fail(err)
		return
	}
	t.later("INSERT INTO runs VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET over = excluded.over, data = excluded.data", id, over, data)
}

// Finish implements state.Store.
func (s *Store) Finish(ctx context.Context, r state.Run) error {
	err := s.write(ctx, func(t *tx) error {
		over, carried := true, false
		var data []byte
		t.one("SELECT over, carried, data FROM runs WHERE id = $1", args(r.ID), &over, &carried, &data)
		switch {
		case t.err != nil:
		case over && carried:
			return state.ErrFenced // by a run that began when nobody drove this one
		case over:
			return fmt.Errorf("run %d is not open", r.ID)
		case carried:
			return t.finishLanes(r, data)
		}
		taken := false
		t.one("SELECT EXISTS (SELECT FROM lanes l WHERE l.run = $1 AND NOT l.replies AND NOT ("+newest+"))", args(r.ID), &taken)
		if taken {
			return state.ErrFenced
		}
		if r.Ended.IsZero() {
			r.Ended = state.Moment(t.now)
		}
		t.keepRun(r, r.ID, true)
		return nil
	})
	if err == nil {
		s.packRun(ctx, r.Campaigns)
	}
	return named(err, "closing a run")
}

// finishLanes closes lanes of a run that others can carry on, with the counts of
// their campaigns, and the run with its last lane.
func (t *tx) finishLanes(r state.Run, data []byte) error {
	var whole state.Run
	if err := json.Unmarshal(data, &whole); err != nil {
		return fmt.Errorf("%w: run %d: %w", state.ErrDamaged, r.ID, err)
	}
	for _, l := range r.Lanes {
		if t.exec("UPDATE lanes l SET done = true WHERE l.id = $1 AND l.epoch = $2 AND l.run = $3 AND NOT l.done AND "+newest, l.ID, l.Epoch, r.ID) == 0 {
			return errors.Join(t.err, state.ErrFenced)
		}
	}
	for _, c := range r.Campaigns {
		for i := range whole.Campaigns {
			if whole.Campaigns[i].Campaign == c.Campaign {
				whole.Campaigns[i] = c
			}
		}
	}
	if whole.Halted == "" {
		whole.Halted = r.Halted
	}
	left := true
	t.one("SELECT EXISTS (SELECT FROM lanes l WHERE l.run = $1 AND NOT l.replies AND NOT l.done AND "+newest+")", args(r.ID), &left)
	if !left {
		if whole.Ended = r.Ended; r.Ended.IsZero() {
			whole.Ended = state.Moment(t.now)
		}
		t.later("DELETE FROM plans WHERE run = $1", r.ID)
	}
	t.keepRun(whole, r.ID, !left)
	return nil
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

// askIntents reads what intents need with the next flush: who was erased, the people
// and their attempts, the slots of the numbers, and unused ids.
func (t *tx) askIntents(numbers []string, intents []state.Intent) {
	ids := peopleOf(intents)
	persons := make([]string, len(ids))
	for i, id := range ids {
		persons[i] = string(id)
	}
	t.askErased(ids)
	t.askIDs(ids)
	t.askPersons(persons)
	t.askSlots(numbers)
	t.askNewIDs(len(intents))
}

func peopleOf(intents []state.Intent) (ids []delivery.ID) {
	for i := range intents {
		ids = append(ids, idsOf(intents[i].Recipient, intents[i].Also())...)
	}
	return ids
}

// intendAll writes the intents that pass all gates.
func (t *tx) intendAll(lane state.Lane, intents []state.Intent) ([]state.Verdict, error) {
	t.loadPeople(peopleOf(intents))
	out := make([]state.Verdict, len(intents))
	for i := range intents {
		if lane.Run == 0 && intents[i].Inbound == 0 {
			return nil, errors.New("an intent outside a run must answer an inbound event")
		}
		out[i] = t.intend(lane, &intents[i], len(intents)-i)
	}
	return out, nil
}

// loadPeople loads what sending to people needs: who was erased, and each person under
// all of their ids.
func (t *tx) loadPeople(ids []delivery.ID) {
	t.loadErased(ids...)
	t.loadIDs(ids...)
	every := map[string]bool{}
	for _, id := range ids {
		maps.Copy(every, t.everyID(string(id)))
	}
	t.loadPersons(slices.Sorted(maps.Keys(every)))
}

// HoldOut implements state.Store.
func (s *Store) HoldOut(ctx context.Context, lane state.Lane, who []state.Key) (n int, err error) {
	err = s.write(ctx, func(t *tx) error {
		n = 0
		if err := t.fence(lane); err != nil {
			return err
		}
		var ids []delivery.ID
		for _, key := range who {
			ids = append(ids, idOf(key.Recipient))
		}
		t.loadPeople(ids)
		for i, key := range who {
			last, _ := t.last(key)
			switch {
			case t.wasErased(ids[i]) || last != nil && last.send() != state.HeldOut:
				continue
			case last == nil:
				key.Recipient, key.Campaign = clean(key.Recipient), clean(key.Campaign)
				a := &attempt{id: t.nextAttempt(len(who) - i), key: key, number: 1, run: -1, intended: t.now}
				t.add(a, make([]byte, 16))
				t.put(a, &outcome{send: state.HeldOut, settled: t.now})
				t.wrote(t.now)
			}
			n++
		}
		return nil
	})
	return n, named(err, "recording who is held out")
}

func (t *tx) intend(lane state.Lane, in *state.Intent, left int) (v state.Verdict) {
	if t.wasErased(idOf(in.Recipient)) || in.Also() != "" && t.wasErased(idOf(in.Also())) {
		return state.Verdict{Gate: delivery.GateOptedOut}
	}
	key := in.Key
	last, number := t.lastOfEither(in)
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
	if gate, until := t.gate(lane.Number, in); gate != delivery.GateNone {
		return state.Verdict{Gate: gate, Until: state.Moment(until)}
	}
	leave, late := t.slot(lane.Number, in)
	if late.Gate != "" {
		return late
	}
	if last != nil && !t.everyID(in.Recipient)[last.person()] {
		t.goesOn(lane, in)
	}
	if last != nil && last.send() == state.Accepted {
		last.ordered = true
		t.later("UPDATE attempts SET ordered = true WHERE id = $1", last.id)
	}
	key.Recipient, key.Campaign = clean(key.Recipient), clean(key.Campaign)
	a := &attempt{id: t.nextAttempt(left), key: key, choice: in.Choice, number: in.Attempt, run: lane.Run, from: lane.Number, intended: t.now, message: in.Message, digest: in.Digest, ref: clean(in.Ref), lane: lane.ID}
	t.add(a, in.Body[:16], in.Links...)
	t.wrote(t.now)
	return state.Verdict{Attempt: a.id, Leave: leave}
}

// lastOfEither is like last, for a row of the plan, which may name a person by two
// ids.
func (t *tx) lastOfEither(in *state.Intent) (best *attempt, number int) {
	best, number = t.last(in.Key)
	if also := in.Also(); also != "" {
		key := in.Key
		key.Recipient = also
		o, most := t.last(key)
		if o != nil && (best == nil || o.rules().Over(best.rules())) {
			best = o
		}
		number = max(number, most)
	}
	return best, number
}

// goesOn records that the two ids in a row of the plan are one person's, if a
// delivery that began under the user id continues to the number. It does not if
// another user id of the number is known.
func (t *tx) goesOn(lane state.Lane, in *state.Intent) {
	c, _ := t.gather(idOf(in.Recipient), idOf(in.Also()))
	if now, old, ok := c.Row(idOf(in.Recipient), idOf(in.Also())); ok {
		t.together(lane.Number, t.now, now, old)
	}
}

// gate returns why the message may not be sent now, from what may have changed about
// the person since the plan.
func (t *tx) gate(number string, in *state.Intent) (delivery.Gate, int64) {
	p := t.who(in.Recipient)
	w := p.WindowAt(number)
	if also := in.Also(); also != "" {
		o := t.who(also)
		p.Opt, p.Cooldown, w = p.Opt.Stricter(o.Opt), max(p.Cooldown, o.Cooldown), w.Join(o.WindowAt(number))
	}
	if in.Marketing {
		if gate, until := delivery.Marketing(p.Opt, p.Cooldown, t.now, in.NoCooldown); gate != delivery.GateNone {
			return gate, until
		}
	}
	if in.Window {
		if !in.KnownUntil.IsZero() {
			w = w.Claim(state.Millis(in.KnownUntil.Add(-delivery.WindowLength)), t.now)
		}
		if gate := w.Gate(t.now, in.AssumeOpen); gate != delivery.GateNone {
			return gate, 0
		}
	}
	limit := delivery.Cap{Count: in.CapCount, Per: in.CapPer}
	var times []int64
	newest := int64(0)
	for _, a := range t.toEither(in) {
		if a.run != 0 && a.intended > limit.Since(t.now) && a.send().MayHaveReached() {
			times = append(times, a.intended)
		}
		if a.run >= 0 && a.send() != state.Pending {
			newest = max(newest, a.intended)
		}
	}
	if gate, until := limit.Gate(times); gate != delivery.GateNone {
		return gate, until
	}
	return delivery.Spaced(newest, t.now, in.Spacing)
}

// Slots implements state.Store.
func (s *Store) Slots(ctx context.Context, number string, a pace.Ask, many int) (first time.Time, err error) {
	err = s.write(ctx, func(t *tx) error {
		n := t.slotsOf(number)
		first = n.Again(a, s.opt.Clock(), many)
		t.putSlots(number, n)
		return nil
	})
	return first, err
}

// ownSlots are the slots that this process wrote last. If the state still has the
// same, they are better than those read: their times have a monotonic clock, which
// no change of the wall clock affects.
type ownSlots struct {
	pace.Slots
	data []byte
}

// slotsOf returns the slots of a number.
func (t *tx) slotsOf(number string) (n pace.Slots) {
	if n, ok := t.slots[number]; ok {
		return n
	}
	t.askSlots([]string{number})
	t.load()
	return t.slots[number]
}

// askSlots reads the slots of numbers with the next flush.
func (t *tx) askSlots(numbers []string) {
	var missing []string
	for _, number := range numbers {
		if _, ok := t.slots[number]; !ok {
			missing, t.slots[number] = append(missing, number), pace.Slots{}
		}
	}
	if len(missing) == 0 {
		return
	}
	var number string
	var data []byte
	t.ask("SELECT number, data FROM slots WHERE number = ANY($1)", args(missing), []any{&number, &data}, func() error {
		var n pace.Slots
		if own, ok := t.s.own.Load(number); ok && bytes.Equal(own.(ownSlots).data, data) {
			n = own.(ownSlots).Slots
		} else if err := n.UnmarshalBinary(data); err != nil {
			return fmt.Errorf("%w: %w", state.ErrDamaged, err)
		}
		t.slots[number] = n
		return nil
	}, nil)
}

func (t *tx) putSlots(number string, n pace.Slots) {
	t.slots[number], t.taken[number] = n, true
}

// putTaken writes the slots that changed.
func (t *tx) putTaken() {
	if len(t.taken) == 0 {
		return
	}
	numbers := slices.Sorted(maps.Keys(t.taken))
	all := make([][]byte, len(numbers))
	for i, number := range numbers {
		n := t.slots[number]
		data, err := n.MarshalBinary()
		if err != nil {
			t.fail(err)
		}
		t.s.own.Store(number, ownSlots{n, data})
		all[i] = data
	}
	clear(t.taken)
	t.later("INSERT INTO slots SELECT * FROM unnest($1::text[], $2::bytea[]) ON CONFLICT (number) DO UPDATE SET data = excluded.data", numbers, all)
}

// slot gives an intent its time to leave, or a gate that says when to ask again.
func (t *tx) slot(number string, in *state.Intent) (leave time.Time, v state.Verdict) {
	n := t.slotsOf(number)
	leave, ok := n.Take(in.Pace, t.s.opt.Clock())
	if !ok {
		return time.Time{}, state.Verdict{Gate: delivery.GatePace, Until: leave}
	}
	if !leave.IsZero() {
		t.putSlots(number, n)
	}
	return leave, state.Verdict{}
}

// hold makes sure that an outcome's number gets no slot before the time that the
// provider asked to wait for.
func (t *tx) hold(o *state.Outcome) {
	if !o.Hold.IsZero() && o.Number != "" {
		n := t.slotsOf(o.Number)
		n.Hold(o.Hold, t.s.opt.Clock())
		t.putSlots(o.Number, n)
	}
}

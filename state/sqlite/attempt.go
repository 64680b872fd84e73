package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state"
	"zombiezen.com/go/sqlite"
)

// Intend records intents in one durable transaction.
func (s *Store) Intend(ctx context.Context, lane state.Lane, intents []state.Intent) ([]state.Verdict, error) {
	return s.Turn(ctx, lane, nil, intents)
}

// Turn implements state.Store.
func (s *Store) Turn(ctx context.Context, lane state.Lane, outcomes []state.Outcome, intents []state.Intent) (out []state.Verdict, err error) {
	var fenced error
	err = s.write(ctx, func(t *tx) error {
		// What is known of messages that left is recorded whoever asks, also when
		// somebody has taken the lane since; only new intents need the fence.
		if fenced = t.fence(lane); fenced != nil && !errors.Is(fenced, state.ErrFenced) {
			return fenced
		}
		if err := t.settleAll(outcomes); err != nil {
			return fmt.Errorf("recording %d outcomes: %w", len(outcomes), err)
		}
		if fenced == nil {
			if out, err = t.intendAll(lane, intents); err != nil {
				return fmt.Errorf("recording %d intents: %w", len(intents), err)
			}
		}
		return t.keepSlots()
	})
	if err != nil {
		return nil, err
	}
	return out, fenced
}

// intendAll records intents that passed the fence. It first joins every webhook
// that was accepted, so that a stop that was answered with 200 holds. What all
// intents need is asked for once here: the next id, whether anybody was erased,
// and who was written to lately.
func (t *tx) intendAll(lane state.Lane, intents []state.Intent) ([]state.Verdict, error) {
	if len(intents) == 0 {
		return nil, nil
	}
	if err := t.foldWaiting(); err != nil {
		return nil, err
	}
	next, err := t.nextID(tAttempts)
	if err != nil {
		return nil, err
	}
	// Nearly no state has erased anybody, so this is asked once and not for
	// each intent.
	anybody, _, err := t.c.queryInt("SELECT EXISTS (SELECT 1 FROM erased)")
	if err != nil {
		return nil, err
	}
	t.erasures = anybody == 1
	if err := t.s.recent.read(t.c, next, t.now); err != nil {
		return nil, err
	}
	out := make([]state.Verdict, len(intents))
	for i := range intents {
		in := &intents[i]
		if lane.Run == 0 && in.Inbound == 0 {
			return nil, errors.New("an intent outside a run must answer an inbound event; this is a bug in handbill")
		}
		if out[i], err = t.intend(lane, next, in); err != nil {
			return nil, err
		}
		if out[i].Attempt != 0 {
			t.s.recent.upto = next
			next++
		}
	}
	return out, nil
}

// intend runs one intent through the gates and writes it as an attempt with the
// given id. The order is that of decision: was the person erased, was this
// delivery sent already, may the person be written to, and last the slot of the
// number, which is used up once it is given.
func (t *tx) intend(lane state.Lane, id int64, in *state.Intent) (state.Verdict, error) {
	// This comes first, since what follows would give an erased person a row in
	// names again.
	if t.erasures {
		if erased, err := t.anyErased(in.Recipient, in.Also()); err != nil || erased {
			return state.Verdict{Gate: delivery.GateOptedOut}, err
		}
	}
	campaign, err := t.address(in.Campaign)
	if err != nil {
		return state.Verdict{}, err
	}
	text, err := t.address(in.Message)
	if err != nil {
		return state.Verdict{}, err
	}
	who, err := t.recipient(in.Recipient)
	if err != nil {
		return state.Verdict{}, err
	}
	also, err := t.c.also(in)
	if err != nil {
		return state.Verdict{}, err
	}
	to, err := t.c.addressee(who, also)
	if err != nil {
		return state.Verdict{}, err
	}
	last, err := t.c.lastOf(who, to.ids, campaign, in.Revision)
	if err != nil {
		return state.Verdict{}, err
	}
	v, err := t.allowed(lane, &last, &to, in)
	v.UnderAnother = last.who != who
	if err != nil || v.Gate != "" {
		return v, err
	}
	if v.UnderAnother {
		if err := t.goesOn(lane, who, &last, in); err != nil {
			return state.Verdict{}, err
		}
	}
	if last.send == state.Accepted {
		if err := t.supersede(last.id, lane.Run); err != nil {
			return state.Verdict{}, err
		}
	}
	w := t.insert(tAttempts, id)
	// The attempt keeps the spelling or id that the delivery began with.
	w.int(last.who)
	w.int(campaign)
	w.int(int64(in.Revision))
	w.int(int64(in.Attempt))
	w.int(lane.ID)
	w.int(text)
	w.int(t.now)
	w.blob(in.Digest[:])
	w.blob(in.Body[:16])
	w.packed(packRef(t.s.refHead, in.Ref))
	_, err = w.done()
	t.s.recent.add(last.who)
	v.Attempt = id
	return v, errors.Join(err, t.putChoice(id, &in.Choice), t.putLinks(id, in.Links))
}

// allowed asks the rule of sending once and the gates, and takes a slot.
func (t *tx) allowed(lane state.Lane, last *lastAttempt, to *addressee, in *state.Intent) (state.Verdict, error) {
	if v := last.once(in); v.Gate != "" {
		return v, nil
	}
	if v, err := t.gates(lane.Number, to, in); err != nil || v.Gate != "" {
		return v, err
	}
	return t.slot(lane.Number, in)
}

// goesOn takes the two ids of a row of the plan for one person's where a delivery
// that was begun under its user id goes on to its number: else who is known under
// the number alone would be sent the same. It does not where the state knows
// another user id of the number.
func (t *tx) goesOn(lane state.Lane, who int64, last *lastAttempt, in *state.Intent) error {
	also := in.Also()
	own, err := t.c.everyID(who)
	if err != nil || also == "" || slices.Contains(own, last.who) {
		return err
	}
	c, err := t.gather(in.Recipient, also)
	if err != nil {
		return err
	}
	ids := idsOf([]string{in.Recipient, also})
	if now, old, ok := c.Row(ids[0], ids[1]); ok {
		_, err = t.together(lane.Number, t.now, textsOf(now), textsOf(old))
	}
	return err
}

// anyErased reports whether a recipient was erased, under this id or under the
// other one that the plan has of them; "" for none.
func (t *tx) anyErased(recipient, also string) (bool, error) {
	erased, err := t.s.isErased(t.c, recipient)
	if err != nil || erased || also == "" {
		return erased, err
	}
	return t.s.isErased(t.c, also)
}

// also returns the integer of the other id that the plan has of a recipient; 0
// for none, and for an id that the state does not know.
func (c *conn) also(in *state.Intent) (int64, error) {
	id := in.Also()
	if id == "" {
		return 0, nil
	}
	return c.recipientID(id)
}

// gates asks again, inside the transaction, what may have changed about the
// person since the plan was made: their wishes, their window, the frequency cap
// and the spacing. Of what is known under two ids, the stricter holds.
func (t *tx) gates(number string, to *addressee, in *state.Intent) (state.Verdict, error) {
	p, _, err := t.c.personAt(to.place)
	if err != nil {
		return state.Verdict{}, err
	}
	if to.also != 0 {
		o, _, err := t.c.personAt(to.anotherPlace)
		if err != nil {
			return state.Verdict{}, err
		}
		p.opt, p.cooldown, p.shut = p.opt.Stricter(o.opt), max(p.cooldown, o.cooldown), max(p.shut, o.shut)
	}
	if in.Marketing {
		if v := t.marketing(&p, in); v.Gate != "" {
			return v, nil
		}
	}
	if in.Window {
		if gate, err := t.windowGate(number, to, in, &p); err != nil || gate != delivery.GateNone {
			return state.Verdict{Gate: gate}, err
		}
	}
	if in.CapCount > 0 {
		if v, err := t.frequency(to.ids, in); err != nil || v.Gate != "" {
			return v, err
		}
	}
	return t.spaced(to.ids, in)
}

// lastAttempt is the newest attempt at a delivery.
type lastAttempt struct {
	id      int64      // 0 for none
	who     int64      // the recipient in the delivery's own spelling
	attempt int        // the highest number under any id of theirs
	send    state.Send // Pending where there is none
}

// lastAttempt finds the last attempt under every id of the recipient, in every
// spelling. Where several ids have one, the attempt that says most stands.
func (c *conn) lastAttempt(who, campaign int64, revision int) (lastAttempt, error) {
	ids, err := c.everyID(who)
	if err != nil {
		return lastAttempt{}, err
	}
	return c.lastOf(who, ids, campaign, revision)
}

// lastOf is lastAttempt of a recipient whose ids are known.
func (c *conn) lastOf(who int64, ids []int64, campaign int64, revision int) (lastAttempt, error) {
	best := lastAttempt{who: who}
	for _, id := range ids {
		l, err := c.lastAttemptAs(id, campaign, revision)
		if err != nil {
			return best, err
		}
		best = best.with(l)
	}
	return best, nil
}

// with is the one of two that says more. The next attempt has a number above
// those of both: a reference is made of it, and names one attempt.
func (l lastAttempt) with(o lastAttempt) lastAttempt {
	number := max(l.attempt, o.attempt)
	if o.id != 0 && o.rules().Over(l.rules()) {
		l = o
	}
	l.attempt = number
	return l
}

// rules is the attempt as package delivery takes it.
func (l *lastAttempt) rules() delivery.Attempt {
	return delivery.Attempt{Number: l.attempt, Send: l.send}
}

// lastAttemptAs finds the last attempt under exactly this id. One without an
// outcome is Sending.
func (c *conn) lastAttemptAs(who, campaign int64, revision int) (lastAttempt, error) {
	l := lastAttempt{who: who}
	err := c.each(`SELECT a.id, a.attempt, o.send FROM attempts a LEFT JOIN outcomes o ON o.id = a.id
		WHERE a.recipient = ? AND a.campaign = ? AND a.revision = ? ORDER BY a.attempt DESC LIMIT 1`,
		func(st *sqlite.Stmt) error {
			l.id, l.attempt, l.send = st.ColumnInt64(0), st.ColumnInt(1), state.Sending
			if st.ColumnType(2) != sqlite.TypeNull {
				l.send = state.Send(st.ColumnInt(2))
			}
			return nil
		}, who, campaign, revision)
	return l, err
}

// once asks delivery.Attempt.Once whether an intent may follow this attempt.
func (l *lastAttempt) once(in *state.Intent) (v state.Verdict) {
	gate := l.rules().Once(delivery.Order{Number: in.Attempt, Retry: in.Retry, Again: in.Again})
	if v.Gate = gate; gate == delivery.GateAttempt {
		v.Next, v.Was = l.attempt+1, l.send
	}
	return v
}

// supersede writes down that somebody ordered an accepted attempt to be made
// again, so that later proof of the first is no contradiction.
func (t *tx) supersede(id, run int64) error {
	return t.addSuperseded(id, t.now, state.OrderedIn(run))
}

// addSuperseded records that an attempt no longer stands in the way of another one,
// since when, and why.
func (t *tx) addSuperseded(id, at int64, why string) error {
	w := t.insert(tSuperseded, id)
	w.int(at)
	w.text(why)
	_, err := w.done()
	return err
}

// marketing asks delivery.Marketing whether the person takes marketing now.
func (t *tx) marketing(p *personRow, in *state.Intent) state.Verdict {
	gate, until := delivery.Marketing(p.opt, p.cooldown, t.now, in.NoCooldown)
	return state.Verdict{Gate: gate, Until: state.Moment(until)}
}

// windowGate asks whether the window at the sending number is open, by what the
// state knows under both ids and what the audience claims.
func (t *tx) windowGate(number string, to *addressee, in *state.Intent, p *personRow) (delivery.Gate, error) {
	at := int64(0) // of no number, nothing is known
	if number != "" {
		var err error
		if at, err = t.address(number); err != nil {
			return delivery.GateNone, err
		}
	}
	w, err := t.c.windowAt(to.place, at, p)
	if err != nil {
		return delivery.GateNone, err
	}
	if to.also != 0 {
		o, err := t.c.windowAt(to.anotherPlace, at, p)
		if err != nil {
			return delivery.GateNone, err
		}
		w = w.Join(o)
	}
	if !in.KnownUntil.IsZero() {
		w = w.Claim(state.Millis(in.KnownUntil.Add(-delivery.WindowLength)), t.now)
	}
	return w.Gate(t.now, in.AssumeOpen), nil
}

// frequency applies the cap: it counts the campaign messages that reached or may
// have reached the person within the cap's time, under all of their ids. The
// numbers 2 and 4 are state.Accepted and state.InDoubt.
func (t *tx) frequency(ids []int64, in *state.Intent) (state.Verdict, error) {
	limit := delivery.Cap{Count: in.CapCount, Per: in.CapPer}
	var times []int64
	err := t.c.each(`SELECT a.intended FROM attempts a LEFT JOIN outcomes o ON o.id = a.id
		WHERE a.recipient IN (SELECT value FROM json_each(?)) AND a.intended > ? AND `+ofCampaigns+` AND (o.send IS NULL OR o.send IN (2, 4))
		ORDER BY a.intended DESC`,
		func(st *sqlite.Stmt) error {
			times = append(times, st.ColumnInt64(0))
			return nil
		}, jsonList(ids), limit.Since(t.now))
	gate, until := limit.Gate(times)
	if err != nil || gate == delivery.GateNone {
		return state.Verdict{}, err
	}
	return state.Verdict{Gate: gate, Until: state.Moment(until)}, nil
}

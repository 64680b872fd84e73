package sqlite

import (
	"encoding/json"
	"fmt"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// addEvent writes what has to do with events, and what is kept for people to read.
func (t *tx) addEvent(i state.Item) error {
	var w *rowWriter
	switch i := i.(type) {
	case state.ErasedHash:
		w = t.insert(tErased, 0)
		w.blob(i.Hash)
		w.int(i.At)
	case state.WaitingEvent:
		return t.addWaiting(&i)
	case state.KeptInbound:
		return t.addInbound(&i)
	case state.KeptFinding:
		w = t.insert(tFindings, i.ID)
		w.int(i.At)
		w.text(i.Kind)
		w.int(i.Attempt)
		w.text(i.Detail)
	case state.Decision:
		w = t.insert(tDecisions, 0)
		w.int(i.At)
		w.text(i.Who)
		w.text(i.What)
		w.text(i.Why)
	default:
		return t.addBody(i)
	}
	_, err := w.done()
	return err
}

// addBody writes what came from a provider.
func (t *tx) addBody(i state.Item) error {
	var number string
	switch i := i.(type) {
	case state.SeenBody:
		number = i.Provider
	case state.WaitingBody:
		number = i.Provider
	case state.KeptNotice:
		number = i.Provider
	default:
		return fmt.Errorf("an item of an unknown type, %T", i)
	}
	provider, err := t.address(number)
	if err != nil {
		return err
	}
	var w *rowWriter
	switch i := i.(type) {
	case state.SeenBody:
		w = t.insert(tSeen, 0)
		w.int(provider)
		w.blob(i.Hash)
		w.int(i.Received)
	case state.WaitingBody:
		w = t.insert(tInbox, i.ID)
		w.int(provider)
		w.int(i.Received)
		w.blob(i.Raw)
		w.blob(i.Events)
	case state.KeptNotice:
		w = t.insert(tNotices, 0)
		w.int(provider)
		w.int(i.At)
		w.text(i.Kind)
		w.text(i.Field)
		w.text(i.Reason)
		w.blob(i.Raw)
	}
	_, err = w.done()
	return err
}

// lane writes a lane. Attempts of replies do not say which lane they had, so they
// get the newest at their number.
func (d *Draft) lane(t *tx, i *state.TakenLane) error {
	id, err := t.nextLane(i.Replies)
	if err != nil {
		return err
	}
	l := &laneRow{id: id, replies: i.Replies, epoch: i.Epoch, run: i.Run, over: i.Over}
	if i.Number != "" {
		if l.number, err = t.address(i.Number); err != nil {
			return err
		}
	}
	of := laneOf{i.Number, i.Run}
	if had := d.lanes[of]; had == nil || had.epoch < l.epoch {
		d.lanes[of] = l
	}
	return t.putLane(l)
}

// attempt writes an attempt with everything that became of it. It comes after its
// lane, and after the attempts before it, as the triggers of the tables want.
func (d *Draft) attempt(t *tx, i *state.Attempt) error {
	lane := int64(laneImport)
	switch l := d.lanes[laneOf{i.From, i.Run}]; {
	case l != nil && i.Run >= 0:
		lane = l.id
	case i.Run == 0:
		lane = 0 // as before format 7
	case i.Run > 0:
		return fmt.Errorf("%w: attempt %d has no lane", state.ErrDamaged, i.ID)
	}
	who, err := t.recipient(i.Recipient)
	if err != nil {
		return err
	}
	campaign, err := t.address(i.Campaign)
	if err != nil {
		return err
	}
	text, err := t.address(i.Message)
	if err != nil {
		return err
	}
	w := t.insert(tAttempts, i.ID)
	for _, v := range [...]int64{who, campaign, int64(i.Revision), int64(i.Number), lane, text, i.Intended} {
		w.int(v)
	}
	w.blob(i.Digest[:])
	w.blob(i.Body[:])
	w.packed(packRef(t.s.refHead, i.Ref))
	if _, err := w.done(); err != nil {
		return err
	}
	if err := t.putChoice(i.ID, &i.Choice); err != nil {
		return err
	}
	return t.addFate(i)
}

// addFate writes what became of an attempt.
func (t *tx) addFate(i *state.Attempt) error {
	if s := i.Settled; s != nil {
		o := outcomeRow{id: i.ID, send: s.Send, proof: s.Proof, settled: s.At, code: s.Code, title: s.Title, cause: s.Cause, hash: hash48(s.ID), sentID: packID(s.ID)}
		if err := t.putOutcome(&o, false); err != nil {
			return err
		}
	}
	if i.Again != nil {
		if err := t.addSuperseded(i.ID, i.Again.At, i.Again.Why); err != nil {
			return err
		}
	}
	if i.Status != (delivery.Status{}) || i.RepliedAt != 0 {
		if err := t.putStatus(&statusRow{id: i.ID, joined: i.Status, replied: i.RepliedAt}); err != nil {
			return err
		}
	}
	if i.Billed != (delivery.Billed{}) {
		return t.putBilled(i.ID, i.Billed)
	}
	return nil
}

// addTold writes what was told about some ids.
func (t *tx) addTold(i *state.Told) error {
	c := &circle{Circle: i.Circle, alone: map[int64]delivery.Known{}}
	if id, alone := i.Lone(); alone {
		spelled := i.Spelled[id]
		if spelled == "" {
			spelled = string(id)
		}
		var err error
		if c.place, err = t.recipient(spelled); err != nil {
			return err
		}
	}
	return t.keep(c)
}

// addWaiting writes an event whose message is not known, under the hash of that
// message's id.
func (t *tx) addWaiting(i *state.WaitingEvent) error {
	var ev message.Event
	if err := json.Unmarshal(i.Event, &ev); err != nil {
		return fmt.Errorf("%w: an event that waits: %w", state.ErrDamaged, err)
	}
	provider, err := t.address(i.Provider)
	if err != nil {
		return err
	}
	return t.putOrphan(provider, i.Received, aboutOf(&ev), i.Event)
}

// addInbound writes what a person wrote. What identifies it is made anew, since it
// goes by the integer of the sending number.
func (t *tx) addInbound(i *state.KeptInbound) error {
	ev := inboundJSON{Stopped: i.Stopped}
	if err := json.Unmarshal(i.Event, &ev.Event); err != nil {
		return fmt.Errorf("%w: an inbound event: %w", state.ErrDamaged, err)
	}
	text, err := json.Marshal(&ev)
	if err != nil {
		return err
	}
	r := inboundRow{at: eventTime(&ev.Event, i.Received), received: i.Received, state: inboundNew, first: asInt(i.First), attempt: i.Attempt,
		cart: asInt(ev.Order != nil), event: text}
	if i.Answered {
		r.state = inboundAnswered
	}
	if r.provider, err = t.address(i.Provider); err != nil {
		return err
	}
	if r.recipient, err = t.recipient(i.Recipient); err != nil {
		return err
	}
	r.hash = inboundHash(r.provider, &ev.Event)
	return t.writeInbound(t.insert(tInbound, i.Seq), &r)
}

package postgres

import (
	"fmt"
	"slices"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state"
)

// askOutcomes reads what answers are about with the next flush: attempts, the people
// whom they went to, and whether events wait for their messages.
func (t *tx) askOutcomes(outcomes []state.Outcome) {
	if len(outcomes) == 0 {
		return
	}
	var handles, told []int64
	var ids, persons []string
	for i := range outcomes {
		handles = append(handles, outcomes[i].Attempt)
		if o := &outcomes[i]; o.UserID != "" || o.Tells() {
			told = append(told, o.Attempt)
		}
		if id := clean(outcomes[i].ID); id != "" {
			ids = append(ids, id)
		}
	}
	t.askAttempts("a.id = ANY($1)", args(handles), func(a *attempt) {
		if slices.Contains(told, a.id) {
			persons = append(persons, a.person())
		}
	}, nil)
	if len(told) > 0 {
		t.askCircles("c.id IN (SELECT i.circle FROM ids i JOIN attempts a ON a.person = i.id WHERE a.id = ANY($1))", told, func() []string { return persons })
	}
	t.askWaits(ids)
}

// settle records one answer.
func (t *tx) settle(o state.Outcome) error {
	a := t.attemptAt(o.Attempt)
	if a == nil {
		return nil // it was removed meanwhile
	}
	gone := state.IsErased(a.key.Recipient)
	if gone && o.ID != "" { // WhatsApp's ids hold the phone number
		t.later("DELETE FROM orphans WHERE about = $1", o.ID)
		t.waits[clean(o.ID)] = false
		o.ID = ""
	}
	next := &outcome{send: o.Send, proof: o.Proof, settled: state.Millis(o.At), code: o.Code, title: o.Title, cause: o.Cause, id: o.ID}
	if a.out == nil {
		if err := delivery.Transition(state.Sending, o.Send, o.Proof); err != nil {
			return err
		}
		t.put(a, next)
	} else if err := t.join(a, next); err != nil {
		return err
	}
	switch {
	case !gone:
		t.consequences(a, &o)
	case o.UserID != "" && !t.wasErased(idOf(o.UserID)): // erased is erased under every id
		t.erase(o.UserID)
	}
	if o.ID != "" {
		t.adopt(o.ID)
	}
	return nil
}

func (t *tx) join(a *attempt, next *outcome) error {
	how, err := delivery.Joins(a.out.send, next.send, next.proof)
	if err != nil {
		return err
	}
	switch how {
	case delivery.JoinReplace:
		t.put(a, next)
	case delivery.JoinComplete:
		t.complete(a, next.id)
	case delivery.JoinContradict:
		t.note(state.FindingContradiction, a.id, fmt.Sprintf("accepted by %s, and the answer said %s %s", a.out.proof, next.send, next.code))
	case delivery.JoinAfterAll:
		if later := t.laterOf(a); later != nil {
			t.provenLate(a, later, next)
			return nil
		}
		t.note(state.FindingContradiction, a.id, fmt.Sprintf("believed to be %s, and then its answer said accepted", a.out.send))
		t.put(a, next)
	}
	return nil
}

// complete adds the id to an accepted attempt, or notes a second one.
func (t *tx) complete(a *attempt, id string) {
	switch id = clean(id); {
	case id == "" || id == a.out.id:
	case a.out.id != "":
		t.note(state.FindingDuplicate, a.id, "the provider has two ids for one message")
	case !state.IsErased(a.key.Recipient):
		o := *a.out
		o.id = id
		t.put(a, &o)
	}
}

// consequences records what an answer means for the person.
func (t *tx) consequences(a *attempt, o *state.Outcome) {
	if o.UserID != "" && !t.together(o.Number, state.Millis(o.At), idsOf(a.key.Recipient, o.UserID), nil) || !o.Tells() {
		return
	}
	t.tell(a.key.Recipient, o.Tell)
}

// note records a contradiction, once.
func (t *tx) note(kind string, attempt int64, detail string) {
	t.later("INSERT INTO findings (at, kind, attempt, detail) SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT FROM findings WHERE kind = $2 AND attempt = $3 AND detail = $4)",
		t.now, kind, attempt, detail)
}

// laterOf returns the last attempt at the same delivery after a that was made under
// the same order; nil for none.
func (t *tx) laterOf(a *attempt) (last *attempt) {
	order := a
	t.loadPersons([]string{a.person()})
	for _, b := range t.persons[a.person()] {
		if b.id <= a.id || b.key.Campaign != a.key.Campaign || b.key.Revision != a.key.Revision {
			continue
		}
		if order.ordered {
			break
		}
		order, last = b, b
	}
	return last
}

// provenLate handles the proof of an attempt after which others were made: the last
// one stands for the delivery.
func (t *tx) provenLate(a, last *attempt, next *outcome) *attempt {
	if id := clean(next.id); last.send() == state.Accepted && id != "" {
		switch last.out.id {
		case id:
			return last
		case "":
			t.complete(last, id)
			t.adopt(id)
			return last
		}
	}
	t.note(state.FindingDuplicate, a.id, "believed to be not taken and made again, and then a status came for it")
	if last.send() == state.Accepted {
		return a
	}
	t.put(last, next)
	t.adopt(next.id)
	return last
}

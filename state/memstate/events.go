package memstate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// inbox is a webhook body between its acceptance and its folding.
type inbox struct {
	provider string
	received int64
	raw      []byte
	events   []message.Event
}

// orphan is an event about a message that the state does not know, or not yet.
type orphan struct {
	provider, about, text string
	received              int64
	event                 message.Event
}

// inbound is what a person wrote.
type inbound struct {
	provider, recipient, id string
	received                int64
	answered, first         bool
	about                   *attempt // our message that it answers; nil for none
	event                   message.Event
	stopped                 bool
}

// keepSeen is how long a repetition of a body is recognised.
const keepSeen = 45 * 24 * time.Hour

// Append implements state.Store.
func (s *Store) Append(ctx context.Context, in []state.Inbox) (out []bool, err error) {
	err = s.write(ctx, func() error {
		out = make([]bool, len(in))
		for i, body := range in {
			key := body.Provider + "\x00" + string(body.Raw)
			if _, known := s.seen[key]; known {
				continue
			}
			out[i] = true
			setKey(s, s.seen, key, state.Millis(body.Received))
			s.wrote(state.Millis(body.Received))
			set(s, &s.inbox, append(s.inbox, inbox{body.Provider, state.Millis(body.Received), slices.Clone(body.Raw), slices.Clone(body.Events)}))
		}
		return nil
	})
	return out, err
}

// Fold implements state.Store.
func (s *Store) Fold(ctx context.Context, limit int) (n int, err error) {
	err = s.write(ctx, func() error { n = s.fold(limit); return nil })
	return n, err
}

func (s *Store) fold(limit int) int {
	n := min(limit, len(s.inbox))
	for _, body := range s.inbox[:n] {
		evs := body.events
		if len(evs) == 0 {
			evs = []message.Event{{Kind: message.EventOther, Reason: "nothing in it was understood", Raw: body.raw}}
		}
		for i := range evs {
			s.event(body.provider, body.received, &evs[i], state.ProofEcho)
		}
	}
	set(s, &s.inbox, s.inbox[n:])
	return n
}

// FoldAll implements state.Store. It also reads the wishes in messages that were
// folded without looking for any.
func (s *Store) FoldAll(ctx context.Context) error {
	return s.write(ctx, func() error {
		s.fold(len(s.inbox))
		for _, in := range s.inbound {
			if in != nil && !in.answered && s.heed(&in.event, delivery.EventTime(&in.event, in.received)) {
				set(s, &in.stopped, true)
			}
		}
		return nil
	})
}

// InboxWaits implements state.Store.
func (s *Store) InboxWaits(ctx context.Context) (waits bool, err error) {
	err = s.read(ctx, func() error { waits = len(s.inbox) > 0; return nil })
	return waits, err
}

// Waiting implements state.Store.
func (s *Store) Waiting(ctx context.Context) (bodies, open int, err error) {
	err = s.read(ctx, func() error {
		bodies = len(s.inbox)
		for _, in := range s.inbound {
			if in != nil && !in.answered {
				open++
			}
		}
		return nil
	})
	return bodies, open, err
}

// Events implements state.Store.
func (s *Store) Events(ctx context.Context, provider string, evs []message.Event) error {
	return s.write(ctx, func() error {
		for i := range evs {
			s.event(provider, s.now, &evs[i], state.ProofPoll)
		}
		return nil
	})
}

func (s *Store) event(provider string, received int64, ev *message.Event, by state.Proof) {
	switch ev.Kind {
	case message.EventStatus:
		s.statusEvent(provider, received, ev, by)
	case message.EventInbound:
		s.inboundEvent(provider, received, ev)
	case message.EventPreference:
		if s.see(provider, received, ev) {
			s.tell(delivery.About(ev), func(f *delivery.Facts) { f.Say(delivery.Preference(ev, delivery.EventTime(ev, received))) })
		}
	case message.EventIdentity:
		if s.see(provider, received, ev) {
			s.notice(provider, received, ev)
		}
	case message.EventGroup:
		known := s.see(provider, received, ev)
		if known {
			s.heed(ev, delivery.EventTime(ev, received))
		}
		if known || ev.From.Key() == "" {
			s.notice(provider, received, ev)
		}
	default:
		s.tellTemplate(provider, received, ev)
		s.notice(provider, received, ev)
	}
}

func (s *Store) notice(provider string, received int64, ev *message.Event) {
	raw := slices.Clone(ev.Raw)
	if len(raw) == 0 {
		raw = textOf(ev)
	}
	set(s, &s.notices, append(s.notices, state.Notice{At: state.Moment(delivery.EventTime(ev, received)), Provider: provider,
		Kind: ev.Kind, Field: ev.Field, Reason: delivery.NoticeReason(ev), Raw: raw}))
}

func textOf(ev *message.Event) []byte {
	text, err := json.Marshal(ev)
	if err != nil {
		panic(err) // cannot happen with our own types
	}
	return text
}

// attemptOf returns the attempt that an event is about: by our reference, or else by
// the provider's id.
func (s *Store) attemptOf(ref, id string) *attempt {
	for _, a := range s.attempts {
		if a != nil && ref != "" && a.ref == ref {
			return a
		}
	}
	for _, a := range s.attempts {
		if a != nil && id != "" && a.out != nil && a.out.id == id {
			return a
		}
	}
	return nil
}

func (s *Store) statusEvent(provider string, received int64, ev *message.Event, by state.Proof) {
	if now, _ := delivery.Names(ev); len(now) > 1 {
		s.see(provider, received, ev)
	}
	a := s.attemptOf(ev.Ref, ev.ID)
	if a != nil {
		s.joinStatus(a, provider, received, ev, by)
		return
	}
	if ev.Ref != "" && message.OurRef(s.meta.Lineage, ev.Ref) {
		s.find(state.FindingRollback, 0, "a status came for reference "+ev.Ref+", which this state does not know: it is older than what was sent from it")
	}
	s.wait(provider, ev.ID, received, ev)
}

func (s *Store) joinStatus(a *attempt, provider string, received int64, ev *message.Event, by state.Proof) {
	at := delivery.EventTime(ev, received)
	a = s.proven(a, ev, by, at)
	set(s, &a.billed, a.billed.Told(ev.Billing, ev.Rank, at))
	if !ev.Failed {
		set(s, &a.status, a.status.Reached(ev.Rank, at))
		return
	}
	set(s, &a.status, a.status.Failed(ev.Code, ev.Title, at))
	if state.IsErased(a.key.Recipient) {
		return
	}
	s.tell(a.key.Recipient, func(f *delivery.Facts) { f.Failure(ev.Code, provider, at) })
}

// proven settles an attempt, since a status proves what became of it, or settles
// the later attempt at the same delivery. It returns the settled one.
func (s *Store) proven(a *attempt, ev *message.Event, by state.Proof, at int64) *attempt {
	next := &outcome{send: state.Accepted, proof: by, settled: at, id: ev.ID}
	if a.send() == state.Accepted {
		had := a.out.id
		s.complete(a, ev.ID)
		if had == "" {
			s.adopt(ev.ID)
		}
		return a
	}
	if later := s.later(a); later != nil {
		return s.provenLate(a, later, next)
	}
	switch a.send() {
	case state.Rejected:
		s.find(state.FindingContradiction, a.id, "refused with "+a.out.code+", and then a status came for it")
	case state.Pending:
		s.find(state.FindingContradiction, a.id, "believed to be not taken, and then a status came for it")
	}
	s.put(a, next)
	s.adopt(ev.ID)
	return a
}

// later returns the last attempt at the same delivery after a that was made under
// the same order; nil for none.
func (s *Store) later(a *attempt) (last *attempt) {
	order := a
	for _, b := range s.attempts[a.id:] {
		if b == nil || !sameDelivery(a.key, b.key) {
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
func (s *Store) provenLate(a, last *attempt, next *outcome) *attempt {
	if last.send() == state.Accepted && next.id != "" {
		switch last.out.id {
		case next.id:
			return last
		case "":
			s.complete(last, next.id)
			s.adopt(next.id)
			return last
		}
	}
	s.find(state.FindingDuplicate, a.id, "believed to be not taken and made again, and then a status came for it")
	if last.send() == state.Accepted {
		return a
	}
	s.put(last, next)
	s.adopt(next.id)
	return last
}

// wait keeps an event until its message is known.
func (s *Store) wait(provider, about string, received int64, ev *message.Event) {
	text := string(textOf(ev))
	known := slices.ContainsFunc(s.orphans, func(o orphan) bool { return o.text == text })
	if known || s.erased[idOf(ev.From.Key())] {
		return
	}
	set(s, &s.orphans, append(s.orphans, orphan{provider: provider, about: about, text: text, received: received, event: *ev}))
}

// adopt folds the events that waited for a provider's id.
func (s *Store) adopt(id string) {
	if id == "" {
		return
	}
	var mine, others []orphan
	for _, o := range s.orphans {
		if o.about == id && s.attemptOf(o.event.Ref, id) != nil {
			mine = append(mine, o)
		} else {
			others = append(others, o)
		}
	}
	set(s, &s.orphans, others)
	for i := range mine {
		o := &mine[i]
		switch a := s.attemptOf(o.event.Ref, id); o.event.Kind {
		case message.EventInbound:
			s.replied(a, &o.event, o.received, inboundID(o.provider, &o.event))
		default:
			s.joinStatus(a, o.provider, o.received, &o.event, state.ProofEcho)
		}
	}
}

// inboundID identifies an inbound event, to recognise repetitions.
func inboundID(provider string, ev *message.Event) string {
	id := ev.ID
	if id == "" {
		sum := sha256.Sum256(fmt.Append(nil, ev.From.Key(), "\x00", ev.At.UTC(), "\x00", ev.Type, "\x00", ev.Text, "\x00", ev.ReplyID))
		id = string(sum[:])
	}
	return provider + "\x00" + id
}

func (s *Store) inboundEvent(provider string, received int64, ev *message.Event) {
	key := ev.From.Key()
	if key == "" {
		s.notice(provider, received, ev)
		return
	}
	id := inboundID(provider, ev)
	if !s.see(provider, received, ev) || slices.ContainsFunc(s.inbound, func(in *inbound) bool { return in != nil && in.id == id }) {
		return
	}
	at, reply := delivery.EventTime(ev, received), s.attemptOf("", ev.ContextID)
	stopped := s.heed(ev, at)
	ids := s.everyID(key)
	first := !slices.ContainsFunc(s.inbound, func(in *inbound) bool { return in != nil && ids[message.Canonical(in.recipient)] })
	set(s, &s.inbound, append(s.inbound, &inbound{provider: provider, recipient: key, id: id, received: received, first: first,
		about: reply, event: *ev, stopped: stopped}))
	s.wrote(received)
	s.tell(delivery.About(ev), func(f *delivery.Facts) {
		f.Wrote(provider, at)
		f.Named(ev.ProfileName, ev.Username, at)
	})
	switch {
	case ev.ContextID == "":
	case reply == nil:
		s.wait(provider, ev.ContextID, received, ev)
	default:
		s.replied(reply, ev, received, id)
	}
}

// replied marks a delivery as answered, and the inbound event as its answer.
func (s *Store) replied(a *attempt, ev *message.Event, received int64, id string) {
	if at := delivery.EventTime(ev, received); a.replied == 0 || at < a.replied {
		set(s, &a.replied, at)
	}
	for _, in := range s.inbound {
		if in != nil && in.id == id && in.about == nil {
			set(s, &in.about, a)
		}
	}
}

// heed records what a message says about getting further messages.
func (s *Store) heed(ev *message.Event, at int64) (stopped bool) {
	if s.opt.Wish == nil {
		return false
	}
	w := s.opt.Wish(ev, state.Moment(at))
	if w.Kind == state.WishNone {
		return false
	}
	said := delivery.Opt{At: at, Reason: w.Reason, Evidence: w.Evidence}
	_, stopped = s.person(delivery.About(ev)).Opt.Heed(w.Kind, said)
	s.tell(delivery.About(ev), func(f *delivery.Facts) { f.Say(delivery.WordOf(w.Kind, said)) })
	return stopped
}

// byTime sorts notices, oldest first.
func byTime(a, b state.Notice) int { return cmp.Compare(a.At.UnixMilli(), b.At.UnixMilli()) }

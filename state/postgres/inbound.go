package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// inbound is what a person wrote.
type inbound struct {
	seq, received            int64
	provider, recipient      string
	answered, first, stopped bool
	attempt                  *int64 // our message that it answers; nil for none
	lane                     *int64 // of the server that took it up; nil for none
	text                     []byte
	event                    message.Event
}

// inbound reads inbound events, oldest first.
func (t *tx) inbound(where string, a ...any) (out []*inbound) {
	var in inbound
	t.each("SELECT id, provider, recipient, received, answered, first, stopped, attempt, lane, event FROM inbound WHERE "+where, a,
		[]any{&in.seq, &in.provider, &in.recipient, &in.received, &in.answered, &in.first, &in.stopped, &in.attempt, &in.lane, &in.text}, func() error {
			one := in
			if err := json.Unmarshal(in.text, &one.event); err != nil {
				return fmt.Errorf("%w: an inbound event: %w", state.ErrDamaged, err)
			}
			out = append(out, &one)
			return nil
		})
	slices.SortFunc(out, func(a, b *inbound) int { return int(a.seq - b.seq) })
	return out
}

// inboundHash identifies an inbound event, to recognise repetitions.
func inboundHash(provider string, ev *message.Event) []byte {
	id := ev.ID
	if id == "" {
		sum := sha256.Sum256(fmt.Append(nil, ev.From.Key(), "\x00", ev.At.UTC(), "\x00", ev.Type, "\x00", ev.Text, "\x00", ev.ReplyID))
		id = string(sum[:])
	}
	sum := sha256.Sum256([]byte(provider + "\x00" + id))
	return sum[:]
}

func (t *tx) inboundEvent(provider string, received int64, ev *message.Event) {
	key := ev.From.Key()
	if key == "" {
		t.notice(provider, received, ev)
		return
	}
	hash, known := inboundHash(provider, ev), false
	if !t.see(provider, received, ev) || !t.one("SELECT EXISTS (SELECT FROM inbound WHERE hash = $1)", args(hash), &known) || known {
		return
	}
	at, reply := delivery.EventTime(ev, received), t.attemptOf("", ev.ContextID)
	stopped := t.heed(ev, at)
	before := false
	t.one("SELECT EXISTS (SELECT FROM inbound WHERE person = ANY($1))", args(slices.Collect(maps.Keys(t.everyID(key)))), &before)
	var answers *int64
	if reply != nil {
		answers = &reply.id
	}
	t.later("INSERT INTO inbound (provider, recipient, person, received, first, stopped, attempt, hash, cart, event) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
		provider, key, person(key), received, !before, stopped, answers, hash, ev.Order != nil, textOf(ev))
	t.tell(delivery.About(ev), func(f *delivery.Facts) {
		f.Wrote(provider, at)
		f.Named(ev.ProfileName, ev.Username, at)
	})
	switch {
	case ev.ContextID == "":
	case reply == nil:
		t.wait(provider, ev.ContextID, received, ev)
	default:
		t.replied(reply, ev, received, hash)
	}
}

// replied marks a delivery as answered, and the inbound event as its answer.
func (t *tx) replied(a *attempt, ev *message.Event, received int64, hash []byte) {
	if at := delivery.EventTime(ev, received); a.fate.replied == 0 || at < a.fate.replied {
		f := a.fate
		f.replied = at
		t.putFate(a, f)
	}
	t.later("UPDATE inbound SET attempt = $1 WHERE hash = $2 AND attempt IS NULL", a.id, bytes.Clone(hash))
}

// heed records what a message says about getting further messages.
func (t *tx) heed(ev *message.Event, at int64) (stopped bool) {
	if t.s.opt.Wish == nil {
		return false
	}
	w := t.s.opt.Wish(ev, state.Moment(at))
	if w.Kind == state.WishNone {
		return false
	}
	said := delivery.Opt{At: at, Reason: w.Reason, Evidence: w.Evidence}
	_, stopped = t.who(delivery.About(ev)).Opt.Heed(w.Kind, said)
	t.tell(delivery.About(ev), func(f *delivery.Facts) { f.Say(delivery.WordOf(w.Kind, said)) })
	return stopped
}

// Unanswered implements state.Store.
func (s *Store) Unanswered(ctx context.Context) (numbers []string, err error) {
	err = s.read(ctx, func(t *tx) error {
		numbers = t.texts("SELECT provider FROM inbound WHERE NOT answered GROUP BY provider ORDER BY provider COLLATE \"C\"")
		return nil
	})
	return numbers, err
}

// Claim implements state.Store.
func (s *Store) Claim(ctx context.Context, lane state.Lane, after int64, n int) (refs []state.InboundRef, upto int64, err error) {
	if lane.Limit > 0 {
		return s.claim(ctx, lane, after, n)
	}
	err = s.read(ctx, func(t *tx) error {
		refs, upto = nil, after
		if err := t.fence(lane); err != nil {
			return err
		}
		for _, in := range t.inbound("NOT answered AND provider = $1 AND id > $2 AND id <= (SELECT max(id) FROM (SELECT id FROM inbound WHERE NOT answered AND provider = $1 AND id > $2 ORDER BY id LIMIT $3) page)", lane.Number, after, n) {
			upto = in.seq
			who, _ := t.writer(in)
			if first := t.oldest(lane.Number, who); first.Seq == in.seq || first.Seq == 0 {
				refs = append(refs, state.InboundRef{Seq: in.seq, Provider: lane.Number, Recipient: who})
			}
		}
		return nil
	})
	return refs, upto, err
}

// ClaimNext implements state.Store.
func (s *Store) ClaimNext(ctx context.Context, lane state.Lane, recipient string) (ref state.InboundRef, ok bool, err error) {
	if lane.Limit > 0 {
		return s.claimNext(ctx, lane, recipient)
	}
	err = s.read(ctx, func(t *tx) error {
		if err := t.fence(lane); err != nil {
			return err
		}
		ref = t.oldest(lane.Number, recipient)
		return nil
	})
	return ref, ref.Seq != 0, err
}

// oldest returns a person's oldest open event at a number; zero for none. It checks
// the writer: the person's phone number may have belonged to somebody else then.
func (t *tx) oldest(number, recipient string) state.InboundRef {
	_, ref := t.first(recipient, t.inbound("NOT answered AND provider = $1 AND person = ANY($2)", number, slices.Collect(maps.Keys(t.everyID(recipient)))))
	return ref
}

// first returns a person's oldest event of a list; nil for none.
func (t *tx) first(recipient string, list []*inbound) (*inbound, state.InboundRef) {
	p := t.who(recipient)
	now := person(t.shown(&p, recipient))
	for _, in := range list {
		who, _ := t.writer(in)
		if w := person(who); w == person(recipient) || w == now {
			return in, state.InboundRef{Seq: in.seq, Provider: in.provider, Recipient: who}
		}
	}
	return nil, state.InboundRef{}
}

// Inbound implements state.Store.
func (s *Store) Inbound(ctx context.Context, seq int64) (ev state.InboundEvent, ok bool, err error) {
	err = s.read(ctx, func(t *tx) error {
		ok = false
		for _, in := range t.inbound("id = $1", seq) {
			ok = true
			ev = state.InboundEvent{Seq: seq, Provider: in.provider, Received: state.Moment(in.received), Recipient: in.recipient, First: in.first, Event: in.event, Stopped: in.stopped}
			if who, same := t.writer(in); !same {
				ev.Recipient = who
			}
			if in.attempt != nil {
				if a := t.attemptAt(*in.attempt); a != nil {
					ev.Campaign, ev.Message = a.key.Campaign, a.message
				}
			}
		}
		return nil
	})
	return ev, ok, err
}

// Answered implements state.Store.
func (s *Store) Answered(ctx context.Context, lane state.Lane, seqs ...int64) error {
	err := s.writeSmall(ctx, func(t *tx) error {
		if err := t.fence(lane); err != nil {
			return err
		}
		t.exec("UPDATE inbound SET answered = true WHERE id = ANY($1)", seqs)
		return nil
	})
	return named(err, "noting answers")
}

// RepliedBy implements state.Store.
func (s *Store) RepliedBy(ctx context.Context, recipient string, seq int64) (rules []string, err error) {
	err = s.read(ctx, func(t *tx) error {
		rules = t.texts("SELECT campaign FROM attempts WHERE person = $1 AND run = 0 AND revision = $2 ORDER BY id", person(recipient), seq)
		return nil
	})
	return rules, err
}

// Exchanges implements state.Store.
func (s *Store) Exchanges(ctx context.Context, recipient string, seq int64, since time.Time, n int) (out []state.Exchange, err error) {
	err = s.read(ctx, func(t *tx) error {
		out = nil
		for _, a := range t.of(recipient) {
			if a.run != 0 || a.intended <= state.Millis(since) || a.key.Revision == int(seq) || !a.send().MayHaveReached() || len(out) == n {
				continue
			}
			var received int64
			t.one("SELECT received FROM inbound WHERE id = $1", args(int64(a.key.Revision)), &received)
			out = append(out, state.Exchange{Answered: state.Moment(a.intended), Asked: state.Moment(received)})
		}
		return nil
	})
	return out, err
}

// LastReply implements state.Store.
func (s *Store) LastReply(ctx context.Context, rule, recipient string) (at time.Time, err error) {
	err = s.read(ctx, func(t *tx) error {
		at = time.Time{}
		list := t.of(recipient)
		if i := slices.IndexFunc(list, func(a *attempt) bool { return a.key.Campaign == rule && a.send().MayHaveReached() }); i >= 0 {
			at = state.Moment(list[i].intended)
		}
		return nil
	})
	return at, err
}

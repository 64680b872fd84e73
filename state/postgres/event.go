package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// keepSeen is how long a repetition or a late event is expected: WhatsApp keeps a
// message for 30 days, and a webhook is repeated for 7. Source: Meta, webhooks
// overview, read 2026-09-11.
const keepSeen = 45 * 24 * time.Hour

// seenSize is how many bytes of a body's hash are kept.
const seenSize = 16

// foldSpan is how many bodies one transaction joins at most.
const foldSpan = 256

// accept accepts bodies in one transaction, and says which are new.
func (s *Store) accept(ctx context.Context, in []state.Inbox) (out []bool, err error) {
	// A state of before 0.1.0 has whole hashes.
	const accept = `WITH new AS (INSERT INTO seen (hash, provider, received) SELECT substr($1::bytea, 1, 16), $2, $3
			WHERE NOT EXISTS (SELECT FROM seen WHERE hash = $1 AND provider = $2) ON CONFLICT DO NOTHING RETURNING 1)
		INSERT INTO inbox (provider, received, raw, events) SELECT $2, $3, $4, $5 FROM new`
	err = s.persist(ctx, func(c *pgx.Conn) error {
		if err := s.begin(ctx, c, beginWrite, idleWrite); err != nil {
			return err
		}
		out = make([]bool, len(in))
		queue := pgx.Batch{}
		for i := range in {
			events, err := json.Marshal(in[i].Events)
			if err != nil {
				return err
			}
			hash := sha256.Sum256(in[i].Raw)
			raw := in[i].Raw
			if raw == nil {
				raw = []byte{}
			}
			queue.Queue(accept, hash[:], clean(in[i].Provider), state.Millis(in[i].Received), raw, events)
		}
		answers := c.SendBatch(ctx, &queue)
		for i := range in {
			tag, err := answers.Exec()
			if err != nil {
				_ = answers.Close() // it returns the same error
				return err
			}
			out[i] = tag.RowsAffected() == 1
		}
		if err := answers.Close(); err != nil {
			return err
		}
		// If there is no answer, the provider will send the bodies again.
		_, err := c.Exec(ctx, "commit", pgx.QueryExecModeSimpleProtocol)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("accepting %d webhooks: %w", len(in), err)
	}
	return out, nil
}

// Fold implements state.Store.
func (s *Store) Fold(ctx context.Context, limit int) (n int, err error) {
	err = s.writeFew(ctx, nil, func(t *tx) (err error) {
		n, err = t.fold(limit)
		return err
	})
	return n, named(err, "joining webhooks")
}

// foldAll folds all waiting bodies.
func (t *tx) foldAll() error {
	for {
		if n, err := t.fold(foldSpan); n == 0 || err != nil {
			return err
		}
	}
}

// body is a webhook between its acceptance and its folding.
type body struct {
	id, received int64
	provider     string
	raw, events  []byte
	evs          []message.Event
}

func (t *tx) fold(limit int) (int, error) {
	var bodies []body
	var b body
	t.each("SELECT id, provider, received, raw, events FROM inbox ORDER BY id LIMIT $1", args(limit), []any{&b.id, &b.provider, &b.received, &b.raw, &b.events}, func() error {
		one := b
		if err := json.Unmarshal(b.events, &one.evs); err != nil {
			return fmt.Errorf("%w: an accepted webhook: %w", state.ErrDamaged, err)
		}
		if len(one.evs) == 0 {
			one.evs = []message.Event{{Kind: message.EventOther, Reason: "nothing in it was understood", Raw: bytes.Clone(b.raw)}}
		}
		bodies = append(bodies, one)
		return nil
	})
	if len(bodies) == 0 {
		return 0, t.err
	}
	var evs []*message.Event
	for i := range bodies {
		for j := range bodies[i].evs {
			evs = append(evs, &bodies[i].evs[j])
		}
	}
	t.loadEvents(evs)
	ids := make([]int64, len(bodies))
	for i := range bodies {
		b := &bodies[i]
		if ids[i] = b.id; b.id > t.meta.waived {
			t.wrote(b.received)
		}
		for j := range b.evs {
			t.event(b.provider, b.received, &b.evs[j], state.ProofEcho)
		}
	}
	t.later("DELETE FROM inbox WHERE id = ANY($1)", ids)
	return len(bodies), t.err
}

// loadEvents reads in one go what the events are about.
func (t *tx) loadEvents(evs []*message.Event) {
	var refs, ids []string
	var people []delivery.ID
	for _, ev := range evs {
		refs = append(refs, clean(ev.Ref))
		ids = append(ids, clean(ev.ID), clean(ev.ContextID))
		people = append(people, idsOf(ev.From.Phone, ev.From.UserID, ev.Parent)...)
	}
	t.loadRefs(refs, ids)
	t.loadErased(people...)
	t.loadIDs(people...)
	t.loadWaits(ids)
}

// FoldAll implements state.Store. It also reads the wishes in messages that were
// folded without looking for any.
func (s *Store) FoldAll(ctx context.Context) error {
	for {
		waits, err := s.InboxWaits(ctx)
		if err != nil {
			return err
		}
		if !waits {
			break
		}
		if _, err := s.Fold(ctx, foldSpan); err != nil {
			return err
		}
	}
	if s.opt.Wish == nil {
		return nil
	}
	open := false
	err := s.read(ctx, func(t *tx) error {
		t.one("SELECT EXISTS (SELECT FROM inbound WHERE NOT answered)", nil, &open)
		return nil
	})
	if err != nil || !open {
		return err
	}
	err = s.write(ctx, func(t *tx) error {
		for _, in := range t.inbound("NOT answered") {
			if t.heed(&in.event, delivery.EventTime(&in.event, in.received)) {
				t.later("UPDATE inbound SET stopped = true WHERE id = $1", in.seq)
			}
		}
		return nil
	})
	return named(err, "heeding stop words of messages that wait for an answer")
}

// InboxWaits implements state.Store.
func (s *Store) InboxWaits(ctx context.Context) (waits bool, err error) {
	err = s.read(ctx, func(t *tx) error {
		t.one("SELECT EXISTS (SELECT FROM inbox)", nil, &waits)
		return nil
	})
	return waits, err
}

// Waiting implements state.Store.
func (s *Store) Waiting(ctx context.Context) (bodies, open int, err error) {
	err = s.read(ctx, func(t *tx) error {
		t.one("SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM inbound WHERE NOT answered)", nil, &bodies, &open)
		return nil
	})
	return bodies, open, err
}

// Events implements state.Store.
func (s *Store) Events(ctx context.Context, provider string, evs []message.Event) error {
	err := s.write(ctx, func(t *tx) error {
		var list []*message.Event
		for i := range evs {
			list = append(list, &evs[i])
		}
		t.loadEvents(list)
		for _, ev := range list {
			if ev.Kind == message.EventInbound {
				t.wrote(t.now)
			}
			t.event(provider, t.now, ev, state.ProofPoll)
		}
		return nil
	})
	return named(err, "joining events")
}

func (t *tx) event(provider string, received int64, ev *message.Event, by state.Proof) {
	switch ev.Kind {
	case message.EventStatus:
		t.statusEvent(provider, received, ev, by)
	case message.EventInbound:
		t.inboundEvent(provider, received, ev)
	case message.EventPreference:
		if t.see(provider, received, ev) {
			t.tell(delivery.About(ev), func(f *delivery.Facts) { f.Say(delivery.Preference(ev, delivery.EventTime(ev, received))) })
		}
	case message.EventIdentity:
		if t.see(provider, received, ev) {
			t.notice(provider, received, ev)
		}
	case message.EventGroup:
		known := t.see(provider, received, ev)
		if known {
			t.heed(ev, delivery.EventTime(ev, received))
		}
		if known || ev.From.Key() == "" {
			t.notice(provider, received, ev)
		}
	default:
		t.tellTemplate(provider, received, ev)
		t.notice(provider, received, ev)
	}
}

func (t *tx) notice(provider string, received int64, ev *message.Event) {
	raw := slices.Clone(ev.Raw)
	if len(raw) == 0 {
		raw = textOf(ev)
	}
	t.later("INSERT INTO notices (provider, at, kind, field, reason, raw) VALUES ($1, $2, $3, $4, $5, $6)",
		provider, delivery.EventTime(ev, received), string(ev.Kind), ev.Field, delivery.NoticeReason(ev), []byte(raw))
}

func textOf(ev *message.Event) []byte {
	text, err := json.Marshal(ev)
	if err != nil {
		panic(err) // cannot happen with our own types
	}
	return text
}

func (t *tx) statusEvent(provider string, received int64, ev *message.Event, by state.Proof) {
	if now, _ := delivery.Names(ev); len(now) > 1 {
		t.see(provider, received, ev)
	}
	if a := t.attemptOf(ev.Ref, ev.ID); a != nil {
		t.joinStatus(a, provider, received, ev, by)
		return
	}
	if ev.Ref != "" && message.OurRef(t.meta.Lineage, ev.Ref) {
		t.note(state.FindingRollback, 0, "a status came for reference "+ev.Ref+", which this state does not know: it is older than what was sent from it")
	}
	t.wait(provider, ev.ID, received, ev)
}

func (t *tx) joinStatus(a *attempt, provider string, received int64, ev *message.Event, by state.Proof) {
	at := delivery.EventTime(ev, received)
	a = t.proven(a, ev, by, at)
	f := a.fate
	f.billed = f.billed.Told(ev.Billing, ev.Rank, at)
	if !ev.Failed {
		f.Status = f.Reached(ev.Rank, at)
		t.putFate(a, f)
		return
	}
	f.Status = f.Failed(ev.Code, ev.Title, at)
	t.putFate(a, f)
	if state.IsErased(a.key.Recipient) {
		return
	}
	t.tell(a.key.Recipient, func(f *delivery.Facts) { f.Failure(ev.Code, provider, at) })
}

// proven settles an attempt, since a status proves what became of it, or settles
// the later attempt at the same delivery. It returns the settled one.
func (t *tx) proven(a *attempt, ev *message.Event, by state.Proof, at int64) *attempt {
	next := &outcome{send: state.Accepted, proof: by, settled: at, id: ev.ID}
	if a.send() == state.Accepted {
		had := a.out.id
		t.complete(a, ev.ID)
		if had == "" {
			t.adopt(ev.ID)
		}
		return a
	}
	if later := t.laterOf(a); later != nil {
		return t.provenLate(a, later, next)
	}
	switch a.send() {
	case state.Rejected:
		t.note(state.FindingContradiction, a.id, "refused with "+a.out.code+", and then a status came for it")
	case state.Pending:
		t.note(state.FindingContradiction, a.id, "believed to be not taken, and then a status came for it")
	}
	t.put(a, next)
	t.adopt(ev.ID)
	return a
}

// loadWaits reads which of these message ids have events waiting for them.
func (t *tx) loadWaits(ids []string) {
	t.askWaits(ids)
	t.load()
}

// askWaits is loadWaits with the next flush.
func (t *tx) askWaits(ids []string) {
	var missing []string
	for _, id := range ids {
		if _, ok := t.waits[id]; !ok && id != "" {
			missing = append(missing, id)
			t.waits[id] = false
		}
	}
	if len(missing) == 0 {
		return
	}
	var id string
	t.ask("SELECT DISTINCT about FROM orphans WHERE about = ANY($1)", args(missing), []any{&id}, func() error {
		t.waits[id] = true
		return nil
	}, nil)
}

// wait keeps an event until its message is known.
func (t *tx) wait(provider, about string, received int64, ev *message.Event) {
	if t.wasErased(idOf(ev.From.Key())) {
		return
	}
	text := textOf(ev)
	digest := sha256.Sum256(text)
	t.waits[clean(about)] = true
	t.later("INSERT INTO orphans (provider, received, about, digest, event) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
		provider, received, about, digest[:], text)
}

// orphan is an event that waited.
type orphan struct {
	id, received int64
	provider     string
	text         []byte
	event        message.Event
}

// adopt folds the events that waited for a provider's id.
func (t *tx) adopt(id string) {
	if id = clean(id); id == "" {
		return
	}
	if t.loadWaits([]string{id}); !t.waits[id] {
		return
	}
	var waiting []orphan
	var o orphan
	t.each("SELECT id, provider, received, event FROM orphans WHERE about = $1 ORDER BY id", args(id), []any{&o.id, &o.provider, &o.received, &o.text}, func() error {
		one := o
		if err := json.Unmarshal(o.text, &one.event); err != nil {
			return fmt.Errorf("%w: an event that waits: %w", state.ErrDamaged, err)
		}
		waiting = append(waiting, one)
		return nil
	})
	var mine []orphan
	for _, o := range waiting {
		if t.attemptOf(o.event.Ref, id) != nil {
			t.later("DELETE FROM orphans WHERE id = $1", o.id)
			mine = append(mine, o)
		}
	}
	t.waits[id] = len(mine) < len(waiting)
	for i := range mine {
		o := &mine[i]
		switch a := t.attemptOf(o.event.Ref, id); o.event.Kind {
		case message.EventInbound:
			t.replied(a, &o.event, o.received, inboundHash(o.provider, &o.event))
		default:
			t.joinStatus(a, o.provider, o.received, &o.event, state.ProofEcho)
		}
	}
}

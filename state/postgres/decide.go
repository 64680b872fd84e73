package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state"
)

// Resolve implements state.Store.
func (s *Store) Resolve(ctx context.Context, key state.Key, as state.Send, who, why string) error {
	err := s.write(ctx, func(t *tx) error {
		// What the provider has already reported is better evidence than a person's word.
		if err := t.foldAll(); err != nil {
			return err
		}
		a, _ := t.last(key)
		switch {
		case t.err != nil:
			return t.err
		case a == nil:
			return state.ErrUnknown
		case a.out == nil:
			return errors.New("it is being sent now; after a crash, the next apply puts it in doubt")
		case a.send() != state.InDoubt:
			return fmt.Errorf("it is %s: %w", a.send(), state.ErrSettled)
		}
		if err := delivery.Transition(state.InDoubt, as, state.ProofOperator); err != nil {
			return err
		}
		o := *a.out
		o.send, o.proof, o.settled = as, state.ProofOperator, t.now
		t.put(a, &o)
		t.decided(who, fmt.Sprintf("resolved attempt %d as %s", a.id, as), why)
		return nil
	})
	return named(err, "resolving a delivery of "+key.Campaign)
}

// Move implements state.Store.
func (s *Store) Move(ctx context.Context, from, to string) error {
	err := s.write(ctx, func(t *tx) error {
		if err := t.closeOpen(nil); err != nil { // its plan has the old address
			return err
		}
		var here, there, used, taken bool
		const usedAs = "EXISTS (SELECT FROM attempts WHERE campaign = $1) OR EXISTS (SELECT FROM attempts WHERE message = $1) OR EXISTS (SELECT FROM links WHERE link = $1)"
		t.one("SELECT EXISTS (SELECT FROM resources WHERE address = $1), EXISTS (SELECT FROM resources WHERE address = $2)", args(from, to), &here, &there)
		t.one("SELECT "+usedAs, args(from), &used)
		t.one("SELECT "+usedAs, args(to), &taken)
		switch {
		case t.err != nil:
			return t.err
		case !here && !used:
			return state.ErrUnknown
		case used && taken:
			return fmt.Errorf("there are deliveries of %s already", to)
		case here && there:
			return fmt.Errorf("there is a %s already", to)
		}
		t.later("UPDATE attempts SET campaign = $2 WHERE campaign = $1", from, to)
		t.later("UPDATE attempts SET message = $2 WHERE message = $1", from, to)
		t.later("UPDATE links SET link = $2 WHERE link = $1", from, to)
		t.later("UPDATE resources SET address = $2, name = $3 WHERE address = $1", from, to, to[strings.LastIndexByte(to, '.')+1:])
		t.readdress(from, to)
		t.decided("", "moved "+from+" to "+to, "")
		return nil
	})
	return named(err, fmt.Sprintf("moving %s to %s", from, to))
}

// readdress renames a campaign in runs and halts, or drops it if to is "".
func (t *tx) readdress(from, to string) {
	for _, r := range t.runs() {
		changed := false
		var list []state.CampaignRun
		for _, c := range r.Campaigns {
			if c.Campaign == from {
				c.Campaign, changed = to, true
			}
			if c.Campaign != "" {
				list = append(list, c)
			}
		}
		if changed {
			r.Campaigns = list
			over := false
			t.one("SELECT over FROM runs WHERE id = $1", args(r.ID), &over)
			t.keepRun(r, r.ID, over)
		}
	}
	for _, h := range t.halts() {
		if h.Campaign != from {
			continue
		}
		t.later("DELETE FROM halts WHERE campaign = $1", from)
		if h.Campaign = to; to != "" {
			t.putHalt(h)
		}
	}
}

// Remove implements state.Store.
func (s *Store) Remove(ctx context.Context, address string) (n int, err error) {
	err = s.write(ctx, func(t *tx) error {
		if err := t.closeOpen(nil); err != nil { // it would send what is forgotten
			return err
		}
		var open bool
		t.one("SELECT EXISTS (SELECT FROM attempts a WHERE a.campaign = $1 AND NOT EXISTS (SELECT FROM outcomes o WHERE o.id = a.id))", args(address), &open)
		if open {
			return errors.New("something of it is being sent")
		}
		known := t.exec("DELETE FROM resources WHERE address = $1", address)
		if n = t.exec("DELETE FROM attempts WHERE campaign = $1", address); n == 0 && known == 0 && t.err == nil {
			return state.ErrUnknown
		}
		t.readdress(address, "")
		t.decided("", "removed "+address, "")
		return nil
	})
	if err != nil {
		n = 0
	}
	return n, named(err, "removing "+address+" from the state")
}

// importSpan is how many deliveries one transaction of Import takes over.
const importSpan = 1024

// Import implements state.Store.
func (s *Store) Import(ctx context.Context, ds iter.Seq2[state.Delivery, error]) (added int, err error) {
	var batch []state.Delivery
	some := func() error {
		n, err := s.importSome(ctx, batch)
		added, batch = added+n, batch[:0]
		return err
	}
	for d, err := range ds {
		if err != nil {
			return added, errors.Join(err, some())
		}
		if batch = append(batch, d); len(batch) == importSpan {
			if err := some(); err != nil {
				return added, err
			}
		}
	}
	if err := some(); err != nil {
		return added, err
	}
	err = s.write(ctx, func(t *tx) error {
		t.decided("", fmt.Sprintf("imported %d deliveries", added), "")
		return nil
	})
	if err == nil && added >= s.blocks.Least {
		s.packAll(ctx)
	}
	return added, named(err, "importing deliveries")
}

func (s *Store) importSome(ctx context.Context, batch []state.Delivery) (n int, err error) {
	if len(batch) == 0 {
		return 0, nil
	}
	err = s.write(ctx, func(t *tx) error {
		n = 0
		var ids []delivery.ID
		var people, sent []string
		for i := range batch {
			ids = append(ids, idOf(batch[i].Recipient))
			people = append(people, person(batch[i].Recipient))
			sent = append(sent, clean(batch[i].ID))
		}
		t.loadIDs(ids...)
		t.loadPersons(people)
		t.loadWaits(sent)
		for i := range batch {
			if known, _ := t.last(batch[i].Key); known == nil {
				t.importOne(&batch[i], len(batch)-i)
				n++
			}
		}
		return nil
	})
	if err != nil {
		return 0, named(err, "importing deliveries")
	}
	return n, nil
}

func (t *tx) importOne(d *state.Delivery, left int) {
	at := state.Millis(d.Settled)
	if at == 0 {
		at = t.now
	}
	key := d.Key
	key.Recipient, key.Campaign = clean(key.Recipient), clean(key.Campaign)
	a := &attempt{id: t.nextAttempt(left), key: key, number: 1, run: -1, intended: at, message: d.Message, digest: d.Digest, ref: clean(d.Ref)}
	t.add(a, make([]byte, 16))
	t.put(a, &outcome{send: state.Accepted, proof: state.ProofOperator, settled: at, cause: "import", id: d.ID})
	t.adopt(d.ID)
}

// pruneSpan is how many rows one transaction of Prune removes. Other writers wait
// for as long as it takes.
const pruneSpan = 4096

// Prune implements state.Store.
func (s *Store) Prune(ctx context.Context, before time.Time) (n int, err error) {
	all, events := state.Millis(before), min(state.Millis(before), s.opt.Clock().Add(-keepSeen).UnixMilli())
	const old = `DELETE FROM attempts WHERE id IN (SELECT a.id FROM attempts a JOIN outcomes o ON o.id = a.id
		JOIN (SELECT campaign, max(revision) AS newest FROM attempts GROUP BY campaign HAVING max(revision) > min(revision)) c ON c.campaign = a.campaign
		WHERE a.revision < c.newest AND a.run <> 0 AND a.intended < $1 LIMIT $2)`
	for _, p := range []struct {
		sql    string
		before int64
	}{
		{"DELETE FROM inbound WHERE id IN (SELECT id FROM inbound WHERE answered AND received < $1 LIMIT $2)", events},
		{"DELETE FROM notices WHERE id IN (SELECT id FROM notices WHERE at < $1 LIMIT $2)", all},
		{"DELETE FROM orphans WHERE id IN (SELECT id FROM orphans WHERE received < $1 LIMIT $2)", events},
		{"DELETE FROM seen WHERE ctid = ANY(ARRAY(SELECT ctid FROM seen WHERE received < $1 LIMIT $2))", events},
		{old, events},
	} {
		for gone := pruneSpan; gone == pruneSpan; n += gone {
			err := s.write(ctx, func(t *tx) error {
				gone = t.exec(p.sql, p.before, pruneSpan)
				return nil
			})
			if err != nil {
				return n, named(err, "pruning the state")
			}
		}
	}
	return n, nil
}

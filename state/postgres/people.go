package postgres

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// Person implements state.Store.
func (s *Store) Person(ctx context.Context, number, recipient string) (out state.Person, err error) {
	err = s.read(ctx, func(t *tx) error {
		p := t.who(recipient)
		out = state.PersonOf(recipient, &p.Known)
		out.WindowEnds = state.Moment(p.WindowAt(number).Ends())
		if t.wasErased(idOf(recipient)) {
			out.OptedOut, out.OptOut = true, "erased"
		}
		return nil
	})
	return out, err
}

// SetAttributes implements state.Store.
func (s *Store) SetAttributes(ctx context.Context, recipient string, values map[string]string) error {
	return s.decide(ctx, recipient, func(t *tx, k *delivery.Known, f *delivery.Facts) {
		f.Decide(k.With(values), k.Handover, t.now)
	})
}

// Handover implements state.Store.
func (s *Store) Handover(ctx context.Context, recipient string, on bool) error {
	return s.decide(ctx, recipient, func(t *tx, k *delivery.Known, f *delivery.Facts) { f.Decide(k.Attributes, on, t.now) })
}

// OptOut implements state.Store.
func (s *Store) OptOut(ctx context.Context, recipient, reason, evidence string) error {
	return s.choose(ctx, recipient, delivery.Opt{Choice: delivery.OptedOut, Reason: reason, Evidence: evidence})
}

// OptIn implements state.Store.
func (s *Store) OptIn(ctx context.Context, recipient, evidence string) error {
	return s.choose(ctx, recipient, delivery.Opt{Choice: delivery.OptedIn, Reason: "opt_in", Evidence: evidence})
}

func (s *Store) choose(ctx context.Context, recipient string, o delivery.Opt) error {
	return s.decide(ctx, recipient, func(t *tx, k *delivery.Known, f *delivery.Facts) { f.Say(k.Choose(o, t.now)) })
}

// OptOuts implements state.Store.
func (s *Store) OptOuts(ctx context.Context) iter.Seq2[state.OptOutEntry, error] {
	var out []state.OptOutEntry
	err := s.read(ctx, func(t *tx) error {
		out = nil
		for _, p := range t.everybody("true") {
			if p.Opt.Choice != delivery.OptedOut {
				continue
			}
			for _, tie := range p.Ties {
				who := string(tie.ID)
				if len(p.Ties) == 1 {
					who = p.recipient
				}
				out = append(out, state.OptOutEntry{Recipient: who, Reason: p.Opt.Reason, Evidence: p.Opt.Evidence, At: state.Moment(p.Opt.At)})
			}
		}
		return nil
	})
	return state.Listed(out, err)
}

// Erase implements state.Store. The database removes the old versions of rows when
// it vacuums; its log and its backups keep theirs.
func (s *Store) Erase(ctx context.Context, recipient string) error {
	err := s.write(ctx, func(t *tx) error {
		// Events that are accepted from here on are recognised by the hash.
		if err := t.foldAll(); err != nil {
			return err
		}
		t.erase(recipient)
		return nil
	})
	return named(err, "erasing a person")
}

func (t *tx) erase(recipient string) {
	keys, id := []string{recipient}, idOf(recipient)
	if c := t.circleOf(id); c != nil {
		left, theirs := c.Without(id)
		t.keep(left, []*circle{c})
		for _, tie := range theirs {
			if tie != id {
				keys = append(keys, string(tie))
			}
		}
	}
	for _, key := range keys {
		t.eraseID(key)
	}
}

func (t *tx) eraseID(recipient string) {
	who := person(recipient)
	delete(t.spelled, idOf(who))
	t.later("DELETE FROM forwards WHERE event IN (SELECT id FROM inbound WHERE person = $1)", who)
	t.later("DELETE FROM inbound WHERE person = $1", who)
	t.loadPersons([]string{who})
	if theirs := t.persons[who]; len(theirs) > 0 {
		var n int64
		t.one("SELECT nextval('erased_names')", nil, &n)
		name := fmt.Sprint(state.ErasedPrefix, n)
		for _, a := range theirs {
			a.key.Recipient, a.digest, a.choice.Attributes = name, [16]byte{}, ""
			t.later("UPDATE attempts SET recipient = $2, person = $2, digest = $3, attributes = '' WHERE id = $1", a.id, name, a.digest[:])
			t.later("UPDATE links SET token = NULL WHERE attempt = $1", a.id) // the token led to the person
			if a.out != nil && a.out.id != "" {
				o := *a.out
				o.id = "" // WhatsApp's ids hold the phone number
				t.put(a, &o)
			}
		}
		delete(t.persons, who)
		delete(t.persons, name)
	}
	t.eraseTexts(recipient)
	if id := idOf(who); !t.wasErased(id) {
		t.later("INSERT INTO erased (hash, at) VALUES ($1, $2)", t.hashOf(id), t.now)
		t.erased[id], t.meta.erased = true, true
		t.decided("", "erased a person", "")
	}
}

// eraseTexts drops events that are kept in the provider's format and may name the
// person in any spelling.
func (t *tx) eraseTexts(recipient string) {
	for _, spelling := range []string{recipient, message.OtherSpelling(recipient)} {
		needle := []byte(strings.TrimPrefix(spelling, "+"))
		if len(needle) == 0 {
			continue
		}
		clear(t.waits)
		t.later("DELETE FROM orphans WHERE position($1::bytea IN event) > 0", bytes.Clone(needle))
		t.later("DELETE FROM notices WHERE position($1::bytea IN raw) > 0", needle)
	}
}

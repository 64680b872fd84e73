package sqlite

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"zombiezen.com/go/sqlite"
)

// personRow is a row of people: what is known of one person.
type personRow struct {
	lastInbound int64 // to any number
	shut        int64 // all windows were closed by then; of a state from before format 3
	opt         delivery.Opt
	cooldown    int64  // no marketing before it
	profile     string // the name that the person gave themselves
	profileAt   int64  // when it was told
	attributes  string // JSON; "" for none
	handover    bool   // the rules are silent
}

// personColumns are the columns that scanPerson reads, in its order.
const personColumns = "last_inbound, shut, opt, opt_at, reason, evidence, cooldown, profile, profile_at, attributes, handover"

// scanPerson reads a row of people, whose first column is number from.
func scanPerson(st *sqlite.Stmt, from int) personRow {
	return personRow{
		lastInbound: st.ColumnInt64(from), shut: st.ColumnInt64(from + 1),
		opt: delivery.Opt{Choice: delivery.Choice(st.ColumnInt64(from + 2)), At: st.ColumnInt64(from + 3),
			Reason: st.ColumnText(from + 4), Evidence: st.ColumnText(from + 5)},
		cooldown: st.ColumnInt64(from + 6), profile: st.ColumnText(from + 7), profileAt: st.ColumnInt64(from + 8),
		attributes: st.ColumnText(from + 9), handover: st.ColumnInt64(from+10) == 1,
	}
}

// personID returns the integer under which what is known of a recipient is
// kept: that of the person where they have several ids, otherwise the spelling
// under which they became known.
func (c *conn) personID(who int64) (int64, error) {
	person, err := c.tiedTo(who)
	if err != nil {
		return 0, err
	}
	return c.placeOf(who, person)
}

// placeOf is personID of a recipient whose person is known, 0 for none.
func (c *conn) placeOf(who, person int64) (int64, error) {
	if person != 0 {
		return person, nil
	}
	other := otherID(who)
	if other == 0 {
		return who, nil
	}
	_, ok, err := c.queryInt("SELECT 1 FROM people WHERE id = ?", other)
	if ok {
		return other, err
	}
	return who, err
}

// person reads what is known of a recipient, wherever it is kept.
func (c *conn) person(who int64) (p personRow, ok bool, err error) {
	if who, err = c.personID(who); err != nil {
		return p, false, err
	}
	return c.personAt(who)
}

// personAt is the row of people with an id.
func (c *conn) personAt(id int64) (p personRow, ok bool, err error) {
	err = c.each("SELECT "+personColumns+" FROM people WHERE id = ?", func(st *sqlite.Stmt) error {
		p, ok = scanPerson(st, 0), true
		return nil
	}, id)
	return p, ok, err
}

// putPerson writes what is known of a person.
func (t *tx) putPerson(id int64, p *personRow) error {
	w := t.replace(tPeople, id)
	w.maybe(p.lastInbound)
	w.maybe(p.shut)
	w.int(int64(p.opt.Choice))
	w.maybe(p.opt.At)
	w.maybeText(p.opt.Reason)
	w.maybeText(p.opt.Evidence)
	w.maybe(p.cooldown)
	w.maybeText(p.profile)
	w.maybe(p.profileAt)
	w.maybeText(p.attributes)
	w.bool(p.handover)
	_, err := w.done()
	return err
}

// export is the row as package state shows it.
func (p *personRow) export(recipient string) (state.Person, error) {
	out := state.Person{
		Recipient: recipient, LastInbound: state.Moment(p.lastInbound), Shut: state.Moment(p.shut),
		OptedOut: p.opt.Choice == delivery.OptedOut, Cooldown: state.Moment(p.cooldown), ProfileName: p.profile, Handover: p.handover,
	}
	if out.OptedOut {
		out.OptOut, out.OptOutAt = p.opt.Reason, state.Moment(p.opt.At)
	}
	if p.attributes != "" {
		if err := json.Unmarshal([]byte(p.attributes), &out.Attributes); err != nil {
			return out, fmt.Errorf("%w: the attributes of a person: %w", state.ErrDamaged, err)
		}
	}
	return out, nil
}

// Person is what the state knows of a recipient, with the window at the sending
// number of that address; of one that was erased, only that nothing may be sent.
func (s *Store) Person(ctx context.Context, number, recipient string) (state.Person, error) {
	var out state.Person
	err := s.read(ctx, func(c *conn) error {
		who, err := c.recipientID(recipient)
		if err != nil {
			return err
		}
		place, err := c.personID(who)
		if err != nil {
			return err
		}
		p, _, err := c.personAt(place)
		if err != nil {
			return err
		}
		if out, err = p.export(recipient); err != nil {
			return err
		}
		at, err := c.addressID(number)
		if err != nil {
			return err
		}
		w, err := c.windowAt(place, at, &p)
		if err != nil {
			return err
		}
		out.WindowEnds = state.Moment(w.Ends())
		if out.Username, _, err = c.username(place); err != nil {
			return err
		}
		erased, err := s.isErased(c, recipient)
		if erased {
			out.OptedOut, out.OptOut = true, "erased"
		}
		return err
	})
	return out, err
}

// decide records what somebody decided about a person, for every id of theirs.
// Nothing is kept about a recipient that was erased.
func (s *Store) decide(ctx context.Context, recipient string, change func(t *tx, known *delivery.Known, f *delivery.Facts)) error {
	return s.write(ctx, func(t *tx) error {
		erased, err := s.isErased(t.c, recipient)
		if err != nil || erased {
			return err
		}
		c, err := t.gather(recipient)
		if err != nil {
			return err
		}
		id := delivery.ID(message.Canonical(recipient))
		p := delivery.Person{Ties: []delivery.Tie{{ID: id}}}
		for _, one := range c.People() {
			if one.Has(id) {
				p = one
			}
		}
		for _, tie := range p.Ties {
			c.Tell(tie.ID, func(f *delivery.Facts) { change(t, &p.Known, f) })
		}
		return t.keep(c)
	})
}

// SetAttributes sets attributes of a recipient; "" removes one.
func (s *Store) SetAttributes(ctx context.Context, recipient string, set map[string]string) error {
	return s.decide(ctx, recipient, func(t *tx, k *delivery.Known, f *delivery.Facts) { f.Decide(k.With(set), k.Handover, t.now) })
}

// Handover silences the rules for a recipient, or gives the person back to
// them.
func (s *Store) Handover(ctx context.Context, recipient string, on bool) error {
	return s.decide(ctx, recipient, func(t *tx, k *delivery.Known, f *delivery.Facts) { f.Decide(k.Attributes, on, t.now) })
}

// OptOut records that a person does not want marketing. The reason is a word,
// such as "stop_word"; the evidence says where it is from.
func (s *Store) OptOut(ctx context.Context, recipient, reason, evidence string) error {
	return s.choose(ctx, recipient, delivery.Opt{Choice: delivery.OptedOut, Reason: reason, Evidence: evidence})
}

// OptIn records that a person wants marketing again.
func (s *Store) OptIn(ctx context.Context, recipient, evidence string) error {
	return s.choose(ctx, recipient, delivery.Opt{Choice: delivery.OptedIn, Reason: "opt_in", Evidence: evidence})
}

// choose records an opt-out or opt-in that somebody decided.
func (s *Store) choose(ctx context.Context, recipient string, o delivery.Opt) error {
	err := s.decide(ctx, recipient, func(t *tx, k *delivery.Known, f *delivery.Facts) { f.Say(k.Choose(o, t.now)) })
	if err != nil {
		return fmt.Errorf("recording an opt-out or opt-in: %w", err)
	}
	return nil
}

// erasedHash is what is kept of an erased recipient, the same in every spelling
// of the number.
func (s *Store) erasedHash(recipient string) []byte {
	return s.hashOf(message.Canonical(recipient))
}

// hashOf is a hash with the state's key, so that nobody without the state can
// try phone numbers.
func (s *Store) hashOf(key string) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte("erased "))
	mac.Write([]byte(key))
	return mac.Sum(nil)[:16]
}

// erasedHashes are erasedHash, and what was kept of a recipient who was erased
// before two spellings of the number were taken for one.
func (s *Store) erasedHashes(recipient string) [][]byte {
	hashes := [][]byte{s.erasedHash(recipient)}
	if other := message.OtherSpelling(message.Canonical(recipient)); other != "" {
		hashes = append(hashes, s.hashOf(other))
	}
	return hashes
}

// isErased reports whether a recipient was erased. It costs a hash only when
// anybody was.
func (s *Store) isErased(c *conn, recipient string) (bool, error) {
	any, _, err := c.queryInt("SELECT EXISTS (SELECT 1 FROM erased)")
	if err != nil || any == 0 {
		return false, err
	}
	for _, hash := range s.erasedHashes(recipient) {
		if _, ok, err := c.queryInt("SELECT 1 FROM erased WHERE hash = ?", hash); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// isErasedID reports whether a recipient of the ledger stands for an erased
// person: its name was replaced.
func (t *tx) isErasedID(who int64) (bool, error) {
	if who > 0 {
		return false, nil
	}
	name, err := t.c.recipientText(who)
	return state.IsErased(name), err
}

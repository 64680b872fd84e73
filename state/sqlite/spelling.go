package sqlite

import (
	"slices"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/state/packed"
)

// joinSpellings joins what was kept under the two numbers that everybody in Benin
// has, before handbill took them for two spellings of one; see message.Canonical.
// Somebody who was erased under one number is erased under both. People with ties
// were joined by circlesFromTies already.
func (t *tx) joinSpellings() error {
	ids, err := t.c.queryInts(`SELECT id FROM (SELECT id FROM people UNION SELECT recipient FROM ties UNION SELECT person FROM windows
			UNION SELECT id FROM usernames UNION SELECT recipient FROM inbound UNION SELECT recipient FROM attempts)
		WHERE id BETWEEN 22900000000 AND 22999999999 OR id BETWEEN 2290100000000 AND 2290199999999 ORDER BY id`)
	for _, id := range ids {
		if err == nil {
			err = t.joinAlone(canonicalID(id))
		}
		if err == nil {
			err = t.eraseAgain(packed.PhoneText(canonicalID(id)))
		}
	}
	return err
}

// joinAlone joins the two spellings of a number that belongs to no circle.
func (t *tx) joinAlone(own int64) error {
	if person, err := t.c.tiedTo(own); err != nil || person != 0 {
		return err
	}
	place, err := t.c.personID(own)
	if err != nil {
		return err
	}
	before, _, err := t.c.known(place)
	if err != nil {
		return err
	}
	now := before
	if err := t.takeAlone(&now, place, own); err != nil {
		return err
	}
	return t.putKnown(place, &before, &now)
}

// takeAlone moves what is kept under either spelling of a number into k, except
// what is kept under the integer but.
func (t *tx) takeAlone(k *delivery.Known, but, own int64) error {
	for _, id := range [...]int64{own, otherID(own)} {
		if id == 0 || id == but {
			continue
		}
		o, ok, err := t.c.known(id)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		k.Join(&o)
		if err := t.forgetPerson(id, 0); err != nil {
			return err
		}
	}
	return nil
}

// eraseAgain forgets what is kept of somebody who was erased in the other
// spelling of the number.
func (t *tx) eraseAgain(recipient string) error {
	erased, err := t.s.isErased(t.c, recipient)
	if err != nil || !erased {
		return err
	}
	return t.erase(recipient, t.s.ledgerName(recipient))
}

// joinTies decides whose a number is that was tied in both spellings, perhaps to
// two persons. They are one person, unless their user ids or a change of number
// tell them apart.
func joinTies(people []*delivery.Person) []*delivery.Person {
	for _, p := range people {
		p.Ties = oneTie(p.Ties)
	}
	for i := 0; i < len(people); i++ {
		for j := i + 1; j < len(people); j++ {
			if joinTwo(people[i], people[j]) {
				people = slices.Delete(people, j, j+1)
				i, j = -1, len(people) // from the beginning
			}
		}
	}
	return people
}

// oneTie merges the ties of each id into one.
func oneTie(ties []delivery.Tie) (out []delivery.Tie) {
	for _, t := range ties {
		i := slices.IndexFunc(out, func(o delivery.Tie) bool { return o.ID == t.ID })
		if i < 0 {
			out = append(out, t)
			continue
		}
		o := &out[i]
		o.Since, o.Seen = min(o.Since, t.Since), max(o.Seen, t.Seen)
		if o.Left == 0 || t.Left == 0 {
			o.Left = 0
		}
	}
	return out
}

// joinTwo joins b into a where they are one person, and reports that. Otherwise it
// leaves each shared number to the one who had it last.
func joinTwo(a, b *delivery.Person) (one bool) {
	for i := range a.Ties {
		j := slices.IndexFunc(b.Ties, func(t delivery.Tie) bool { return t.ID == a.Ties[i].ID })
		if j < 0 {
			continue
		}
		r, o := a.Ties[i], b.Ties[j]
		if !toldApart(a, b, r, o) {
			a.Join(&b.Known)
			a.Ties, a.Former = oneTie(append(a.Ties, b.Ties...)), append(a.Former, b.Former...)
			return true
		}
		was := a.Known
		a.Forbid(&b.Known)
		b.Forbid(&was)
		left := r.Left != 0
		if left == (o.Left != 0) && o.Seen > r.Seen || left && o.Left == 0 {
			a.Ties, a.Former = slices.Delete(a.Ties, i, i+1), append(a.Former, r)
		} else {
			b.Ties, b.Former = slices.Delete(b.Ties, j, j+1), append(b.Former, o)
		}
		return joinTwo(a, b)
	}
	return false
}

// toldApart reports whether two who share a number are two persons: one of them
// left it for another number, or one sending number knows them by two user ids.
func toldApart(a, b *delivery.Person, r, o delivery.Tie) bool {
	if r.Left != 0 || o.Left != 0 {
		return true
	}
	for _, x := range a.Ties {
		for _, y := range b.Ties {
			if x.ID.Kind() != delivery.IDPhone && x.ID.Kind() == y.ID.Kind() && x.Number == y.Number && x.Left == 0 && y.Left == 0 {
				return true
			}
		}
	}
	return false
}

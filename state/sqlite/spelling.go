package sqlite

import (
	"errors"

	"zombiezen.com/go/sqlite"

	"github.com/handbill/handbill/delivery"
)

// joinSpellings makes one person of those who became known under both numbers
// that everybody in Benin has, before these were taken for two spellings of one:
// see message.Canonical. Two who turn out to be one are joined as ever, and who
// was erased under one number is erased under both.
func (t *tx) joinSpellings() error {
	ids, err := t.c.ints(`SELECT id FROM (SELECT id FROM people UNION SELECT recipient FROM ties UNION SELECT person FROM windows
			UNION SELECT id FROM usernames UNION SELECT recipient FROM inbound UNION SELECT recipient FROM attempts)
		WHERE id BETWEEN 22900000000 AND 22999999999 OR id BETWEEN 2290100000000 AND 2290199999999 ORDER BY id`)
	for _, id := range ids {
		own := canonicalID(id)
		if err == nil && id != own {
			err = t.retie(id, own)
		}
		if err == nil {
			err = t.joinPeople(own)
		}
		if err == nil {
			err = t.eraseAgain(phoneText(own))
		}
	}
	return err
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

// retie ties by its canonical spelling what was tied by another.
func (t *tx) retie(id, own int64) error {
	rows, err := t.c.tiesOf(id)
	if err != nil {
		return err
	}
	theirs, err := t.c.tiesOf(own)
	if err != nil {
		return err
	}
	for _, r := range rows {
		for _, o := range theirs {
			if err == nil && !r.former && !o.former {
				r.former, err = t.retieBoth(&r, &o)
			}
		}
		r.ID.ID = own
		if err == nil {
			err = t.putTie(&r)
		}
	}
	return err
}

// retieBoth decides whose a number is that is tied in either spelling: r is to be
// tied as o is. It is the same person's, unless user ids or a change of number
// tell them apart. former says that it passed from the person of r to that of o;
// else o makes room.
func (t *tx) retieBoth(r, o *tieRow) (former bool, err error) {
	apart, err := t.c.toldApart(r, o)
	if err != nil {
		return false, err
	}
	if apart {
		if err := errors.Join(t.pass(r.Person, o.Person), t.pass(o.Person, r.Person)); err != nil {
			return false, err
		}
		left := r.Left != 0
		if left == (o.Left != 0) && o.Seen > r.Seen || left && o.Left == 0 {
			return true, nil
		}
		o.former = true
		return false, t.putTie(o)
	}
	r.Since, r.Seen = min(r.Since, o.Since), max(r.Seen, o.Seen)
	if o.Left == 0 || r.Left == 0 {
		r.Left = 0
	}
	err = t.remove(tTies, o.row)
	if err == nil && r.Person != o.Person {
		err = t.merge(o.Person, r.Person)
	}
	return false, err
}

// toldApart reports whether those who have a number in either spelling are two:
// one left it for another number, or they have two user ids through one sending
// number.
func (c *conn) toldApart(r, o *tieRow) (bool, error) {
	if r.Person == o.Person {
		return false, nil
	}
	if r.Left != 0 || o.Left != 0 {
		return true, nil
	}
	n, _, err := c.one(`SELECT count(*) FROM ties a JOIN ties b ON b.kind = a.kind AND b.number = a.number
		WHERE a.person = ? AND b.person = ? AND a.kind <> ? AND a.gone IS NULL AND b.gone IS NULL AND a.former + b.former = 0`,
		r.Person, o.Person, int64(delivery.IDPhone))
	return n > 0, err
}

// tiesOf are those of an id, in this spelling.
func (c *conn) tiesOf(id int64) (out []tieRow, err error) {
	err = c.each("SELECT "+tieColumns+" FROM ties WHERE recipient = ? ORDER BY id", func(st *sqlite.Stmt) error {
		out = append(out, scanTie(st))
		return nil
	}, id)
	return out, err
}

// joinPeople joins what is kept under either spelling of a number by itself into
// what is kept of its person.
func (t *tx) joinPeople(own int64) error {
	into, err := t.c.tiedTo(own)
	if err != nil {
		return err
	}
	if into == 0 {
		if into, err = t.c.personID(own); err != nil {
			return err
		}
	}
	for _, lone := range [...]int64{own, otherID(own)} {
		if lone != into {
			err = errors.Join(err, t.absorb(lone, into))
		}
	}
	return err
}

package sqlite

import (
	"fmt"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state/packed"
	"zombiezen.com/go/sqlite"
)

// address returns the integer of an address such as campaign.spring, and makes
// one where it has none.
func (t *tx) address(a string) (int64, error) {
	if id, ok := t.s.ids[a]; ok {
		return id, nil
	}
	id, err := t.c.addressID(a)
	if err != nil {
		return 0, err
	}
	if id == 0 {
		w := t.insert(tAddresses, 0)
		w.text(a)
		if id, err = w.done(); err != nil {
			return 0, err
		}
	}
	t.s.ids[a] = id
	return id, nil
}

// addressID returns the integer of an address; 0 when it has none.
func (c *conn) addressID(a string) (int64, error) {
	id, _, err := c.queryInt("SELECT id FROM addresses WHERE address = ?", a)
	return id, err
}

// addressText is the inverse of addressID; "" for none.
func (c *conn) addressText(id int64) (address string, err error) {
	err = c.each("SELECT address FROM addresses WHERE id = ?", func(st *sqlite.Stmt) error {
		address = st.ColumnText(0)
		return nil
	}, id)
	return address, err
}

// addressNames returns all addresses by their integers.
func (c *conn) addressNames() (map[int64]string, error) {
	return c.textsByID("SELECT id, address FROM addresses")
}

// names returns the recipients that are no phone numbers, by the id of their
// row.
func (c *conn) names() (map[int64]string, error) {
	return c.textsByID("SELECT id, name FROM names")
}

// textsByID reads a query of an id and a text.
func (c *conn) textsByID(query string) (map[int64]string, error) {
	out := map[int64]string{}
	err := c.each(query, func(st *sqlite.Stmt) error {
		out[st.ColumnInt64(0)] = st.ColumnText(1)
		return nil
	})
	return out, err
}

// recipient returns the integer of a recipient, and makes one where it has
// none; see the package comment.
func (t *tx) recipient(r string) (int64, error) {
	id, err := t.c.recipientID(r)
	if err != nil || id != 0 {
		return id, err
	}
	w := t.insert(tNames, 0)
	w.text(r)
	id, err = w.done()
	return -id, err
}

// recipientID returns the integer of a recipient; 0 when it has none. Phone
// numbers always have one.
func (c *conn) recipientID(r string) (int64, error) {
	if r == "" {
		return 0, fmt.Errorf("a recipient without a key")
	}
	if id, ok := packed.PhoneID(r); ok {
		return id, nil
	}
	id, _, err := c.queryInt("SELECT id FROM names WHERE name = ?", r)
	return -id, err
}

// otherID returns the integer of the other spelling of a phone number, as
// Mexico and Argentina have; 0 for none. What is known of a person counts in
// both spellings.
func otherID(who int64) int64 {
	if who <= 0 || who >= personBit {
		return 0
	}
	id, _ := packed.PhoneID(message.OtherSpelling(packed.PhoneText(who)))
	return id
}

// recipientText is the inverse of recipientID.
func (c *conn) recipientText(id int64) (string, error) {
	if id > 0 {
		return packed.PhoneText(id), nil
	}
	name := ""
	err := c.each("SELECT name FROM names WHERE id = ?", func(st *sqlite.Stmt) error {
		name = st.ColumnText(0)
		return nil
	}, -id)
	return name, err
}

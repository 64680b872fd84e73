package sqlite

import (
	"fmt"

	"github.com/handbill/handbill/message"
	"zombiezen.com/go/sqlite"
)

// address is the number of a resource's address, given anew when it has none.
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

// addressID is the number of an address; 0 when it has none.
func (c *conn) addressID(a string) (int64, error) {
	id, _, err := c.queryInt("SELECT id FROM addresses WHERE address = ?", a)
	return id, err
}

// addressText is the address of a number; "" for none.
func (c *conn) addressText(id int64) (address string, err error) {
	err = c.each("SELECT address FROM addresses WHERE id = ?", func(st *sqlite.Stmt) error {
		address = st.ColumnText(0)
		return nil
	}, id)
	return address, err
}

// addressNames are all addresses by number.
func (c *conn) addressNames() (map[int64]string, error) {
	return c.textsByID("SELECT id, address FROM addresses")
}

// names are the recipients that are no phone numbers, by number.
func (c *conn) names() (map[int64]string, error) {
	return c.textsByID("SELECT id, name FROM names")
}

func (c *conn) textsByID(query string) (map[int64]string, error) {
	out := map[int64]string{}
	err := c.each(query, func(st *sqlite.Stmt) error {
		out[st.ColumnInt64(0)] = st.ColumnText(1)
		return nil
	})
	return out, err
}

// recipient is the integer of a recipient, given anew when it has none.
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

// recipientID is the integer of a recipient; 0 when it has none.
func (c *conn) recipientID(r string) (int64, error) {
	if r == "" {
		return 0, fmt.Errorf("a recipient without a key")
	}
	if id, ok := phoneID(r); ok {
		return id, nil
	}
	id, _, err := c.queryInt("SELECT id FROM names WHERE name = ?", r)
	return -id, err
}

// otherID is the integer of the other spelling of a recipient's number; 0 where
// it has none. What is known of a person counts in both spellings.
func otherID(who int64) int64 {
	if who <= 0 || who >= personBit {
		return 0
	}
	id, _ := phoneID(message.OtherSpelling(phoneText(who)))
	return id
}

// recipientText is the key that an integer stands for.
func (c *conn) recipientText(id int64) (string, error) {
	if id > 0 {
		return phoneText(id), nil
	}
	name := ""
	err := c.each("SELECT name FROM names WHERE id = ?", func(st *sqlite.Stmt) error {
		name = st.ColumnText(0)
		return nil
	}, -id)
	return name, err
}

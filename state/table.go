package state

import "iter"

// Sent is what a Table knows of one recipient.
type Sent struct {
	Send    Send
	Attempt int      // number of the last attempt
	Digest  [16]byte // of the message of the last attempt
	Code    string   // the provider's code, where the outcome has one
}

// Table is what became of the recipients of one revision of a campaign.
type Table struct {
	slots []entry // open addressing; recipient 0 is free
	mask  uint64
	used  int
	codes []string
	names map[int64]string
	byKey map[string]int64 // the inverse of names
}

type entry struct {
	recipient int64
	digest    [16]byte
	attempt   uint16
	code      uint16 // index into codes
	send      Send
}

// newTable has room for some recipients before it grows.
func newTable(names map[int64]string, room int) *Table {
	size := 16
	for size*3 <= room*4 {
		size *= 2
	}
	t := &Table{slots: make([]entry, size), mask: uint64(size - 1), codes: []string{""}, names: names, byKey: make(map[string]int64, len(names))}
	for id, name := range names {
		t.byKey[name] = -id
	}
	return t
}

// slot mixes a recipient: phone numbers of one country are close together.
func (t *Table) slot(recipient int64) uint64 {
	x := uint64(recipient) * 0x9e3779b97f4a7c15
	return (x ^ x>>29) & t.mask
}

func (t *Table) put(e *entry) {
	if t.used*4 >= len(t.slots)*3 {
		t.grow()
	}
	i := t.slot(e.recipient)
	for t.slots[i].recipient != 0 && t.slots[i].recipient != e.recipient {
		i = (i + 1) & t.mask
	}
	if t.slots[i].recipient == 0 {
		t.used++
	}
	t.slots[i] = *e
}

func (t *Table) grow() {
	old := t.slots
	t.slots = make([]entry, 2*len(old))
	t.mask = uint64(len(t.slots) - 1)
	t.used = 0
	for i := range old {
		if old[i].recipient != 0 {
			t.put(&old[i])
		}
	}
}

// code is the number of a code; there are few.
func (t *Table) code(code string) uint16 {
	for i, c := range t.codes {
		if c == code {
			return uint16(i)
		}
	}
	if len(t.codes) == 1<<16 {
		return 0
	}
	t.codes = append(t.codes, code)
	return uint16(len(t.codes) - 1)
}

// Len is how many recipients there are.
func (t *Table) Len() int { return t.used }

// Lookup is what became of a recipient.
func (t *Table) Lookup(recipient string) (Sent, bool) {
	id, ok := phoneID(recipient)
	if !ok {
		if id, ok = t.byKey[recipient]; !ok {
			return Sent{}, false
		}
	}
	for i := t.slot(id); t.slots[i].recipient != 0; i = (i + 1) & t.mask {
		if t.slots[i].recipient == id {
			return t.sent(&t.slots[i]), true
		}
	}
	return Sent{}, false
}

func (t *Table) sent(e *entry) Sent {
	return Sent{Send: e.send, Attempt: int(e.attempt), Digest: e.digest, Code: t.codes[e.code]}
}

// All are all recipients, in no order.
func (t *Table) All() iter.Seq2[string, Sent] {
	return func(yield func(string, Sent) bool) {
		for i := range t.slots {
			e := &t.slots[i]
			if e.recipient == 0 {
				continue
			}
			key := t.names[-e.recipient]
			if e.recipient > 0 {
				key = phoneText(e.recipient)
			}
			if !yield(key, t.sent(e)) {
				return
			}
		}
	}
}

package sqlite

import (
	"encoding/binary"
	"iter"

	"github.com/handbill/handbill/state"
)

// sentIndex implements state.SentIndex: a hash table with open addressing, read
// only once it is filled. Recipients are integers in it as in the file, and turn
// into text at the caller.
type sentIndex struct {
	parts [indexParts]indexPart
	codes []string
	names map[int64]string
	byKey map[string]int64 // the inverse of names
}

// indexParts is how many parts an index has. Each is filled by a goroutine.
const indexParts = 2

// indexPart holds the recipients whose mixed number begins with the part's bit.
type indexPart struct {
	slots []indexEntry // open addressing; recipient 0 is free
	mask  uint64
	used  int
}

type indexEntry struct {
	recipient int64
	digest    [16]byte
	attempt   uint16
	code      uint16 // index into codes
	send      state.Send
}

// newTable has room for some recipients before it grows.
func newSentIndex(names map[int64]string, room int) *sentIndex {
	size := 16
	for size*3*indexParts <= room*4 {
		size *= 2
	}
	t := &sentIndex{codes: []string{""}, names: names, byKey: make(map[string]int64, len(names))}
	for i := range t.parts {
		t.parts[i] = indexPart{slots: make([]indexEntry, size), mask: uint64(size - 1)}
	}
	for id, name := range names {
		t.byKey[name] = -id
	}
	return t
}

// mix spreads recipients: phone numbers of one country are close together.
func mix(recipient int64) uint64 { return uint64(recipient) * 0x9e3779b97f4a7c15 }

// partOf is the part that a mixed recipient belongs to.
func partOf(x uint64) int { return int(x >> 63) }

func (p *indexPart) slot(x uint64) uint64 { return (x ^ x>>29) & p.mask }

func (p *indexPart) put(e *indexEntry) {
	if p.used*4 >= len(p.slots)*3 {
		p.grow()
	}
	i := p.slot(mix(e.recipient))
	for p.slots[i].recipient != 0 && p.slots[i].recipient != e.recipient {
		i = (i + 1) & p.mask
	}
	if p.slots[i].recipient == 0 {
		p.used++
	}
	p.slots[i] = *e
}

func (p *indexPart) grow() {
	old := p.slots
	p.slots = make([]indexEntry, 2*len(old))
	p.mask = uint64(len(p.slots) - 1)
	p.used = 0
	for i := range old {
		if old[i].recipient != 0 {
			p.put(&old[i])
		}
	}
}

// putBlock puts the recipients of a block that belong to one part.
func (t *sentIndex) putBlock(s *codedBlock, part int) {
	p := &t.parts[part]
	for i, k := range s.kind {
		who := int64(binary.LittleEndian.Uint64(s.recipients[8*i:]))
		if partOf(mix(who)) != part {
			continue
		}
		f := &s.kinds[k]
		p.put(&indexEntry{recipient: who, digest: [16]byte(s.digests[16*i:]),
			attempt: uint16(min(f.attempt, 1<<16-1)), code: s.codes[k], send: f.send})
	}
}

// code is the number of a code; there are few.
func (t *sentIndex) code(code string) uint16 {
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
func (t *sentIndex) Len() int {
	n := 0
	for i := range t.parts {
		n += t.parts[i].used
	}
	return n
}

// Lookup is what became of a recipient.
func (t *sentIndex) Lookup(recipient string) (state.Sent, bool) {
	id, ok := phoneID(recipient)
	if !ok {
		if id, ok = t.byKey[recipient]; !ok {
			return state.Sent{}, false
		}
	}
	x := mix(id)
	p := &t.parts[partOf(x)]
	for i := p.slot(x); p.slots[i].recipient != 0; i = (i + 1) & p.mask {
		if p.slots[i].recipient == id {
			return t.sent(&p.slots[i]), true
		}
	}
	return state.Sent{}, false
}

func (t *sentIndex) sent(e *indexEntry) state.Sent {
	return state.Sent{Send: e.send, Attempt: int(e.attempt), Digest: e.digest, Code: t.codes[e.code]}
}

// All are all recipients, in no order.
func (t *sentIndex) All() iter.Seq2[string, state.Sent] {
	return func(yield func(string, state.Sent) bool) {
		for i := range t.parts {
			for j := range t.parts[i].slots {
				e := &t.parts[i].slots[j]
				if e.recipient != 0 && !yield(t.key(e.recipient), t.sent(e)) {
					return
				}
			}
		}
	}
}

func (t *sentIndex) key(recipient int64) string {
	if recipient > 0 {
		return phoneText(recipient)
	}
	return t.names[-recipient]
}

package sqlite

import (
	"encoding/binary"
	"iter"

	"github.com/handbill/handbill/internal/openmap"
	"github.com/handbill/handbill/state"
)

// sentIndex implements state.SentIndex. It is read only once it is filled.
// Recipients are integers in it as in the file, and turn into text at the caller.
type sentIndex struct {
	parts [indexParts]openmap.Map[indexEntry] // by indexPart of the recipient
	texts []string                            // codes and arms, each once; the first is ""
	names map[int64]string                    // of recipients that are no phone numbers
	byKey map[string]int64                    // the inverse of names
}

// indexParts is how many parts an index has. Each is filled by a goroutine.
const indexParts = 2

// indexEntry is what became of a recipient, in 24 bytes.
type indexEntry struct {
	digest  [16]byte
	attempt uint16
	code    uint16 // index into texts
	arm     uint16 // index into texts
	send    state.Send
}

// newSentIndex has room for some recipients before it grows.
func newSentIndex(names map[int64]string, room int) *sentIndex {
	t := &sentIndex{texts: []string{""}, names: names, byKey: make(map[string]int64, len(names))}
	for i := range t.parts {
		t.parts[i].Reserve(room / indexParts)
	}
	for id, name := range names {
		t.byKey[name] = -id
	}
	return t
}

// indexPart is the part that a recipient belongs to: the highest bit of its mix,
// of which the map uses others.
func indexPart(recipient int64) int { return int(openmap.Mix(uint64(recipient)) >> 63) }

// putBlock puts the recipients of a block that belong to one part.
func (t *sentIndex) putBlock(s *codedBlock, part int) {
	for i, k := range s.kind {
		who := int64(binary.LittleEndian.Uint64(s.recipients[8*i:]))
		if indexPart(who) != part {
			continue
		}
		f := &s.kinds[k]
		e, _ := t.parts[part].Put(uint64(who))
		*e = indexEntry{digest: [16]byte(s.digests[16*i:]), attempt: uint16(min(f.attempt, 1<<16-1)), code: s.codes[k], arm: s.arms[k], send: f.send}
	}
}

// number is the number of a code or an arm; there are few. Where they are too many
// for 16 bits, the rest have none.
func (t *sentIndex) number(text string) uint16 {
	for i, c := range t.texts {
		if c == text {
			return uint16(i)
		}
	}
	if len(t.texts) == 1<<16 {
		return 0
	}
	t.texts = append(t.texts, text)
	return uint16(len(t.texts) - 1)
}

// Len is how many recipients there are.
func (t *sentIndex) Len() (n int) {
	for i := range t.parts {
		n += t.parts[i].Len()
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
	e := t.parts[indexPart(id)].At(uint64(id))
	if e == nil {
		return state.Sent{}, false
	}
	return t.sent(e), true
}

// sent is an entry as callers see it.
func (t *sentIndex) sent(e *indexEntry) state.Sent {
	return state.Sent{Send: e.send, Attempt: int(e.attempt), Digest: e.digest, Code: t.texts[e.code], Arm: t.texts[e.arm]}
}

// All are all recipients, in no order.
func (t *sentIndex) All() iter.Seq2[string, state.Sent] {
	return func(yield func(string, state.Sent) bool) {
		for i := range t.parts {
			for recipient, e := range t.parts[i].All() {
				if !yield(t.key(int64(recipient)), t.sent(e)) {
					return
				}
			}
		}
	}
}

// key is the text of a recipient. Persons have no attempts, so none is looked
// for.
func (t *sentIndex) key(recipient int64) string {
	if recipient > 0 {
		return phoneText(recipient)
	}
	return t.names[-recipient]
}

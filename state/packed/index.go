package packed

import (
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/handbill/handbill/internal/openmap"
	"github.com/handbill/handbill/state"
)

// Index is what became of each recipient of a campaign revision, in memory: some 50
// bytes each. Recipients are numbers in it as in blocks, and turn into text at the
// caller. It is only read once it is filled.
type Index struct {
	parts [parts]openmap.Map[entry] // by part of the recipient
	texts []string                  // codes and arms, each once; the first is ""
	names map[int64]string          // of recipients that are no phone numbers
	byKey map[string]int64          // the inverse of names
}

var _ state.SentIndex = (*Index)(nil)

// parts is how many parts an index has. Each is filled by a goroutine, since filling
// mostly waits for memory.
const parts = 2

// entry is what became of a recipient, in 24 bytes.
type entry struct {
	digest  [16]byte
	attempt uint16
	code    uint16 // index into texts
	arm     uint16 // index into texts
	send    state.Send
}

// New returns an index with room for some recipients before it grows. names are those
// of recipients in blocks without Names: -7 is names[7].
func New(names map[int64]string, room int) *Index {
	x := &Index{texts: []string{""}, names: names, byKey: make(map[string]int64, len(names))}
	if x.names == nil {
		x.names = map[int64]string{}
	}
	for i := range x.parts {
		x.parts[i].Reserve(room / parts)
	}
	for id, name := range names {
		x.byKey[name] = -id
	}
	return x
}

// rename gives the recipients of a block that has names their numbers in the index.
func (x *Index) rename(b *Block) error {
	b.recipients = slices.Clone(b.recipients) // it may be shared
	for i := 0; i < len(b.recipients); i += 8 {
		at := -int64(binary.LittleEndian.Uint64(b.recipients[i:])) - 1
		if at < 0 {
			continue
		}
		if at >= int64(len(b.Names)) {
			return fmt.Errorf("%w: a block of the packed index names a recipient that it does not have", state.ErrDamaged)
		}
		name := b.Names[at]
		id, ok := x.known(name)
		if !ok {
			id = -int64(len(x.names)) - 1
			x.names[-id], x.byKey[name] = name, id
		}
		binary.LittleEndian.PutUint64(b.recipients[i:], uint64(id))
	}
	return nil
}

func (x *Index) known(recipient string) (id int64, ok bool) {
	if id, ok = PhoneID(recipient); !ok {
		id, ok = x.byKey[recipient]
	}
	return id, ok
}

// part is the part that a recipient belongs to: the highest bit of its mix, of which
// the map uses others.
func part(recipient int64) int { return int(openmap.Mix(uint64(recipient)) >> 63) }

// put puts the recipients of a block that belong to one part.
func (x *Index) put(s *coded, in int) {
	for i, k := range s.kind {
		who := int64(binary.LittleEndian.Uint64(s.recipients[8*i:]))
		if part(who) != in {
			continue
		}
		f := &s.kinds[k]
		e, added := x.parts[in].Put(uint64(who))
		if attempt := uint16(min(f.Attempt, 1<<16-1)); added || attempt >= e.attempt {
			*e = entry{digest: [16]byte(s.digests[16*i:]), attempt: attempt, code: s.codes[k], arm: s.arms[k], send: f.Send}
		}
	}
}

// text is the number of a code or an arm; there are few. Where they are too many for
// 16 bits, the rest have none.
func (x *Index) text(text string) uint16 {
	for i, c := range x.texts {
		if c == text {
			return uint16(i)
		}
	}
	if len(x.texts) == 1<<16 {
		return 0
	}
	x.texts = append(x.texts, text)
	return uint16(len(x.texts) - 1)
}

// Len implements state.SentIndex.
func (x *Index) Len() (n int) {
	for i := range x.parts {
		n += x.parts[i].Len()
	}
	return n
}

// Lookup implements state.SentIndex.
func (x *Index) Lookup(recipient string) (state.Sent, bool) {
	id, ok := x.known(recipient)
	if !ok {
		return state.Sent{}, false
	}
	e := x.parts[part(id)].At(uint64(id))
	if e == nil {
		return state.Sent{}, false
	}
	return x.sent(e), true
}

// sent is an entry as callers see it.
func (x *Index) sent(e *entry) state.Sent {
	return state.Sent{Send: e.send, Attempt: int(e.attempt), Digest: e.digest, Code: x.texts[e.code], Arm: x.texts[e.arm]}
}

// All implements state.SentIndex, in no order.
func (x *Index) All() iter.Seq2[string, state.Sent] {
	return func(yield func(string, state.Sent) bool) {
		for i := range x.parts {
			for recipient, e := range x.parts[i].All() {
				if !yield(x.key(int64(recipient)), x.sent(e)) {
					return
				}
			}
		}
	}
}

// key is the text of a recipient.
func (x *Index) key(recipient int64) string {
	if recipient > 0 {
		return PhoneText(recipient)
	}
	return x.names[-recipient]
}

// Filler fills the parts of an index side by side.
type Filler struct {
	x     *Index
	parts [parts]chan *coded
	done  sync.WaitGroup
}

// coded is a block whose codes and arms have the numbers that the index gave them.
type coded struct {
	*Block
	codes, arms []uint16
}

// Filler starts the goroutines that fill the index.
func (x *Index) Filler() *Filler {
	f := &Filler{x: x}
	for i := range f.parts {
		f.parts[i] = make(chan *coded, 4)
		f.done.Go(func() {
			for s := range f.parts[i] {
				x.put(s, i)
			}
		})
	}
	return f
}

// Put puts a block, which nobody may change from then on. Of several attempts at one
// recipient the one with the highest number counts, whatever the order.
func (f *Filler) Put(b *Block) error {
	if len(b.Names) > 0 {
		if err := f.x.rename(b); err != nil {
			return err
		}
	}
	next := &coded{b, make([]uint16, len(b.kinds)), make([]uint16, len(b.kinds))}
	for i := range b.kinds {
		next.codes[i], next.arms[i] = f.x.text(b.kinds[i].Code), f.x.text(b.kinds[i].Arm)
	}
	for _, part := range f.parts {
		part <- next
	}
	return nil
}

// Wait returns the index once everything that was put is in it.
func (f *Filler) Wait() *Index {
	for _, part := range f.parts {
		close(part)
	}
	f.done.Wait()
	return f.x
}

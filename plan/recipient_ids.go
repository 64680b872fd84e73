package plan

import "strings"

// recipientIDs gives each recipient key a 64-bit id; two ids are equal only if
// the keys are. The id of a phone number is its digits; a user id gets the next
// free number when it is first added. It is not safe for concurrent adding.
type recipientIDs struct {
	ids map[string]uint64
}

// idBit marks the ids of user ids: the 18 digits of a number need only 60 bits.
const idBit = 1 << 63

// phoneKey returns the id of an E.164 number such as "+4915112345678"; ok is
// false for anything else.
func phoneKey(s string) (key uint64, ok bool) {
	if len(s) < 2 || len(s) > 19 || s[0] != '+' || s[1] == '0' {
		return 0, false
	}
	for i := 1; i < len(s); i++ {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		key = key*10 + uint64(d)
	}
	return key, true
}

// add returns the id of s and remembers it.
func (k *recipientIDs) add(s string) uint64 {
	if key, ok := phoneKey(s); ok {
		return key
	}
	key, known := k.ids[s]
	if !known {
		if k.ids == nil {
			k.ids = map[string]uint64{}
		}
		key = idBit | uint64(len(k.ids)+1)
		k.ids[strings.Clone(s)] = key // s may be a piece of a larger text
	}
	return key
}

// find returns the id of s; ok is false for a user id that was never added.
func (k *recipientIDs) find(s string) (key uint64, ok bool) {
	if key, ok := phoneKey(s); ok {
		return key, true
	}
	key, ok = k.ids[s]
	return key, ok
}

// openMap maps ids to small values by open addressing. Each entry takes at most
// 8/3 of the size of a value and an id. The zero value is empty and ready.
type openMap[V any] struct {
	slots []slot[V]
	n     int
}

type slot[V any] struct {
	val V      // first, so that an empty one takes no room
	key uint64 // 0 for a free slot: no number is 0
}

// at returns a pointer to key's value, nil when there is none. It is valid until
// the next put.
func (t *openMap[V]) at(key uint64) *V {
	if t.n == 0 {
		return nil
	}
	if s := t.slot(key); s.key == key {
		return &s.val
	}
	return nil
}

// put returns a pointer to key's value and adds a zero value when there is none;
// added says whether it did.
func (t *openMap[V]) put(key uint64) (val *V, added bool) {
	if 4*(t.n+1) > 3*len(t.slots) {
		t.grow()
	}
	s := t.slot(key)
	if s.key == key {
		return &s.val, false
	}
	s.key = key
	t.n++
	return &s.val, true
}

// slot returns the slot that holds key, or the free one where it belongs.
func (t *openMap[V]) slot(key uint64) *slot[V] {
	mask := uint64(len(t.slots) - 1)
	// Fibonacci hashing: consecutive numbers spread over the whole table.
	i := (key * 0x9E3779B97F4A7C15) >> 17 & mask
	for t.slots[i].key != key && t.slots[i].key != 0 {
		i = (i + 1) & mask
	}
	return &t.slots[i]
}

// reserve makes room for n recipients in an empty table.
func (t *openMap[V]) reserve(n int) {
	size := 64
	for 3*size < 4*(n+1) {
		size *= 2
	}
	if t.n == 0 {
		t.slots = make([]slot[V], size)
	}
}

func (t *openMap[V]) grow() {
	old := t.slots
	t.slots = make([]slot[V], max(64, 2*len(old)))
	for i := range old {
		if old[i].key != 0 {
			*t.slot(old[i].key) = old[i]
		}
	}
}

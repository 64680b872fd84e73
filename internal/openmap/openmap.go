// Package openmap maps 64-bit ids of recipients to small values. Plans for
// millions of recipients keep a handful of such maps, and Go's own map takes two
// to five times as long to fill and query
// (docs/decisions/0055-by-hand-and-by-library.md).
//
//	var seen openmap.Map[struct{}]
//	_, added := seen.Put(4915112345678)
package openmap

import "iter"

// Map is a hash table with open addressing. An entry takes at most 8/3 of the
// size of a value and a key. The zero value is empty and ready. It is safe for
// concurrent reading; one goroutine at a time may write.
type Map[V any] struct {
	slots []slot[V]
	n     int
}

type slot[V any] struct {
	val V      // first, so that an empty one takes no space
	key uint64 // 0 for a free slot
}

// Len is the number of keys.
func (m *Map[V]) Len() int { return m.n }

// At returns a pointer to the value of key, nil if there is none. It is valid
// until the next Put.
func (m *Map[V]) At(key uint64) *V {
	if m.n == 0 {
		return nil
	}
	if s := m.slot(key); s.key == key {
		return &s.val
	}
	return nil
}

// Put returns a pointer to the value of key, which must not be 0, and adds a
// zero value if there is none; added says whether it did. The pointer is valid
// until the next Put.
func (m *Map[V]) Put(key uint64) (val *V, added bool) {
	if 4*(m.n+1) > 3*len(m.slots) {
		m.grow()
	}
	s := m.slot(key)
	if s.key == key {
		return &s.val, false
	}
	s.key = key
	m.n++
	return &s.val, true
}

// Reserve makes room for n keys in an empty map.
func (m *Map[V]) Reserve(n int) {
	size := 64
	for 3*size < 4*(n+1) {
		size *= 2
	}
	if m.n == 0 {
		m.slots = make([]slot[V], size)
	}
}

// All iterates over keys and values in no order.
func (m *Map[V]) All() iter.Seq2[uint64, *V] {
	return func(yield func(uint64, *V) bool) {
		for i := range m.slots {
			if s := &m.slots[i]; s.key != 0 && !yield(s.key, &s.val) {
				return
			}
		}
	}
}

// Mix spreads the keys, most of which are phone numbers of one country, over all
// 64-bit numbers (Fibonacci hashing).
func Mix(key uint64) uint64 { return key * 0x9E3779B97F4A7C15 }

// slot returns the slot that holds key, or the free one where it belongs.
func (m *Map[V]) slot(key uint64) *slot[V] {
	mask := uint64(len(m.slots) - 1)
	i := Mix(key) >> 17 & mask
	for m.slots[i].key != key && m.slots[i].key != 0 {
		i = (i + 1) & mask
	}
	return &m.slots[i]
}

func (m *Map[V]) grow() {
	old := m.slots
	m.slots = make([]slot[V], max(64, 2*len(old)))
	for i := range old {
		if old[i].key != 0 {
			*m.slot(old[i].key) = old[i]
		}
	}
}

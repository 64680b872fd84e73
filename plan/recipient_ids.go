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

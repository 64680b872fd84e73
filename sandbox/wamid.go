package sandbox

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"strings"
	"time"
)

// Message ids look like Meta's: base64 of a small binary envelope around the
// other party's digits and twenty hex digits. The hex digits encode the request's
// number and its second, so a poll can be answered from the id alone, even by a
// sandbox that is started later with the same seed.

const (
	mixA, mixAInverse = 0x9e3779b97f4a7c15, 0xf1de83e19937733d
	mixB, mixBInverse = 0xbf58476d1ce4e5b9, 0x96de1b173f119089
)

// mix is a bijection of 64-bit numbers, chosen by key.
func mix(x, key uint64) uint64 {
	x = (x ^ key) * mixA
	x = (x ^ x>>32) * mixB
	return x ^ x>>32
}

func unmix(x, key uint64) uint64 {
	x = (x ^ x>>32) * mixBInverse
	x = (x ^ x>>32) * mixAInverse
	return x ^ key
}

// roll returns a number that is uniform in [0, 1) and depends only on its
// arguments.
func roll(key uint64, salt uint64, n uint64) float64 {
	return float64(mix(mix(n, key)+salt, ^key)>>11) / (1 << 53)
}

func hashString(key uint64, s string) uint64 {
	h := fnv.New64a()
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], key)
	h.Write(b[:])
	h.Write([]byte(s))
	return mix(h.Sum64(), key)
}

// messageID returns the wamid of request n at second at, to or from digits.
func messageID(key uint64, digits string, n uint32, at time.Time) string {
	if len(digits) > 31 {
		digits = digits[:31]
	}
	var tail [10]byte
	binary.BigEndian.PutUint64(tail[:8], mix(uint64(n)<<32|uint64(uint32(at.Unix())), key))
	binary.BigEndian.PutUint16(tail[8:], uint16(hashString(key, digits+string(tail[:8]))))
	b := make([]byte, 0, 72)
	b = append(b, 0x1c, 0x18, byte(len(digits)))
	b = append(b, digits...)
	b = append(b, 0x15, 0x02, 0x00, 0x11, 0x18, 20)
	b = append(b, strings.ToUpper(hex.EncodeToString(tail[:]))...)
	b = append(b, 0)
	return "wamid." + base64.StdEncoding.EncodeToString(b)
}

// parseMessageID decodes an id made by messageID; ok is false for any other id.
func parseMessageID(key uint64, id string) (digits string, n uint32, at time.Time, ok bool) {
	raw, found := strings.CutPrefix(id, "wamid.")
	b, err := base64.StdEncoding.DecodeString(raw)
	if !found || err != nil || len(b) < 30 || len(b) != 3+int(b[2])+6+20+1 {
		return "", 0, time.Time{}, false
	}
	digits = string(b[3 : 3+b[2]])
	tail, err := hex.DecodeString(string(b[len(b)-21 : len(b)-1]))
	if err != nil || binary.BigEndian.Uint16(tail[8:]) != uint16(hashString(key, digits+string(tail[:8]))) {
		return "", 0, time.Time{}, false
	}
	v := unmix(binary.BigEndian.Uint64(tail[:8]), key)
	return digits, uint32(v >> 32), time.Unix(int64(uint32(v)), 0).UTC(), true
}

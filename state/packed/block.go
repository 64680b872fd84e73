// Package packed is the packed index: what was sent of a campaign, in blocks of 25
// bytes a delivery. A plan reads a million deliveries from some hundred blocks
// instead of two million rows. The stores write blocks, keep them beside the rows,
// which stay the truth, and drop a block when a row that it covers changes.
package packed

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/handbill/handbill/state"
)

// Block says what became of the attempts of one campaign revision between two ids.
// It holds only attempts that have an outcome, so a new row never belongs to one.
// The zero value is empty and ready.
//
// A recipient is a number: PhoneID of a phone number, or below zero for another
// text: -7 is the seventh of Names, or what the store knows under 7 if that is nil.
//
// Facts, the bytes that a store keeps, are one after another:
//
//	number of kinds                              uvarint
//	for each kind: send, attempt, length of code uvarint each
//	               code                          text; with an arm, code, a zero byte, and the arm
//	for each attempt, by id: its kind            1 byte
//	for each attempt, by id: its recipient       8 bytes, little endian
//	for each attempt, by id: its digest          16 bytes
//
// Three first attempts of which the last was refused with code 131026 are
// 2 kinds, {accepted, 1, ""} and {rejected, 1, "131026"}, and then the bytes
// 0 0 1, three recipients and three digests.
type Block struct {
	First, Last int64 // ids of attempts
	Names       []string
	kinds       []Fact // each once
	kind        []byte // of each attempt, an index into kinds
	recipients  []byte // 8 bytes each
	digests     []byte // 16 bytes each
}

// Fact is a kind of attempt: nearly all attempts of a campaign share a few.
type Fact struct {
	Send    state.Send // how the delivery stands
	Attempt int        // its number, from 1
	Code    string     // of the provider
	Arm     string     // of the campaign's experiment
}

// armMark stands between a code and an arm; neither holds it.
const armMark = "\x00"

// text is the code and the arm as they are written.
func (f *Fact) text() string {
	if f.Arm == "" {
		return f.Code
	}
	return f.Code + armMark + f.Arm
}

// Size bounds how many attempts a block covers.
type Size struct{ Least, Most int }

// Usual is the size of blocks outside of tests. Fewer are read quickly from the
// rows; packing more in one transaction would keep other writers waiting.
var Usual = Size{Least: 2048, Most: 8192}

// maxKinds is how many kinds one byte can number.
const maxKinds = 256

// Len is the number of attempts.
func (b *Block) Len() int { return len(b.kind) }

// Add appends an attempt, whose digest has 16 bytes and whose id is above the last
// one. It reports false, and adds nothing, when the block is full.
func (b *Block) Add(id, recipient int64, digest []byte, f Fact, most int) bool {
	kind := -1
	for i := range b.kinds {
		if b.kinds[i] == f {
			kind = i
			break
		}
	}
	if len(b.kind) == most || kind < 0 && len(b.kinds) == maxKinds {
		return false
	}
	if kind < 0 {
		kind = len(b.kinds)
		b.kinds = append(b.kinds, f)
	}
	if len(b.kind) == 0 {
		b.First = id
	}
	b.Last = id
	b.kind = append(b.kind, byte(kind))
	b.recipients = binary.LittleEndian.AppendUint64(b.recipients, uint64(recipient))
	b.digests = append(b.digests, digest...)
	return true
}

// Number returns the number of a recipient for the next Add. A text that is no phone
// number it adds to Names.
func (b *Block) Number(recipient string) int64 {
	if id, ok := PhoneID(recipient); ok {
		return id
	}
	b.Names = append(b.Names, recipient)
	return -int64(len(b.Names))
}

// Facts encodes the block, but for First, Last and Names.
func (b *Block) Facts() []byte {
	out := binary.AppendUvarint(nil, uint64(len(b.kinds)))
	for i := range b.kinds {
		f, text := &b.kinds[i], b.kinds[i].text()
		out = binary.AppendUvarint(out, uint64(f.Send))
		out = binary.AppendUvarint(out, uint64(f.Attempt))
		out = binary.AppendUvarint(out, uint64(len(text)))
		out = append(out, text...)
	}
	return append(append(append(out, b.kind...), b.recipients...), b.digests...)
}

// Unpack decodes the facts of a block of n attempts. It
// checks every length and number, since the facts may be damaged; the error wraps
// state.ErrDamaged then. The block shares the memory of facts.
func Unpack(facts []byte, n int) (*Block, error) {
	b := &Block{}
	number := func() int {
		v, size := binary.Uvarint(facts)
		if size <= 0 || v > math.MaxInt32 {
			facts = nil
			return -1
		}
		facts = facts[size:]
		return int(v)
	}
	for range min(number(), maxKinds) {
		f := Fact{Send: state.Send(number()), Attempt: number()}
		size := number()
		if size < 0 || size > len(facts) {
			return nil, fmt.Errorf("%w: a block of the packed index cannot be read", state.ErrDamaged)
		}
		f.Code, f.Arm, _ = strings.Cut(string(facts[:size]), armMark)
		facts = facts[size:]
		b.kinds = append(b.kinds, f)
	}
	if n < 0 || len(facts) != n*(1+8+16) {
		return nil, fmt.Errorf("%w: a block of the packed index has another length than was written", state.ErrDamaged)
	}
	b.kind, b.recipients, b.digests = facts[:n], facts[n:9*n], facts[9*n:]
	for _, k := range b.kind {
		if int(k) >= len(b.kinds) {
			return nil, fmt.Errorf("%w: a block of the packed index names a kind that it does not have", state.ErrDamaged)
		}
	}
	return b, nil
}

// PhoneID returns the number of a phone number: 4915112345678 for
// "+4915112345678". ok is false for any text that PhoneText would not give back.
func PhoneID(recipient string) (id int64, ok bool) {
	if len(recipient) < 2 || len(recipient) > 19 || recipient[0] != '+' || recipient[1] == '0' {
		return 0, false
	}
	for _, c := range []byte(recipient[1:]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		id = id*10 + int64(c-'0')
	}
	return id, true
}

// PhoneText is the inverse of PhoneID.
func PhoneText(id int64) string { return "+" + strconv.FormatInt(id, 10) }

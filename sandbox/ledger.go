package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"
)

// entry is one POST in the ledger, packed: a million of them fit into a few
// hundred megabytes.
type entry struct {
	at     int64 // Unix nanoseconds
	number *number
	to     string
	ref    string
	word   string // a provider's own code
	digest uint64
	code   int32 // Meta's code of a refusal
	fails  int32 // Meta's code with which an accepted message fails later
	http   int16 // 0: no answer was given
	kind   uint8
	taken  bool
	fault  bool
}

// Entry is one POST that reached the network, and what became of it. The JSON
// form is a line of GET /_sandbox/ledger and of Options.Journal.
type Entry struct {
	N         uint32    `json:"n"` // counts POSTs from 1
	At        time.Time `json:"at"`
	Provider  Provider  `json:"provider"`
	Number    string    `json:"number"`
	To        string    `json:"to"`
	Kind      string    `json:"kind"`             // Meta's type, or its interactive type
	Ref       string    `json:"ref,omitempty"`    // the sender's reference
	Digest    string    `json:"digest,omitempty"` // of the message without recipient and reference
	Accepted  bool      `json:"accepted"`         // the network took it, whatever it answered
	ID        string    `json:"id,omitempty"`     // the wamid of an accepted message
	HTTP      int       `json:"http"`             // 0: no answer was given
	Code      string    `json:"code,omitempty"`   // of a refusal
	Fails     int       `json:"fails,omitempty"`  // Meta's code of the later failure
	Scripted  bool      `json:"scripted,omitempty"`
	Duplicate bool      `json:"duplicate,omitempty"` // same number, recipient and message were accepted before
}

const chunk = 4096

type ledger struct {
	mu       sync.RWMutex
	chunks   [][]entry
	n        uint32
	kinds    []string
	kindOf   map[string]uint8
	taken    map[uint64]uint32 // accepted, by number, recipient and message
	accepted uint64
	doubles  uint64
	extras   map[uint32][2]string // Kaleyra's ref1 and ref2
	journal  io.Writer
}

func newLedger(journal io.Writer) *ledger {
	return &ledger{kindOf: map[string]uint8{}, taken: map[uint64]uint32{}, extras: map[uint32][2]string{}, journal: journal}
}

// open reserves the next number.
func (l *ledger) open(num *number, at time.Time) uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if int(l.n)%chunk == 0 {
		l.chunks = append(l.chunks, make([]entry, 0, chunk))
	}
	last := &l.chunks[len(l.chunks)-1]
	*last = append(*last, entry{at: at.UnixNano(), number: num})
	l.n++
	return l.n
}

func (l *ledger) at(n uint32) *entry { return &l.chunks[(n-1)/chunk][(n-1)%chunk] }

func (l *ledger) entry(n uint32) (entry, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if n == 0 || n > l.n {
		return entry{}, false
	}
	return *l.at(n), true
}

func (l *ledger) extra(n uint32) [2]string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.extras[n]
}

// describe fills in the entry from the request.
func (l *ledger) describe(n uint32, o *outbound) {
	d := digest(o)
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.at(n)
	e.to, e.ref, e.digest = o.to, o.ref, d
	k, known := l.kindOf[o.kind]
	if !known && len(l.kinds) < 255 {
		l.kinds = append(l.kinds, o.kind)
		k = uint8(len(l.kinds))
		l.kindOf[o.kind] = k
	}
	e.kind = k
	if o.refs != ([2]string{}) {
		l.extras[n] = o.refs
	}
}

// take records the acceptance and reports whether it was a duplicate.
func (l *ledger) take(n uint32, fails int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.at(n)
	e.taken, e.fails = true, int32(fails)
	key := hashString(e.digest, e.to+"\x00"+string(e.number.provider)+"/"+e.number.id)
	l.accepted++
	l.taken[key]++
	if l.taken[key] > 1 {
		l.doubles++
		return true
	}
	return false
}

// close records the answer and writes the journal's line.
func (l *ledger) close(n uint32, v verdict, key uint64) error {
	l.mu.Lock()
	e := l.at(n)
	e.http, e.fault = int16(v.answer.status), v.scripted
	if v.refusal != nil {
		e.code, e.word = int32(v.refusal.code), v.refusal.word
	}
	kept := *e
	l.mu.Unlock()
	if l.journal == nil {
		return nil
	}
	out := l.export(n, kept, key)
	out.Duplicate = v.double
	line, err := json.Marshal(out)
	if err != nil {
		return err
	}
	if _, err := l.journal.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("sandbox journal: %w", err)
	}
	return nil
}

func (l *ledger) export(n uint32, e entry, key uint64) Entry {
	at := time.Unix(0, e.at).UTC()
	out := Entry{
		N: n, At: at, Provider: e.number.provider, Number: e.number.id, To: e.to, Ref: e.ref,
		Accepted: e.taken, HTTP: int(e.http), Fails: int(e.fails), Scripted: e.fault, Code: e.word,
	}
	if e.kind > 0 {
		l.mu.RLock()
		out.Kind = l.kinds[e.kind-1]
		l.mu.RUnlock()
	}
	if e.digest != 0 {
		out.Digest = fmt.Sprintf("%016x", e.digest)
	}
	if e.code != 0 && e.word == "" {
		out.Code = strconv.Itoa(int(e.code))
	}
	if e.taken {
		out.ID = messageID(key, digitsOf(e.to), n, at)
	}
	return out
}

// digest depends on the message alone, not on its recipient or reference.
func digest(o *outbound) uint64 {
	h := sha256.New()
	h.Write([]byte(o.typ))
	h.Write([]byte{0})
	h.Write(o.content)
	var sum [32]byte
	return binary.BigEndian.Uint64(h.Sum(sum[:0])) | 1
}

// Ledger calls yield with every POST so far, in order, until it returns false.
func (s *Sandbox) Ledger(yield func(Entry) bool) {
	seen := map[uint64]bool{}
	for n := uint32(1); ; n++ {
		e, ok := s.ledger.entry(n)
		if !ok {
			return
		}
		out := s.ledger.export(n, e, s.key)
		if e.taken {
			key := hashString(e.digest, e.to+"\x00"+string(e.number.provider)+"/"+e.number.id)
			out.Duplicate = seen[key]
			seen[key] = true
		}
		if !yield(out) {
			return
		}
	}
}

// Totals are counts over the whole ledger.
type Totals struct {
	Posts      uint64 `json:"posts"`
	Accepted   uint64 `json:"accepted"`
	Duplicates uint64 `json:"duplicates"` // accepted again: same number, recipient and message
	Webhooks   uint64 `json:"webhooks"`   // delivered and answered with 2xx
	Undeliv    uint64 `json:"undelivered"`
	Pending    int    `json:"pending"`
}

// Totals counts what was received, accepted and accepted twice, and the
// webhooks that went out, were given up, and wait.
func (s *Sandbox) Totals() Totals {
	s.ledger.mu.RLock()
	t := Totals{Posts: uint64(s.ledger.n), Accepted: s.ledger.accepted, Duplicates: s.ledger.doubles}
	s.ledger.mu.RUnlock()
	t.Webhooks, t.Undeliv, t.Pending = s.out.counts()
	return t
}

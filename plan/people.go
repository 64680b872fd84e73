package plan

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"sync"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// person is what the gates need of state.Person, in 16 bytes. Times are Unix
// seconds, 0 for none.
type person struct {
	inbound  uint32
	ends     uint32 // the end of the window, where the state knows it
	cooldown uint32 // no marketing before it
	optedOut bool
}

// known is what the state knows of people. After loading it is safe for
// concurrent reading.
type known struct {
	keys   keys
	people table[person]
	erased func(string) bool
}

func loadKnown(ctx context.Context, snap Snapshot) (*known, error) {
	k := &known{erased: func(string) bool { return false }}
	if snap == nil {
		return k, nil
	}
	for p, err := range snap.People(ctx) {
		if err != nil {
			return nil, fmt.Errorf("reading people from the state: %w", err)
		}
		to, _ := k.people.put(k.keys.add(message.Canonical(p.Recipient)))
		to.join(person{inbound: seconds(p.LastInbound), ends: seconds(p.WindowEnds), cooldown: seconds(p.Cooldown), optedOut: p.OptedOut})
	}
	erased, err := snap.Erased(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading who was erased from the state: %w", err)
	}
	k.erased = erased
	return k, nil
}

// join adds what is known of the same person under another spelling of the
// number.
func (p *person) join(o person) {
	if o.inbound >= p.inbound {
		p.inbound, p.ends = o.inbound, o.ends
	}
	p.cooldown = max(p.cooldown, o.cooldown)
	p.optedOut = p.optedOut || o.optedOut
}

// of is what is known of one recipient, whose key is also a number where id is
// not 0; the zero person for a stranger.
func (k *known) of(key string, id uint64) person {
	if id == 0 {
		if id = k.keys.ids[key]; id == 0 {
			return person{}
		}
	}
	if p := k.people.at(id); p != nil {
		return *p
	}
	return person{}
}

func seconds(t time.Time) uint32 {
	if t.IsZero() || t.Unix() < 0 {
		return 0
	}
	return uint32(min(t.Unix(), 1<<32-1))
}

// window is what is known of p's window. claimed is when the audience says that
// the person wrote last.
func (p person) window(claimed, at time.Time) delivery.Window {
	w := delivery.Window{Inbound: int64(p.inbound) * 1000}
	if ends := int64(p.ends) * 1000; ends != 0 && (w.Inbound == 0 || ends < w.Inbound+delivery.WindowLength.Milliseconds()) {
		w.Shut = ends
	}
	if !claimed.IsZero() {
		w = w.Claim(claimed.Unix()*1000, at.UnixMilli())
	}
	return w
}

// sends counts what recipients were sent, for frequency caps.
type sends struct {
	keys   keys
	counts table[uint32]
}

func (s *sends) add(key string) {
	n, _ := s.counts.put(s.keys.add(key))
	*n++
}

func (s *sends) of(key string) int {
	if s == nil {
		return 0
	}
	if id, ok := s.keys.find(key); ok {
		if n := s.counts.at(id); n != nil {
			return int(*n)
		}
	}
	return 0
}

// loadSends counts what the state says was sent within a cap's period.
func loadSends(ctx context.Context, snap Snapshot, since time.Time) (*sends, error) {
	s := &sends{}
	if snap == nil {
		return s, nil
	}
	for r, err := range snap.RecentSends(ctx, since) {
		if err != nil {
			return nil, fmt.Errorf("reading recent sends from the state: %w", err)
		}
		s.add(message.Canonical(r.Recipient))
	}
	return s, nil
}

// noTable is the index of a campaign that nobody was sent.
type noTable struct{}

func (noTable) Len() int                         { return 0 }
func (noTable) Lookup(string) (state.Sent, bool) { return state.Sent{}, false }
func (noTable) All() iter.Seq2[string, state.Sent] {
	return func(func(string, state.Sent) bool) {}
}

// bodyMeter counts the code points of a message's main text for a recipient's
// values.
type bodyMeter struct {
	constant int
	slots    []int
}

// newBodyMeter finds the body, or the caption of a message without one.
func newBodyMeter(d *message.Draft) bodyMeter {
	var path string
	var text *string
	message.Fields(d.Message, func(f message.Field) {
		if f.Path == "body" || f.Path == "caption" && path == "" {
			path, text = f.Path, f.Text
		}
	})
	if path == "" {
		return bodyMeter{}
	}
	m := bodyMeter{constant: message.CodePoints(*text)}
	for _, b := range d.Bindings {
		if b.Path != path {
			continue
		}
		for _, p := range b.Parts {
			if p.Slot >= 0 {
				m.slots = append(m.slots, p.Slot)
			} else {
				m.constant += message.CodePoints(p.Text)
			}
		}
	}
	return m
}

func (m bodyMeter) length(values []string) int {
	n := m.constant
	for _, s := range m.slots {
		n += message.CodePoints(values[s])
	}
	return n
}

// aliases finds a recipient whose number the state has in another spelling:
// with or without Brazil's ninth digit and the like.
type aliases struct {
	table state.SentIndex
	once  sync.Once
	keys  table[uint64] // canonical number → the state's spelling; made when it is first needed
}

// mayAlias reports whether a number can have two spellings: those of Brazil,
// Mexico and Argentina. It spares the others the work.
func mayAlias(key string) bool {
	return len(key) > 3 && key[0] == '+' && key[1] == '5' && (key[2] == '5' || key[2] == '2' || key[2] == '4')
}

func (a *aliases) load() {
	for key := range a.table.All() {
		if !mayAlias(key) {
			continue
		}
		canonical, ok := phoneKey(message.Canonical(key))
		spelling, plain := phoneKey(key)
		if !ok || !plain {
			continue
		}
		to, added := a.keys.put(canonical)
		// Of two spellings the smaller stands for both, in any order of All.
		if added || spelling < *to {
			*to = spelling
		}
	}
}

// lookup finds a recipient by the number as it is, or by the spelling that the
// state has; it returns the key under which it was found.
func (a *aliases) lookup(key, canonical string) (state.Sent, string, bool) {
	if sent, ok := a.table.Lookup(key); ok {
		return sent, key, true
	}
	if !mayAlias(key) {
		return state.Sent{}, key, false
	}
	id, ok := phoneKey(canonical)
	if !ok {
		return state.Sent{}, key, false
	}
	a.once.Do(a.load)
	spelling := a.keys.at(id)
	if spelling == nil {
		return state.Sent{}, key, false
	}
	key = "+" + strconv.FormatUint(*spelling, 10)
	sent, ok := a.table.Lookup(key)
	return sent, key, ok
}

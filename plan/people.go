package plan

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/internal/openmap"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// person holds the part of state.Person that the gates need, in 12 bytes. Times
// are Unix seconds, 0 for none.
type person struct {
	shut     uint32 // when all windows were found closed
	cooldown uint32 // no marketing before it
	optedOut bool
}

// window is a delivery.Window in Unix seconds.
type window struct{ inbound, shut uint32 }

// windows holds the 24-hour windows at one sending number.
type windows struct {
	people openmap.Map[window]
}

// known holds what the state knows about people. Once loaded it is safe for
// concurrent reads.
type known struct {
	ids     recipientIDs
	ties    *ties // nil where nobody has several ids
	people  openmap.Map[person]
	windows map[string]*windows // by sending number
	erased  func(string) bool
}

// loadKnown reads what the state knows of people, for all campaigns.
func loadKnown(ctx context.Context, snap Snapshot) (*known, error) {
	k := &known{windows: map[string]*windows{}, erased: func(string) bool { return false }}
	if snap == nil {
		return k, nil
	}
	var err error
	if k.ties, err = loadTies(ctx, snap); err != nil {
		return nil, err
	}
	for p, err := range snap.People(ctx) {
		if err != nil {
			return nil, fmt.Errorf("reading people from the state: %w", err)
		}
		to, _ := k.people.Put(k.ids.add(message.Canonical(p.Recipient)))
		to.join(person{shut: seconds(p.Shut), cooldown: seconds(p.Cooldown), optedOut: p.OptedOut})
	}
	erased, err := snap.Erased(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading who was erased from the state: %w", err)
	}
	k.erased = erased
	return k, nil
}

// join merges what is known about the same person under another spelling of
// their number.
func (p *person) join(o person) {
	p.shut = max(p.shut, o.shut)
	p.cooldown = max(p.cooldown, o.cooldown)
	p.optedOut = p.optedOut || o.optedOut
}

// at returns the windows at a sending number and reads them only once.
func (k *known) at(ctx context.Context, snap Snapshot, number string) (*windows, error) {
	if w, ok := k.windows[number]; ok || snap == nil {
		return w, nil
	}
	w := &windows{}
	for p, err := range snap.Windows(ctx, number) {
		if err != nil {
			return nil, fmt.Errorf("reading the windows at %s from the state: %w", number, err)
		}
		to, _ := w.people.Put(k.ids.add(message.Canonical(p.Recipient)))
		to.inbound = max(to.inbound, uint32(p.Window.Inbound/1000))
		to.shut = max(to.shut, uint32((p.Window.Shut+999)/1000))
	}
	k.windows[number] = w
	return w, nil
}

// id returns the id under which a recipient is known, 0 for a stranger. The
// caller passes the id of a phone number when it has it already, else 0.
func (k *known) id(key string, id uint64) uint64 {
	if id == 0 {
		id = k.ids.ids[key]
	}
	return id
}

// of returns what is known about the recipient with this id; the zero person for
// a stranger.
func (k *known) of(id uint64) person {
	if p := k.people.At(id); p != nil && id != 0 {
		return *p
	}
	return person{}
}

// seconds is a time in 32 bits, good until 2106; 0 for none. It keeps tables of
// millions of people small.
func seconds(t time.Time) uint32 {
	if t.IsZero() || t.Unix() < 0 {
		return 0
	}
	return uint32(min(t.Unix(), 1<<32-1))
}

// window returns a person's window at the sending number, from what the state
// knows about this number and about all numbers, and from the time at which the
// audience says that they last wrote.
func (w *windows) window(id uint64, p person, claimed, at time.Time) delivery.Window {
	known := delivery.Window{Shut: int64(p.shut) * 1000}
	if w != nil && id != 0 {
		if here := w.people.At(id); here != nil {
			known = known.Join(delivery.Window{Inbound: int64(here.inbound) * 1000, Shut: int64(here.shut) * 1000})
		}
	}
	if !claimed.IsZero() {
		known = known.Claim(claimed.Unix()*1000, at.UnixMilli())
	}
	return known
}

// sends counts what recipients were sent, for frequency caps.
type sends struct {
	ids    recipientIDs
	counts openmap.Map[uint32]
}

// add counts a message to somebody.
func (s *sends) add(key string) {
	n, _ := s.counts.Put(s.ids.add(key))
	*n++
}

// of returns how many messages somebody got.
func (s *sends) of(key string) int {
	if s == nil {
		return 0
	}
	if id, ok := s.ids.find(key); ok {
		if n := s.counts.At(id); n != nil {
			return int(*n)
		}
	}
	return 0
}

// loadSends counts the messages that were sent within a cap's period.
func loadSends(ctx context.Context, snap Snapshot, who *ties, since time.Time) (*sends, error) {
	s := &sends{}
	if snap == nil {
		return s, nil
	}
	for r, err := range snap.RecentSends(ctx, since) {
		if err != nil {
			return nil, fmt.Errorf("reading recent sends from the state: %w", err)
		}
		key := message.Canonical(r.Recipient)
		s.add(who.person(key))
		for _, earlier := range who.earlier(key) {
			s.add(earlier)
		}
	}
	return s, nil
}

// noTable is the index of a campaign without deliveries.
type noTable struct{}

func (noTable) Len() int                         { return 0 }
func (noTable) Lookup(string) (state.Sent, bool) { return state.Sent{}, false }
func (noTable) All() iter.Seq2[string, state.Sent] {
	return func(func(string, state.Sent) bool) {}
}

// bodyMeter counts the code points of a message's main text, given a recipient's
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

// length returns the length of the body with these values, in code points.
func (m bodyMeter) length(values []string) int {
	n := m.constant
	for _, s := range m.slots {
		n += message.CodePoints(values[s])
	}
	return n
}

// aliases finds deliveries to a recipient under another spelling of their number,
// such as a number of Brazil with or without its ninth digit, or under another id.
type aliases struct {
	table state.SentIndex
	ties  *ties
	found sync.Once
	other map[string][]string // person → their keys in the table, for people with several ids
}

// lookup finds the delivery to a person, by the recipient's own key, or by another
// id of theirs if that delivery is further along. It returns the state's spelling
// of the recipient's key.
func (a *aliases) lookup(key, person string) (state.Sent, string, bool) {
	sent, spelling, had := a.spelled(key)
	if a.ties == nil {
		return sent, spelling, had
	}
	a.found.Do(a.loadOthers)
	for _, other := range a.other[person] {
		o, ok := a.table.Lookup(other)
		if ok && attempt(o).Over(attempt(sent)) {
			sent, had = o, true
		}
	}
	return sent, spelling, had
}

// attempt is a delivery as the rules of sending once take it.
func attempt(s state.Sent) delivery.Attempt { return delivery.Attempt{Number: s.Attempt, Send: s.Send} }

// loadOthers finds the deliveries of people with several ids.
func (a *aliases) loadOthers() {
	a.other = map[string][]string{}
	for key := range a.table.All() {
		own := message.Canonical(key)
		if !a.ties.has(own) {
			continue
		}
		for _, person := range append(a.ties.earlier(own), a.ties.person(own)) {
			a.other[person] = append(a.other[person], key)
		}
	}
}

// spelled finds a recipient by the number as it is or by its other spelling,
// whichever says more, and returns the key that it found.
func (a *aliases) spelled(key string) (state.Sent, string, bool) {
	sent, had := a.table.Lookup(key)
	other := message.OtherSpelling(key)
	if other == "" {
		return sent, key, had
	}
	if o, ok := a.table.Lookup(other); ok && (!had || attempt(o).Over(attempt(sent))) {
		return o, other, true
	}
	return sent, key, had
}

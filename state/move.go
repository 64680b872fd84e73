package state

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Movable is a store that can be moved to another kind of store.
type Movable interface {
	Store
	// Items reads everything that the state holds at one moment.
	Items(ctx context.Context) iter.Seq2[Item, error]
	// MoveAway gives everything that the state holds to take, which keeps it elsewhere. Nobody writes to the state
	// meanwhile. When take returns nil the state is sealed: it is halted with MovingTo(to). When take fails, nothing is
	// changed. A halted state is refused with a *HaltError, unless it is being moved to the same place already.
	MoveAway(ctx context.Context, to, who string, take func(iter.Seq2[Item, error]) error) error
	// Moved notes in a state that was sealed by MoveAway that the other place is in use now: its halt becomes MovedTo(to).
	Moved(ctx context.Context, to string) error
}

// Draft is a state that is being filled at a place where there was none. No command uses it before Publish.
type Draft interface {
	// Add keeps items, in the order of a stream, in one durable transaction.
	Add(ctx context.Context, items []Item) error
	// Items reads back what was added.
	Items(ctx context.Context) iter.Seq2[Item, error]
	// Publish makes a state of it.
	Publish(ctx context.Context) error
	// Close gives up what was not published. What a killed process leaves behind is replaced by the next draft.
	Close() error
}

// What begins the halt of a state that was moved.
const (
	movingPrefix = "it is being moved to "
	movedPrefix  = "it was moved to "
)

// MovingTo is what a store keeps as the halt of a state that everything was copied from, while the copy is made a state.
func MovingTo(to string) string { return movingPrefix + to }

// MovedTo is what a store keeps as the halt of a state that was moved.
func MovedTo(to string) string { return movedPrefix + to }

// HaltOf reads the halt that a store kept.
func HaltOf(kept string) *HaltError {
	if to, ok := strings.CutPrefix(kept, movedPrefix); ok {
		return &HaltError{Kind: HaltMoved, To: to, Why: kept}
	}
	if to, ok := strings.CutPrefix(kept, movingPrefix); ok {
		return &HaltError{Kind: HaltMoving, To: to, Why: kept}
	}
	return &HaltError{Why: kept}
}

// MayMove refuses to move a state that is halted, unless it is being moved to the same place: the process that did that
// ended before the copy was made a state.
func MayMove(halt *HaltError, to string) error {
	if halt == nil {
		return nil
	}
	if halt.Kind == HaltMoving && halt.To == to {
		return nil
	}
	return halt
}

// moveSpan is how many items one transaction of a draft keeps.
const moveSpan = 4096

// Move moves a state: it fills the draft, reads it back and compares, seals the state, and publishes the draft. to names
// the new place, for people and without a password. A process that ends in the middle leaves at most a sealed state and a
// draft, and Move may be called again.
func Move(ctx context.Context, from Movable, d Draft, to, who string) (c Contents, err error) {
	err = from.MoveAway(ctx, to, who, func(items iter.Seq2[Item, error]) (err error) {
		c, err = Copy(ctx, items, d)
		return err
	})
	if err == nil {
		err = d.Publish(ctx)
	}
	if err == nil {
		err = from.Moved(ctx, to)
	}
	return c, err
}

// Copy fills a draft, reads it back, and fails where it does not hold what it was given.
func Copy(ctx context.Context, items iter.Seq2[Item, error], d Draft) (Contents, error) {
	var given, kept Contents
	span := make([]Item, 0, moveSpan)
	for i, err := range items {
		if err != nil {
			return given, err
		}
		if err := given.add(i); err != nil {
			return given, err
		}
		if span = append(span, i); len(span) == moveSpan {
			if err := d.Add(ctx, span); err != nil {
				return given, err
			}
			span = span[:0]
		}
	}
	if err := d.Add(ctx, span); err != nil {
		return given, err
	}
	for i, err := range d.Items(ctx) {
		if err == nil {
			err = kept.add(i)
		}
		if err != nil {
			return given, fmt.Errorf("reading back what was copied: %w", err)
		}
	}
	return given, given.compare(&kept)
}

// Contents counts what a state holds.
type Contents struct {
	Attempts, People, Erased, Runs, Events int // Events: webhooks and inbound events
	sums                                   map[string]sum
}

// sum is how many items there are of a type, and the sum of their hashes, which no order changes.
type sum struct {
	n    int
	hash uint64
}

func (c *Contents) add(i Item) error {
	switch i := i.(type) {
	case Attempt:
		c.Attempts++
	case ErasedHash:
		c.Erased++
	case Run:
		c.Runs++
	case WaitingBody, WaitingEvent, KeptInbound:
		c.Events++
	case Told:
		for _, p := range i.People() {
			if !p.Empty() {
				c.People++
			}
		}
	}
	v := alike(i)
	if v == nil {
		return nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("an item of the state: %w", err)
	}
	digest := sha256.Sum256(cleaned(data))
	if c.sums == nil {
		c.sums = map[string]sum{}
	}
	kind := reflect.TypeOf(i).Name()
	s := c.sums[kind]
	c.sums[kind] = sum{s.n + 1, s.hash + binary.BigEndian.Uint64(digest[:8])}
	return nil
}

// compare names the first type of items in which two states differ.
func (c *Contents) compare(o *Contents) error {
	for _, kind := range slices.Sorted(maps.Keys(c.sums)) {
		if a, b := c.sums[kind], o.sums[kind]; a != b {
			return fmt.Errorf("the copy does not hold what the state holds: of %s, %d were copied and %d read back; this is a bug in handbill, and the state was not moved", kind, a.n, b.n)
		}
	}
	for kind, s := range o.sums {
		if c.sums[kind].n == 0 {
			return fmt.Errorf("the copy holds more than the state: %d of %s; this is a bug in handbill, and the state was not moved", s.n, kind)
		}
	}
	return nil
}

// alike is an item as all stores keep it; nil for one that says nothing. Stores differ in two things: whether nothing
// is nil or empty, and how they keep what is known of an id that was never seen with another.
func alike(i Item) any {
	switch i := i.(type) {
	case Attempt:
		if i.Again != nil { // a database works out the rest of it from the attempt that follows
			i.Again = &Again{}
		}
		return i
	case Resource:
		i.Tree, i.Refs = some(i.Tree), append([]string{}, i.Refs...)
		return i
	case Blob:
		return sameForward(i)
	case WaitingBody:
		i.Raw = some(i.Raw)
		return i
	case KeptNotice:
		i.Raw = some(i.Raw)
		return i
	case Told:
		id, alone := i.Lone()
		if !alone {
			return i.Circle
		}
		known := i.People()[0].Known
		if known.Empty() {
			return nil
		}
		who := string(id)
		if s := i.Spelled[id]; s != "" {
			who = s
		}
		return [...]any{who, known}
	}
	return i
}

func some(b []byte) []byte { return append([]byte{}, b...) }

// cleaned is JSON in which texts look as in a database that keeps UTF-8 without NUL: each run of other bytes is one
// replacement character.
func cleaned(data []byte) []byte {
	const unknown = `\ufffd`
	data = bytes.ReplaceAll(data, []byte(`\u0000`), []byte(unknown))
	data = bytes.ReplaceAll(data, []byte("\uFFFD"), []byte(unknown))
	for bytes.Contains(data, []byte(unknown+unknown)) {
		data = bytes.ReplaceAll(data, []byte(unknown+unknown), []byte(unknown))
	}
	return data
}

// RefuseOpen refuses to move a state in which attempts of runs have no outcome; nil for none.
func RefuseOpen(attempts int64) error {
	if attempts == 0 {
		return nil
	}
	return fmt.Errorf("an apply was interrupted, and it is not known yet of %d messages whether they were sent. \"handbill resolve\" or the next apply puts them in doubt; then move the state", attempts)
}

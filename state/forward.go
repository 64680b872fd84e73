package state

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Forward is an inbound event that a rule hands to a service.
type Forward struct {
	Event    int64     `json:"seq"`
	Rule     string    `json:"rule"` // address
	Attempts int       `json:"attempts"`
	Due      time.Time `json:"next"`             // when it is tried next; zero for at once
	Reason   string    `json:"reason,omitempty"` // why the last attempt failed
}

// ForwardState is what became of a forward.
type ForwardState int8

const (
	ForwardOver  ForwardState = iota // the service took it, or nobody wants it any more
	ForwardWaits                     // it is tried again at Due
	ForwardDead                      // it was given up
)

// ForwardLimit is how long a claimed forward belongs to its owner. It is longer than a request to a service may take.
const ForwardLimit = 15 * time.Second

// Forwards is the part of a Store that hands events on. A forward is identified by its event and its rule.
type Forwards interface {
	// AddForward makes a forward due at once. Adding one that waits, or that was given up, changes nothing.
	AddForward(ctx context.Context, event int64, rule string) error
	// ClaimForwards gives up to n forwards that are due to an owner for ForwardLimit, the longest due first. Meanwhile nobody
	// else gets them. Without any, next is when to ask again; zero for not before one is added.
	ClaimForwards(ctx context.Context, owner string, n int) (due []Forward, next time.Time, err error)
	// DoneForward says what became of a claimed forward, with the new values of its fields. Where the limit is over and
	// another owner has claimed it, only ForwardOver has an effect.
	DoneForward(ctx context.Context, owner string, f Forward, became ForwardState) error
	// DeadForwards counts the forwards that were given up, and ReviveForwards makes them due at once, as if they were new.
	DeadForwards(ctx context.Context) (int, error)
	ReviveForwards(ctx context.Context) error
}

// The names under which forwards are kept in a state without a table for them, and
// in which they move from one store to another. They tell nothing that a person wrote.
const (
	forwardPrefix = "forward/"
	deadPrefix    = "forward_dead/"
)

func (f *Forward) name() string { return strconv.FormatInt(f.Event, 10) + "/" + f.Rule }

// AsBlob returns a forward as a Blob, the form in which it moves.
func (f Forward) AsBlob(dead bool) Blob {
	prefix := forwardPrefix
	if dead {
		prefix = deadPrefix
	}
	f.Due = Moment(Millis(f.Due))
	data, err := json.Marshal(f)
	if err != nil {
		panic("state: encoding a forward: " + err.Error()) // cannot happen: numbers, texts and a time
	}
	return Blob{Name: prefix + f.name(), Data: data}
}

// ForwardOf returns the forward that a blob holds; ok is false for another blob.
func ForwardOf(b Blob) (f Forward, dead, ok bool, err error) {
	switch {
	case strings.HasPrefix(b.Name, deadPrefix):
		dead = true
	case !strings.HasPrefix(b.Name, forwardPrefix):
		return f, false, false, nil
	}
	if err := json.Unmarshal(b.Data, &f); err != nil {
		return f, dead, true, fmt.Errorf("%w: %s: %w", ErrDamaged, b.Name, err)
	}
	return f, dead, true, nil
}

// ForwardQueue implements Forwards for a store that one process has for itself. It
// keeps forwards as blobs, and who claimed them in memory.
type ForwardQueue struct {
	store interface {
		PutAll(ctx context.Context, blobs map[string][]byte) error
		Blobs(ctx context.Context, prefix string) (map[string][]byte, error)
	}
	now func() time.Time

	mu      sync.Mutex
	loaded  bool
	waiting map[string]*queued // by name
	dead    map[string]Forward
}

// queued is a forward that waits.
type queued struct {
	Forward
	owner string
	until time.Time // when the owner's limit is over
}

// NewForwardQueue returns the queue of a store, which is not used before the first
// call of a method.
func NewForwardQueue(store interface {
	PutAll(ctx context.Context, blobs map[string][]byte) error
	Blobs(ctx context.Context, prefix string) (map[string][]byte, error)
}, now func() time.Time,
) *ForwardQueue {
	return &ForwardQueue{store: store, now: now}
}

// load reads the forwards that an earlier process left. The caller holds mu.
func (q *ForwardQueue) load(ctx context.Context) error {
	if q.loaded {
		return nil
	}
	q.waiting, q.dead = map[string]*queued{}, map[string]Forward{}
	for _, prefix := range []string{forwardPrefix, deadPrefix} {
		blobs, err := q.store.Blobs(ctx, prefix)
		if err != nil {
			return err
		}
		for name, data := range blobs {
			f, dead, _, err := ForwardOf(Blob{name, data})
			switch {
			case err != nil:
				return err
			case dead:
				q.dead[f.name()] = f
			default:
				q.waiting[f.name()] = &queued{Forward: f}
			}
		}
	}
	q.loaded = true
	return nil
}

// put writes a forward as what it is now, and removes what it was.
func (q *ForwardQueue) put(ctx context.Context, f Forward, became ForwardState) error {
	waits, dead := f.AsBlob(false), f.AsBlob(true)
	blobs := map[string][]byte{waits.Name: nil, dead.Name: nil}
	switch became {
	case ForwardWaits:
		blobs[waits.Name] = waits.Data
	case ForwardDead:
		blobs[dead.Name] = dead.Data
	}
	if err := q.store.PutAll(ctx, blobs); err != nil {
		return err
	}
	delete(q.waiting, f.name())
	delete(q.dead, f.name())
	switch became {
	case ForwardWaits:
		q.waiting[f.name()] = &queued{Forward: f}
	case ForwardDead:
		q.dead[f.name()] = f
	}
	return nil
}

// AddForward implements Forwards.
func (q *ForwardQueue) AddForward(ctx context.Context, event int64, rule string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	f := Forward{Event: event, Rule: rule}
	if err := q.load(ctx); err != nil {
		return err
	}
	if _, dead := q.dead[f.name()]; dead || q.waiting[f.name()] != nil {
		return nil
	}
	return q.put(ctx, f, ForwardWaits)
}

// ClaimForwards implements Forwards.
func (q *ForwardQueue) ClaimForwards(ctx context.Context, owner string, n int) (due []Forward, next time.Time, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.load(ctx); err != nil {
		return nil, next, err
	}
	now := q.now()
	var ready []*queued
	for _, f := range q.waiting {
		at := f.Due
		if f.until.After(at) {
			at = f.until
		}
		switch {
		case !at.After(now):
			ready = append(ready, f)
		case next.IsZero() || at.Before(next):
			next = at
		}
	}
	slices.SortFunc(ready, func(a, b *queued) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Event, b.Event), cmp.Compare(a.Rule, b.Rule))
	})
	for _, f := range ready[:min(n, len(ready))] {
		f.owner, f.until = owner, now.Add(ForwardLimit)
		due = append(due, f.Forward)
	}
	if len(due) > 0 {
		next = time.Time{}
	}
	return due, next, nil
}

// DoneForward implements Forwards.
func (q *ForwardQueue) DoneForward(ctx context.Context, owner string, f Forward, became ForwardState) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.load(ctx); err != nil {
		return err
	}
	has := q.waiting[f.name()]
	if has == nil || became != ForwardOver && has.owner != owner {
		return nil
	}
	return q.put(ctx, f, became)
}

// DeadForwards implements Forwards.
func (q *ForwardQueue) DeadForwards(ctx context.Context) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	err := q.load(ctx)
	return len(q.dead), err
}

// ReviveForwards implements Forwards.
func (q *ForwardQueue) ReviveForwards(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.load(ctx); err != nil {
		return err
	}
	for _, f := range q.dead {
		if err := q.put(ctx, Forward{Event: f.Event, Rule: f.Rule}, ForwardWaits); err != nil {
			return err
		}
	}
	return nil
}

// sameForward is a blob as all stores keep it: times of forwards are in
// milliseconds.
func sameForward(b Blob) Blob {
	if f, dead, ok, err := ForwardOf(b); ok && err == nil {
		return f.AsBlob(dead)
	}
	b.Data = some(b.Data)
	return b
}

// Package memstate keeps a state in memory. It implements state.Store in plain Go, as
// a model that tests compare other stores with, and as a store for simulations of
// many campaigns. The state is lost when the process ends, and most calls read all
// of it.
package memstate

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/state"
)

// Options are what a Store needs.
type Options struct {
	Clock   func() time.Time // required
	Lineage string           // 32 hex digits; required
	// Wish reads what a person's message says about getting further messages; nil
	// ignores all words.
	Wish func(ev *message.Event, at time.Time) state.Wish
	// Moved is called for every move on the send axis, Found for every finding;
	// either may be nil. They are called within a transaction.
	Moved func(from, to state.Send, p state.Proof)
	Found func(kind string)
}

// Store is a state in memory.
type Store struct {
	*state.ForwardQueue

	opt Options

	mu   sync.Mutex
	now  int64    // of the transaction
	undo []func() // undoes the transaction, called in reverse order

	meta   state.Meta
	latest int64
	closed bool

	resources []state.Resource
	runs      []run
	lanes     []lane // the id is the index plus one
	halts     []state.Halt
	blobs     map[string][]byte
	slots     map[string]pace.Slots // by sending number
	managed   map[string]state.Managed
	products  map[productKey]state.KeptProduct

	links    []*link
	attempts []*attempt // the handle is the index plus one; nil where it was removed
	circles  map[delivery.ID]*circle
	spelled  map[delivery.ID]string // as recipients were spelled first
	erased   map[delivery.ID]bool

	inbox    []inbox
	seen     map[string]int64 // when a body was received, by provider and body
	orphans  []orphan
	inbound  []*inbound // the number is the index plus one; nil where it was removed
	findings []state.Finding
	about    []int64 // the attempts of the findings
	notices  []state.Notice
}

var _ state.Store = (*Store)(nil)

// format is the Format in the state.Meta of a Store.
const format = 1

// New makes an empty state.
func New(o Options) *Store {
	s := &Store{opt: o, meta: state.Meta{Format: format, Lineage: o.Lineage}, blobs: map[string][]byte{}, slots: map[string]pace.Slots{}, managed: map[string]state.Managed{}, products: map[productKey]state.KeptProduct{},
		circles: map[delivery.ID]*circle{}, spelled: map[delivery.ID]string{}, erased: map[delivery.ID]bool{}, seen: map[string]int64{}}
	s.ForwardQueue = state.NewForwardQueue(s, o.Clock)
	if s.opt.Moved == nil {
		s.opt.Moved = func(_, _ state.Send, _ state.Proof) {}
	}
	if s.opt.Found == nil {
		s.opt.Found = func(string) {}
	}
	s.latest = s.opt.Clock().UnixMilli()
	return s
}

var errClosed = errors.New("the state is closed")

// write runs fn as a transaction: if fn fails, its changes are undone.
func (s *Store) write(ctx context.Context, fn func() error) error {
	return s.read(ctx, func() error {
		s.undo, s.now = s.undo[:0], s.opt.Clock().UnixMilli()
		err := fn()
		if err != nil {
			for _, f := range slices.Backward(s.undo) {
				f()
			}
		}
		return err
	})
}

func (s *Store) read(ctx context.Context, fn func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.closed {
		return errClosed
	}
	return fn()
}

// set changes a value so that the transaction can undo it. Every change must use it.
func set[T any](s *Store, at *T, v T) {
	old := *at
	s.undo = append(s.undo, func() { *at = old })
	*at = v
}

func setKey[K comparable, V any](s *Store, m map[K]V, k K, v V) {
	old, had := m[k]
	s.undo = append(s.undo, func() {
		if m[k] = old; !had {
			delete(m, k)
		}
	})
	m[k] = v
}

func dropKey[K comparable, V any](s *Store, m map[K]V, k K) {
	if old, had := m[k]; had {
		s.undo = append(s.undo, func() { m[k] = old })
		delete(m, k)
	}
}

// wrote records the latest time that was written into the state.
func (s *Store) wrote(at int64) { set(s, &s.latest, max(s.latest, at)) }

// decided raises the serial.
func (s *Store) decided() {
	set(s, &s.meta.Serial, s.meta.Serial+1)
	s.wrote(s.now)
}

// Close implements state.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// Meta implements state.Store.
func (s *Store) Meta(ctx context.Context) (m state.Meta, err error) {
	err = s.read(ctx, func() error { m = s.meta; return nil })
	return m, err
}

// Latest implements state.Store.
func (s *Store) Latest(ctx context.Context) (at time.Time, err error) {
	err = s.read(ctx, func() error { at = state.Moment(s.latest); return nil })
	return at, err
}

// Put implements state.Store.
func (s *Store) Put(ctx context.Context, name string, data []byte) error {
	return s.PutAll(ctx, map[string][]byte{name: data})
}

// PutAll implements state.Store.
func (s *Store) PutAll(ctx context.Context, blobs map[string][]byte) error {
	return s.write(ctx, func() error { s.putAll(blobs); return nil })
}

func (s *Store) putAll(blobs map[string][]byte) {
	for name, data := range blobs {
		if data == nil {
			dropKey(s, s.blobs, name)
			continue
		}
		setKey(s, s.blobs, name, slices.Clone(data))
	}
}

// Get implements state.Store.
func (s *Store) Get(ctx context.Context, name string) (data []byte, err error) {
	err = s.read(ctx, func() error { data = slices.Clone(s.blobs[name]); return nil })
	return data, err
}

// Blobs implements state.Store.
func (s *Store) Blobs(ctx context.Context, prefix string) (out map[string][]byte, err error) {
	err = s.read(ctx, func() error {
		out = maps.Clone(s.blobs)
		maps.DeleteFunc(out, func(name string, _ []byte) bool { return !strings.HasPrefix(name, prefix) })
		return nil
	})
	return out, err
}

// attempt is one attempt at a delivery.
type attempt struct {
	id       int64
	key      state.Key // the recipient as the first attempt spelled it
	choice   state.Choice
	number   int
	run      int64  // 0 for replies, -1 for imports
	from     string // the sending number
	intended int64
	message  string
	digest   [16]byte
	ref      string
	out      *outcome // nil while it is open
	status   delivery.Status
	billed   delivery.Billed
	replied  int64
	ordered  bool // again, after it was accepted
}

// outcome is immutable: a change replaces it.
type outcome struct {
	send               state.Send
	proof              state.Proof
	settled            int64
	code, title, cause string
	id                 string
}

func (a *attempt) send() state.Send {
	if a.out == nil {
		return state.Sending
	}
	return a.out.send
}

// Intended reports whether an attempt with that reference is recorded.
func (s *Store) Intended(ref string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attemptOf(ref, "") != nil
}

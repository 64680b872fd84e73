package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"

	"github.com/handbill/handbill/state"
)

// acceptances are the calls of Append that wait. Those that come while others commit
// share the next transaction.
type acceptances struct {
	mu      sync.Mutex
	waiting []*acceptance
	running int
}

// acceptance is one call of Append.
type acceptance struct {
	ctx  context.Context
	in   []state.Inbox
	hash [sha256.Size]byte // of the first body

	out  []bool
	err  error
	done chan struct{}
}

const (
	// acceptors is how many transactions accept webhooks at a time.
	acceptors = 2
	// maxAcceptances is how many calls share a transaction at most.
	maxAcceptances = 64
)

// Append implements state.Store. It does not wait for other writers.
func (s *Store) Append(ctx context.Context, in []state.Inbox) ([]bool, error) {
	a := &acceptance{ctx: ctx, in: in, done: make(chan struct{})}
	if len(in) > 0 {
		a.hash = sha256.Sum256(in[0].Raw)
	}
	s.accepting.mu.Lock()
	s.accepting.waiting = append(s.accepting.waiting, a)
	if s.accepting.running < acceptors {
		s.accepting.running++
		go s.runAcceptances()
	}
	s.accepting.mu.Unlock()
	<-a.done
	return a.out, a.err
}

// runAcceptances accepts what waits, until nothing does.
func (s *Store) runAcceptances() {
	q := &s.accepting
	for {
		q.mu.Lock()
		n := min(len(q.waiting), maxAcceptances)
		calls := slices.Clone(q.waiting[:n])
		if q.waiting = q.waiting[n:]; n == 0 {
			q.running--
		}
		q.mu.Unlock()
		if n == 0 {
			return
		}
		s.acceptTogether(calls)
		for _, a := range calls {
			close(a.done)
		}
	}
}

// acceptTogether accepts calls in one transaction. If that fails because of one of
// them, each gets a transaction of its own.
func (s *Store) acceptTogether(calls []*acceptance) {
	// Two transactions with the same bodies take them in the same order, so that
	// neither waits for the other.
	slices.SortStableFunc(calls, func(a, b *acceptance) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	ctx := calls[0].ctx
	var all []state.Inbox
	for _, a := range calls {
		all = append(all, a.in...)
	}
	if len(calls) > 1 {
		ctx = context.WithoutCancel(ctx) // it is not the others'
	}
	out, err := s.accept(ctx, all)
	if err != nil && len(calls) > 1 && !errors.Is(err, errGoneAway) {
		for _, a := range calls {
			s.acceptTogether([]*acceptance{a})
		}
		return
	}
	for _, a := range calls {
		if a.err = err; err == nil {
			a.out, out = out[:len(a.in):len(a.in)], out[len(a.in):]
		}
	}
}

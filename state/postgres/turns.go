package postgres

import (
	"context"
	"errors"
	"sync"

	"github.com/handbill/handbill/state"
)

// turns are the calls of Turn that wait. Writers come one after another, so those that
// wait for one transaction share the next one: eight lanes of a process commit nearly
// as often as one.
type turns struct {
	mu      sync.Mutex
	waiting []*turn
	running bool
}

// turn is one call of Turn, or other work of a lane that is as small.
type turn struct {
	ctx      context.Context
	work     func(*tx) error // instead of the rest; may run again. Nil for a Turn
	lane     state.Lane
	outcomes []state.Outcome
	intents  []state.Intent

	out    []state.Verdict
	fenced error // why the intents were not written, though the outcomes were
	err    error
	done   chan struct{}
}

// maxTurns is how many calls share a transaction at most.
const maxTurns = 32

// Turn implements state.Store.
func (s *Store) Turn(ctx context.Context, lane state.Lane, outcomes []state.Outcome, intents []state.Intent) ([]state.Verdict, error) {
	c := &turn{ctx: ctx, lane: lane, outcomes: outcomes, intents: intents, done: make(chan struct{})}
	s.wait(c)
	switch {
	case c.err != nil:
		return nil, c.err
	case c.fenced != nil:
		return nil, c.fenced
	}
	return c.out, nil
}

// writeSmall is write for work that may share a transaction with turns.
func (s *Store) writeSmall(ctx context.Context, work func(*tx) error) error {
	c := &turn{ctx: ctx, work: work, done: make(chan struct{})}
	s.wait(c)
	return c.err
}

// wait waits until a call was committed, or failed.
func (s *Store) wait(c *turn) {
	s.turns.mu.Lock()
	s.turns.waiting = append(s.turns.waiting, c)
	if !s.turns.running {
		s.turns.running = true
		go s.runTurns()
	}
	s.turns.mu.Unlock()
	<-c.done
}

// runTurns commits what waits, until nothing does.
func (s *Store) runTurns() {
	for {
		s.turns.mu.Lock()
		n := min(len(s.turns.waiting), maxTurns)
		calls := s.turns.waiting[:n:n]
		s.turns.waiting = s.turns.waiting[n:]
		s.turns.running = n > 0
		s.turns.mu.Unlock()
		if n == 0 {
			return
		}
		s.commitTurns(calls)
		for _, c := range calls {
			close(c.done)
		}
	}
}

// commitTurns commits calls together. If that fails because of one of them, each
// commits alone. If the database is away, or nobody knows whether the commit was made,
// all of them fail.
func (s *Store) commitTurns(calls []*turn) {
	ctx := calls[0].ctx
	if len(calls) > 1 {
		ctx = context.WithoutCancel(ctx) // it is not the others'
	}
	err := s.writeFew(ctx, func(t *tx) { t.askTurns(calls) }, func(t *tx) error { return t.turns(calls) })
	var unknown *unknownError
	if err != nil && len(calls) > 1 && !errors.As(err, &unknown) && !errors.Is(err, errGoneAway) {
		for _, c := range calls {
			s.commitTurns([]*turn{c})
		}
		return
	}
	for _, c := range calls {
		c.err = err
	}
}

// turns does the work of calls, after askTurns.
func (t *tx) turns(calls []*turn) error {
	intends := false
	for _, c := range calls {
		if err := t.answers(c); err != nil {
			return err
		}
		intends = intends || c.intends()
	}
	if intends && t.inbox {
		if err := t.foldAll(); err != nil {
			return err
		}
	}
	for _, c := range calls {
		var err error
		switch {
		case c.work != nil:
			err = c.work(t)
		case c.intends():
			c.out, err = t.intendAll(c.lane, c.intents)
		}
		if err != nil {
			return err
		}
	}
	return t.err
}

// askTurns reads with the next flush what calls need, for all of them at once: their
// lanes, what their outcomes and intents are about, and whether webhooks wait that
// intents must know of. Outcomes and webhooks may tell who is who; what intents need
// beyond it is read when they are made.
func (t *tx) askTurns(calls []*turn) {
	var ids []int64
	var outcomes []state.Outcome
	var numbers []string
	var intents []state.Intent
	for _, c := range calls {
		if c.work == nil {
			ids, outcomes, intents = append(ids, c.lane.ID), append(outcomes, c.outcomes...), append(intents, c.intents...)
		}
		if len(c.intents) > 0 {
			numbers = append(numbers, c.lane.Number)
		}
	}
	if len(ids) == 0 {
		return
	}
	t.askLanes(ids)
	t.askOutcomes(outcomes)
	if len(intents) > 0 {
		t.ask("SELECT EXISTS (SELECT FROM inbox)", nil, []any{&t.inbox}, func() error { return nil }, nil)
		t.askIntents(numbers, intents)
	}
}

// answers checks the lane of a call, and records its outcomes.
func (t *tx) answers(c *turn) error {
	if c.work != nil {
		return nil
	}
	c.out = nil
	if c.fenced = t.fence(c.lane); c.fenced != nil && !errors.Is(c.fenced, state.ErrFenced) {
		return c.fenced
	}
	for i := range c.outcomes {
		if err := t.settle(c.outcomes[i]); err != nil {
			return err
		}
		t.hold(&c.outcomes[i])
	}
	if halt := t.halted(); halt != nil && len(c.intents) > 0 && c.fenced == nil {
		c.fenced = halt
	}
	return nil
}

// intends reports whether a call has intents that may be written.
func (c *turn) intends() bool { return c.work == nil && c.fenced == nil && len(c.intents) > 0 }

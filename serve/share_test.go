package serve_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handbill/handbill/internal/pgtest"
	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/serve"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/postgres"
)

// stalled is a store of a server that is suspended for nine seconds just after its
// first intent is durable, and that renews its lanes only after that answer.
type stalled struct {
	*postgres.Store
	once   sync.Once
	passed *atomic.Int64 // nanoseconds
	resume chan struct{}
}

func (s *stalled) Intend(ctx context.Context, lane state.Lane, intents []state.Intent) ([]state.Verdict, error) {
	v, err := s.Store.Intend(ctx, lane, intents)
	s.once.Do(func() { s.passed.Add(int64(9 * time.Second)) })
	return v, err
}

func (s *stalled) Renew(ctx context.Context, lanes ...state.Lane) error {
	select {
	case <-s.resume:
		return s.Store.Renew(ctx, lanes...)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestNoReplyLeavesAfterTheLimit checks that a reply whose intent is durable does not
// leave when others may have taken over meanwhile. It is settled as not taken, and
// tried again when the lane is renewed.
func TestNoReplyLeavesAfterTheLimit(t *testing.T) {
	t.Setenv(sharedState, pgtest.Shared(t).URL())
	h := newHouse(t, hello)
	h.stop()
	s := &stalled{Store: h.store.(*postgres.Store), passed: new(atomic.Int64), resume: make(chan struct{})}
	h.store, h.opt.Backoff = s, slices.Repeat([]time.Duration{500 * time.Millisecond}, 60)
	h.opt.Monotonic = func() time.Duration { return time.Duration(s.passed.Load()) }
	h.start(h.listen(h.addr))
	h.phone(sandbox.Inbound{Text: "Hi"})
	first, left := h.await(serve.EventReplied), h.sends()
	close(s.resume)
	if first.Detail != "not_sent" || len(left) != 0 {
		t.Fatalf("the first attempt: %+v; %q left", first, left)
	}
	for ev := h.await(serve.EventReplied); ev.Detail != "accepted"; ev = h.await(serve.EventReplied) {
		if ev.Detail != "not_sent" {
			t.Fatalf("%+v", ev)
		}
	}
	if sent := h.sends(); len(sent) != 1 {
		t.Errorf("%q left", sent)
	}
}

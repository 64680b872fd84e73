package serve_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/serve"
	"github.com/handbill/handbill/state"
)

// locked is a store that another program can lock against writes.
type locked struct {
	serve.Store
	until atomic.Pointer[chan struct{}] // nil while it is not locked
	slow  bool                          // writes wait for the lock to end instead of failing
}

func (l *locked) lock() (unlock func()) {
	c := make(chan struct{})
	l.until.Store(&c)
	return func() { l.until.Store(nil); close(c) }
}

func (l *locked) held() error {
	c := l.until.Load()
	switch {
	case c == nil:
		return nil
	case l.slow:
		<-*c
		return nil
	}
	return errors.New("the database is locked")
}

func (l *locked) Append(ctx context.Context, in []state.Inbox) ([]bool, error) {
	if err := l.held(); err != nil {
		return nil, err
	}
	return l.Store.Append(ctx, in)
}

func (l *locked) PutAll(ctx context.Context, blobs map[string][]byte) error {
	if err := l.held(); err != nil {
		return err
	}
	return l.Store.PutAll(ctx, blobs)
}

// lockable starts a server whose state can be locked.
func lockable(t *testing.T, slow bool) (l *locked, addr string, events chan serve.Event) {
	t.Helper()
	h := newHouse(t, hello)
	h.stop()
	l, events = &locked{Store: h.store, slow: slow}, make(chan serve.Event, 100)
	s, err := serve.New(t.Context(), serve.Options{Spacing: -1, Store: l, Now: time.Now, Rules: noRules, CommitTime: 50 * time.Millisecond,
		Observe: func(ev serve.Event) { events <- ev },
		Numbers: []serve.Number{{Address: address, Type: "cloud", Name: "main", Webhook: metaNumber(t, h.netURL)}}})
	if err != nil {
		t.Fatal(err)
	}
	listener := h.listen("127.0.0.1:0")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, listener, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l, listener.Addr().String(), events
}

func readiness(t *testing.T, addr string) int {
	t.Helper()
	resp, err := http.Get("http://" + addr + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// Webhooks are refused only while the state is locked: each is answered with
// 503. When the lock has ended, /readyz says so even if no webhook arrives.
func TestReadinessReturnsAfterALock(t *testing.T) {
	for name, slow := range map[string]bool{"writes fail": false, "writes wait for the lock": true} {
		t.Run(name, func(t *testing.T) {
			l, addr, events := lockable(t, slow)
			hook := "http://" + addr + "/webhooks/cloud/main"
			if got := readiness(t, addr); got != 200 {
				t.Fatalf("ready before the lock: %d", got)
			}
			unlock := l.lock()
			body := envelope("messages", wrote("wamid.locked", "Hi"))
			signature := sandbox.Signature(secret, []byte(body))
			if got := post(t, hook, body, signature); got != 503 {
				t.Errorf("a webhook is answered with %d while the state is locked", got)
			}
			if got := readiness(t, addr); got != 503 {
				t.Errorf("ready while the state is locked: %d", got)
			}
			unlock()
			for deadline := time.After(20 * time.Second); ; {
				select {
				case ev := <-events:
					if ev.Kind != serve.EventWell {
						continue
					}
				case <-deadline:
					t.Fatal("the state never counts as usable again")
				}
				break
			}
			if got := readiness(t, addr); got != 200 {
				t.Errorf("ready after the lock: %d", got)
			}
			// The webhook is repeated until it is accepted: a commit may take
			// longer than the server waits for one.
			for deadline := time.Now().Add(20 * time.Second); post(t, hook, body, signature) != 200; {
				if time.Now().After(deadline) {
					t.Fatal("the webhook that comes again is never taken")
				}
			}
		})
	}
}

package faults

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

// TestRaces makes two processes take the lock of one state at the same time.
func TestRaces(t *testing.T) {
	races := 20
	if ci, _ := effort(); ci {
		races = 200
	}
	path := filepath.Join(t.TempDir(), "handbill.state")
	store, err := openStore(t.Context(), path, time.Now, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	var inside, won, locked atomic.Int32
	for n := range races {
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range 2 {
			wg.Go(func() {
				<-start
				switch err := holder(t.Context(), path, n, &inside); {
				case err == nil:
					won.Add(1)
				case errors.As(err, new(*state.LockedError)):
					locked.Add(1)
				default:
					t.Errorf("race %d: %v", n, err)
				}
			})
		}
		close(start)
		wg.Wait()
	}
	t.Logf("%d races: %d got the lock, %d were told that it is held", races, won.Load(), locked.Load())
	if won.Load() < int32(races) {
		t.Errorf("in a race no process got the lock")
	}
}

// holder takes the lock without waiting, sends one message, and releases the lock.
func holder(ctx context.Context, path string, n int, inside *atomic.Int32) (err error) {
	lock, err := sqlite.Lock(ctx, path, state.LockInfo{ID: "x", PID: os.Getpid()}, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	if inside.Add(1) > 1 {
		return errors.New("two hold the lock")
	}
	defer inside.Add(-1)
	s, err := openStore(ctx, path, time.Now, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	run, err := s.Begin(ctx, state.Run{Lanes: []state.Lane{{Number: "provider.sandbox.main"}}}, nil)
	if err != nil {
		return err
	}
	meta, err := s.Meta(ctx)
	if err != nil {
		return err
	}
	key := keyOf(n)
	_, err = s.Intend(ctx, run.Lanes[0], []state.Intent{{Key: key, To: message.Address{Phone: key.Recipient}, Attempt: 1, Message: "text_message.hi",
		Ref: message.NewRef(meta.Lineage, key.Campaign, key.Recipient, 1, 1)}})
	return err
}

// TestStoppedHolder stops an apply in the middle. While it holds the lock, a second
// one is refused and says who holds it. After a forced unlock the first one sends
// nothing more.
func TestStoppedHolder(t *testing.T) {
	for _, forced := range []bool{false, true} {
		name := "the lock holds"
		if forced {
			name = "the lock is taken away"
		}
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, 60, sandbox.Options{Seed: 2, Latency: 300 * time.Millisecond})
			first := h.start()
			h.posted(first, 12)
			h.stop(first)
			out, code := h.run(append(applyArgs, "-detailed-exitcode")...)
			if code != 7 || !strings.Contains(out, "State locked") {
				t.Errorf("the second apply ends with %d:\n%s", code, out)
			}
			if forced {
				for _, name := range []string{".lock", ".lock.info"} {
					if err := os.Remove(h.statePath() + name); err != nil {
						t.Fatal(err)
					}
				}
				if out, code := h.run(applyArgs...); code != 0 {
					t.Errorf("with the lock forced, apply ends with %d:\n%s", code, out)
				}
			}
			before := h.network.Totals().Posts
			first.signal(syscall.SIGCONT)
			out, code = first.wait(t)
			if after := h.network.Totals().Posts; forced && (code == 0 || after > before+parallel) {
				t.Errorf("the zombie sent %d more and ended with %d:\n%s", after-before, code, out)
			}
			if !forced && code != 0 {
				t.Errorf("the first apply ends with %d:\n%s", code, out)
			}
			if doubts := h.judge(); doubts > parallel {
				t.Errorf("%d in doubt", doubts)
			}
		})
	}
}

// stop stops an apply between two commits: during one it would hold the file's
// lock.
func (h *house) stop(r *running) {
	h.t.Helper()
	for range 20 {
		r.halt(h.t)
		ctx, cancel := context.WithTimeout(h.t.Context(), time.Second)
		s, err := openStore(ctx, h.statePath(), time.Now, false)
		if err == nil {
			err = errors.Join(s.Put(ctx, "probe", nil), s.Close())
		}
		cancel()
		if err == nil {
			return
		}
		r.signal(syscall.SIGCONT)
		time.Sleep(20 * time.Millisecond)
	}
	h.t.Fatal("it is never between two commits")
}

// TestTogether accepts webhooks and erases a person while an apply sends.
func TestTogether(t *testing.T) {
	h := newHouse(t, 60, sandbox.Options{Seed: 3})
	h.pace(20)
	r := h.start()
	h.posted(r, 10)
	ctx := t.Context()
	s, err := openStore(ctx, h.statePath(), time.Now, false)
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	for e := range h.network.Ledger {
		if !e.Accepted {
			continue
		}
		ev := message.Event{Kind: message.EventStatus, ID: e.ID, Ref: e.Ref, Rank: message.RankDelivered, At: time.Now()}
		if _, err := s.Append(ctx, []state.Inbox{{Provider: "provider.sandbox.main", Received: time.Now(), Raw: []byte(e.ID), Events: []message.Event{ev}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Fold(ctx, 10); err != nil {
			t.Fatal(err)
		}
		taken++
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	h.stop(r)
	if out, code := h.run("state", "erase", person(59), "-lock-timeout=0s"); code == 0 {
		t.Errorf("somebody was erased while apply holds the lock:\n%s", out)
	}
	r.signal(syscall.SIGCONT)
	out, code := r.wait(t)
	if code != 0 {
		t.Errorf("apply ends with %d:\n%s", code, out)
	}
	h.judge()
	delivered := 0
	for _, d := range h.deliveries() {
		if d.Rank == message.RankDelivered {
			delivered++
		}
	}
	if delivered != taken {
		t.Errorf("%d are delivered, and %d webhooks were taken", delivered, taken)
	}
}

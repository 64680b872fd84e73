package faults

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/state"
)

// failpoints are the places at which internal/fp kills a process, with the minimum
// number of times that an apply passes them.
var failpoints = map[string]int{
	"begin-after": 1, "intent-before": 20, "intent-after": 20, "request-before": 100, "answer-after": 100,
	"outcome-before": 20, "outcome-after": 20, "commit-before": 40, "commit-after": 40, "finish-before": 1, "finish-after": 1,
}

// TestKills kills applies at named places and at random times, again and again, and
// checks the state against the network's ledger.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for a while")
	}
	t.Parallel()
	kills, workers := 30, 1
	deadline := time.Time{}
	switch ci, long := effort(); {
	case long > 0:
		kills, workers, deadline = 1<<40, 2, time.Now().Add(long)
	case ci:
		kills, workers = 250, 2
	}
	handbill(t)
	k := newKiller(t, failpoints)
	started := time.Now()
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for round := w; int(k.kills.Load()) < kills && !t.Failed() && (deadline.IsZero() || time.Now().Before(deadline)); round += workers {
				k.campaign(uint64(round), kills)
			}
		})
	}
	wg.Wait()
	t.Logf("%d kills in %d campaigns and %.1f s: %d found in doubt, at most %d by one kill; the network saw %d requests and took %d messages, none twice",
		k.kills.Load(), k.campaigns.Load(), time.Since(started).Seconds(), k.doubts.Load(), k.most.Load(), k.posts.Load(), k.taken.Load())
	k.missed(kills >= 250)
}

type killer struct {
	t                        testing.TB
	names                    []string
	hit                      map[string]*atomic.Int64
	kills, campaigns, doubts atomic.Int64
	answered, webhooks, left atomic.Int64
	posts, taken             atomic.Uint64
	most                     atomic.Int64
	next                     atomic.Int64
}

func newKiller(t testing.TB, points map[string]int) *killer {
	k := &killer{t: t, names: slices.Sorted(maps.Keys(points)), hit: map[string]*atomic.Int64{}}
	for _, name := range k.names {
		k.hit[name] = new(atomic.Int64)
	}
	return k
}

// pick takes the next failpoint in turn.
func (k *killer) pick() string { return k.names[int(k.next.Add(1))%len(k.names)] }

// missed checks that every failpoint was hit in a full-size run.
func (k *killer) missed(full bool) {
	k.t.Helper()
	for name, n := range k.hit {
		if full && n.Load() == 0 {
			k.t.Errorf("no kill hit %s", name)
		}
	}
}

// campaign kills the applies of one campaign until it is nearly done, and lets the
// last one finish.
func (k *killer) campaign(seed uint64, kills int) {
	rnd := rand.New(rand.NewPCG(seed, 9))
	wires := []sandbox.Behaviour{sandbox.ResetAfterRead, sandbox.HTTP500, sandbox.Garbage200, sandbox.NoID200}
	accepts := true
	script := &sandbox.Script{Rules: []sandbox.Rule{
		{Match: sandbox.Match{Share: 0.005}, Behaviour: wires[rnd.IntN(len(wires))], Accepts: &accepts},
		{Match: sandbox.Match{Share: 0.02}, Answer: &sandbox.ScriptAnswer{Code: "130429"}},
	}}
	h := newHouse(k.t, 400, sandbox.Options{Seed: int64(seed), Latency: 8 * time.Millisecond, Script: script})
	k.campaigns.Add(1)
	for range 16 {
		if int(k.kills.Load()) >= kills || k.t.Failed() {
			break
		}
		if !k.kill(h, rnd) {
			break
		}
		all := h.deliveries()
		open := count(all, state.Sending)
		if open > parallel {
			k.t.Errorf("seed %d: %d open after a kill, with at most %d in flight", seed, open, parallel)
		}
		k.most.Store(max(k.most.Load(), int64(open)))
		k.doubts.Add(int64(open))
	}
	out, code := h.run(applyArgs...)
	for range 20 { // messages that were throttled or not sent need a few more
		if count(h.deliveries(), state.Accepted)+count(h.deliveries(), state.InDoubt) == h.people {
			break
		}
		out, code = h.run(applyArgs...)
	}
	h.judge()
	if k.t.Failed() {
		k.t.Logf("seed %d: the last apply ended with %d:\n%s", seed, code, out)
	}
	totals := h.network.Totals()
	k.posts.Add(totals.Posts)
	k.taken.Add(totals.Accepted)
}

// kill runs an apply and kills it; false if it finished before.
func (k *killer) kill(h *house, rnd *rand.Rand) bool {
	if rnd.IntN(2) == 0 {
		name := k.pick()
		r := h.start(fmt.Sprintf("HANDBILL_FP=%s:%d", name, 1+rnd.IntN(failpoints[name])))
		if _, code := r.wait(k.t); code != -1 {
			return true // it did not get so far
		}
		k.hit[name].Add(1)
		k.kills.Add(1)
		return true
	}
	r := h.start()
	select {
	case <-time.After(time.Duration(20+rnd.IntN(250)) * time.Millisecond):
		r.signal(syscall.SIGKILL)
	case <-r.done:
	}
	if _, code := r.wait(k.t); code == -1 {
		k.kills.Add(1)
		return true
	}
	return false
}

// TestInterrupts checks that the first interrupt stops cleanly, the second
// immediately, and that both say so.
func TestInterrupts(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for _, times := range []int{1, 2} {
			t.Run(fmt.Sprint(sig, " ", times), func(t *testing.T) {
				opt := sandbox.Options{Seed: 1, Latency: 100 * time.Millisecond}
				if times == 2 {
					opt.Script = slow(20) // it is still waiting when the second one comes
				}
				h := newHouse(t, 100, opt)
				r := h.start()
				h.posted(r, 20)
				r.interrupt(t, sig)
				if times == 2 {
					r.signal(sig)
				}
				out, code := r.wait(t)
				if code != 130 {
					t.Errorf("exit %d, want 130:\n%s", code, out)
				}
				all := h.deliveries()
				doubts := count(all, state.InDoubt)
				if open := count(all, state.Sending); open > 0 || times == 1 && doubts > 0 || doubts > parallel {
					t.Errorf("%d open and %d in doubt:\n%s", open, doubts, out)
				}
				want := "Interrupted: nothing new is sent"
				if times == 2 {
					want = "left in doubt"
				}
				if !strings.Contains(out, want) {
					t.Errorf("the output does not say %q:\n%s", want, out)
				}
				if out, code := h.run(applyArgs...); code != 0 {
					t.Errorf("the next apply ends with %d:\n%s", code, out)
				}
				if doubts != h.judge() {
					t.Error("the doubts changed")
				}
			})
		}
	}
}

// TestNextCommandSaysWhatHappened checks what the next command prints after a kill.
func TestNextCommandSaysWhatHappened(t *testing.T) {
	h := newHouse(t, 60, sandbox.Options{Seed: 1, Latency: 20 * time.Millisecond})
	if out, code := h.start("HANDBILL_FP=answer-after:20").wait(t); code != -1 {
		t.Fatalf("it was not killed: %d\n%s", code, out)
	}
	open := count(h.deliveries(), state.Sending)
	status, _ := h.run("status")
	out, code := h.run(applyArgs...)
	for _, want := range []string{"An earlier run was interrupted", "may or may not have been sent", "not sent again automatically"} {
		if !strings.Contains(out, want) {
			t.Errorf("apply does not say %q:\n%s", want, out)
		}
	}
	if !strings.Contains(status, "in doubt") && !strings.Contains(status, "interrupted") {
		t.Errorf("status says nothing of the %d open ones:\n%s", open, status)
	}
	if code != 0 {
		t.Errorf("apply ends with %d although it brought no new doubt:\n%s", code, out)
	}
	if doubts := h.judge(); doubts != open {
		t.Errorf("%d in doubt, %d were open", doubts, open)
	}
	if out, _ := h.run("plan"); !strings.Contains(out, "in doubt") {
		t.Errorf("plan says nothing of the doubts:\n%s", out)
	}
	if _, err := os.Stat(h.statePath()); err != nil {
		t.Error(err)
	}
}

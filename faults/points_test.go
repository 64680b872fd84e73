package faults

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/state"
)

// seams are the places that fail once, instead of killing the process.
var seams = map[string]int{"commit-refused": 4, "commit-unclear": 4}

// TestEveryFailpointIsKnown checks that the catalogue contains exactly the
// failpoints in the code.
func TestEveryFailpointIsKnown(t *testing.T) {
	call := regexp.MustCompile(`\b(?:fp\.Hit|fp\.Err|hit)\((?:[^"()]|\([^()]*\))*"([a-z-]+)"\)`)
	found := map[string]bool{}
	for _, room := range []string{"apply", "serve", "state/sqlite", "cli"} {
		files, err := filepath.Glob("../" + room + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range call.FindAllStringSubmatch(string(src), -1) {
				found[m[1]] = true
			}
		}
	}
	known := map[string]bool{}
	for _, list := range []map[string]int{failpoints, servepoints, seams} {
		for name := range list {
			known[name] = true
		}
	}
	if got, want := slices.Sorted(maps.Keys(found)), slices.Sorted(maps.Keys(known)); !slices.Equal(got, want) {
		t.Errorf("in the code are %v, in the catalogue %v", got, want)
	}
}

// TestSweep visits every failpoint with every provider's wire format: the process
// is killed there, or a commit fails there, and the next run repairs everything.
func TestSweep(t *testing.T) {
	wires := sandbox.Providers()
	if ci, _ := effort(); !ci {
		wires = wires[3:]
	}
	var mu sync.Mutex
	hit := 0
	for _, wire := range wires {
		t.Run(string(wire), func(t *testing.T) {
			var wg sync.WaitGroup
			sem := make(chan struct{}, 8) // most of the time a serve waits before it writes to the same person again
			do := func(sweep func()) {
				sem <- struct{}{}
				wg.Go(func() {
					defer func() { <-sem }()
					sweep()
					mu.Lock()
					hit++
					mu.Unlock()
				})
			}
			for _, name := range slices.Sorted(maps.Keys(failpoints)) {
				do(func() { sweepApply(t, wire, name, -1) })
			}
			for _, name := range slices.Sorted(maps.Keys(seams)) {
				do(func() { sweepApply(t, wire, name, 1) })
			}
			for _, name := range slices.Sorted(maps.Keys(servepoints)) {
				do(func() { sweepServe(t, wire, name, -1) })
			}
			for _, name := range slices.Sorted(maps.Keys(seams)) {
				do(func() { sweepServe(t, wire, name, 0) })
			}
			wg.Wait()
		})
	}
	t.Logf("%d places of %d wires", hit, len(wires))
}

// sweepApply kills or fails an apply at a failpoint; code is its exit code.
func sweepApply(t *testing.T, wire sandbox.Provider, name string, code int) {
	h := build(t, 30, sandbox.Options{Seed: 10, Latency: time.Millisecond}, plot{wire: wire})
	nth := 2
	if failpoints[name] == 1 {
		nth = 1
	} else if n := seams[name]; n > 0 {
		nth = n
	}
	out, got := h.start(fmt.Sprintf("HANDBILL_FP=%s:%d", name, nth)).wait(t)
	if got != code {
		t.Errorf("%s, %s: apply ends with %d, and the place was to be hit:\n%s", wire, name, got, out)
	}
	if open := count(h.deliveries(), state.Sending); open > parallel {
		t.Errorf("%s, %s: %d are open", wire, name, open)
	}
	if out, got := h.run(applyArgs...); got != 0 {
		t.Errorf("%s, %s: the next apply ends with %d:\n%s", wire, name, got, out)
	}
	h.judge()
}

// sweepServe kills or fails a serve at a failpoint; code is its exit code after an
// interrupt.
func sweepServe(t *testing.T, wire sandbox.Provider, name string, code int) {
	s := newStreet(t, 6, sandbox.Options{Seed: 10}, wire)
	if out, got := s.run(applyArgs...); got != 0 {
		t.Errorf("%s: apply ends with %d:\n%s", wire, got, out)
	}
	nth := 1
	if seams[name] > 0 {
		nth = 5 // the first ones belong to its start
	}
	r := s.serve(fmt.Sprintf("HANDBILL_FP=%s:%d", name, nth))
	for range 4 {
		s.write(2)
		if r.ended(30 * time.Millisecond) {
			break
		}
	}
	if code == -1 && !r.ended(15*time.Second) {
		t.Errorf("%s, %s: the place was not hit:\n%s", wire, name, r.out)
	}
	if code == 0 {
		hit := func() bool { return strings.Contains(r.out.String(), "failpoint "+name) }
		for end := time.Now().Add(time.Minute); !hit() && !r.ended(10*time.Millisecond) && time.Now().Before(end); {
			continue // answers make commits too
		}
		s.close()
		if !hit() {
			t.Errorf("%s, %s: the place was not hit, or nothing is said of it:\n%s", wire, name, r.out)
		}
	}
	s.serve()
	s.rest()
	s.close()
	for e := range s.network.Ledger {
		if e.Duplicate {
			t.Errorf("%s, %s: %s got one message twice", wire, name, e.To)
		}
	}
	answered, doubts := s.answers()
	if answered+doubts != s.wrote || doubts > answering {
		t.Errorf("%s, %s: %d people wrote, %d were answered, %d answers are in doubt", wire, name, s.wrote, answered, doubts)
	}
}

package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handbill/handbill/state"
)

// effort says how much of the work to do: see the package's documentation.
func effort() (ci bool, long time.Duration) {
	v := os.Getenv("HANDBILL_FAULTS")
	d, err := time.ParseDuration(v)
	if err == nil {
		return true, d
	}
	return v == "ci", 0
}

// realShare: one campaign in this many keeps its state in SQLite.
const realShare = 200

// TestSimulation plays campaigns, each from its own seed, starting at HANDBILL_SEED
// (default 1). A campaign that fails is shrunk and kept in testdata/museum.
func TestSimulation(t *testing.T) {
	campaigns, deadline := 1500, time.Time{}
	switch ci, long := effort(); {
	case long > 0:
		campaigns, deadline = 1<<40, time.Now().Add(long)
	case ci:
		campaigns = 7_500
	}
	first := uint64(1)
	if v := os.Getenv("HANDBILL_SEED"); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		first = n
	}
	seen := newTallies()
	var next, played atomic.Int64
	var failed atomic.Bool
	started := time.Now()
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for !failed.Load() && (deadline.IsZero() || time.Now().Before(deadline)) {
				n := next.Add(1) - 1
				if n >= int64(campaigns) {
					return
				}
				s := newScript(first + uint64(n))
				s.Real = n%realShare == realShare-1
				problems := simulate(t, s, seen)
				played.Add(1)
				if len(problems) > 0 && failed.CompareAndSwap(false, true) {
					report(t, s, problems)
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(started)
	t.Logf("%d campaigns, %d runs, %d people, %d crashes in %.1f s: %.0f campaigns a second", played.Load(), seen.get("run"), seen.get("people"),
		seen.get("crash"), took.Seconds(), float64(played.Load())/took.Seconds())
	if !failed.Load() && played.Load() >= 50_000 {
		sometimes(t, seen)
	}
	if testing.Verbose() {
		logTallies(t, seen)
	}
}

// sometimes checks that things happened at least a hundred times each: every
// transition of the send state, every class of answer, every fault.
func sometimes(t *testing.T, seen *tallies) {
	want := []string{
		"gate ",     // T1 and T4: planned, and intended
		"held",      // T2
		"cancelled", // T3
		"move pending to sending ", "move sending to accepted response", "move sending to rejected ", "move sending to pending ",
		"move sending to in_doubt ", "move sending to accepted echo", "move in_doubt to accepted echo", "move in_doubt to pending operator",
		"move in_doubt to accepted operator", "move rejected to accepted echo", "move pending to accepted echo",
		"gate already_sent", "gate in_doubt", "gate refused_before", "gate attempt", "gate opted_out", "gate cooldown", "gate frequency_cap", "gate window_closed",
		"crash", "zombie", "fenced", "unwritable", "halt account_fault", "halt breaker", "halt throttled", "halt unreachable",
		"halt stop_if", "halt canary", "resumed", "still halted", "halt lock_lost", "halt clock_jumped", "deferred total_limit",
		"finding " + state.FindingContradiction, "finding " + state.FindingDuplicate, // T13 and T14
		"duplicate that the provider lied into being", "fault person stops",
		"two messages to one who was not known as one", "gate for a stop under another id", "gate for a message under another id",
	}
	for _, act := range lifeActs {
		want = append(want, "fault life "+act)
	}
	for _, act := range outages {
		want = append(want, "fault outage "+act)
	}
	for _, class := range []string{"unknown", "accepted", "refused", "throttled", "pair_throttled", "not_sent", "account_fault", "window_closed", "opted_out"} {
		want = append(want, "class "+class)
	}
	for _, act := range answerActs {
		want = append(want, "answer "+act)
	}
	for _, act := range webhookActs {
		want = append(want, "fault webhook "+act)
	}
	for _, at := range commitPlace {
		for _, act := range commitActs {
			want = append(want, "fault "+at+" "+act)
		}
	}
	for _, what := range want {
		if n := seen.get(what); n < 100 {
			t.Errorf("%q was seen %d times: the simulation does not reach it", what, n)
		}
	}
}

func logTallies(t *testing.T, seen *tallies) {
	var lines []string
	for what, n := range seen.counts {
		lines = append(lines, fmt.Sprintf("%9d  %s", n.Load(), what))
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[9:], b[9:]) })
	t.Log("\n" + strings.Join(lines, "\n"))
}

// report shrinks a failing script and keeps it.
func report(t *testing.T, s *script, problems []string) {
	small := shrink(t, s)
	text, err := json.MarshalIndent(small, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join("testdata", "museum", fmt.Sprintf("seed-%d.json", s.Seed))
	if err := os.WriteFile(name, append(text, '\n'), 0o644); err != nil {
		t.Error(err)
	}
	t.Errorf("seed %d fails: %s\nkept in %s with %d of %d faults; now it says: %s", s.Seed, strings.Join(problems, "; "), name,
		len(small.Faults), len(s.Faults), strings.Join(simulate(t, small, newTallies()), "; "))
}

// shrink removes faults, halves first, while the script still fails.
func shrink(t *testing.T, s *script) *script {
	best := *s
	fails := func(faults []fault) bool {
		try := best
		try.Faults = faults
		for range 3 { // events at the same instant run in any order
			if len(simulate(t, &try, newTallies())) > 0 {
				return true
			}
		}
		return false
	}
	for size := (len(best.Faults) + 1) / 2; size > 0; size /= 2 {
		for at := 0; at < len(best.Faults); {
			rest := slices.Concat(best.Faults[:at], best.Faults[min(at+size, len(best.Faults)):])
			if fails(rest) {
				best.Faults = rest
				continue
			}
			at += size
		}
	}
	for len(best.Runs) > 1 {
		shorter := best
		shorter.Runs = best.Runs[:len(best.Runs)-1]
		if len(simulate(t, &shorter, newTallies())) == 0 {
			break
		}
		best = shorter
	}
	return &best
}

// TestMuseum replays every script that once failed.
func TestMuseum(t *testing.T) {
	names, err := filepath.Glob("testdata/museum/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".json"), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var s script
			if err := json.Unmarshal(data, &s); err != nil {
				t.Fatal(err)
			}
			for range 5 {
				if problems := simulate(t, &s, newTallies()); len(problems) > 0 {
					t.Fatalf("it fails again: %s", strings.Join(problems, "; "))
				}
			}
		})
	}
}

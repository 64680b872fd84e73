package faults

import (
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
)

// TestStopsHold kills serve at every failpoint between the 200 for a webhook and
// its effects. Nobody who wrote a stop word gets the next revision from an apply
// that runs alone.
func TestStopsHold(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes")
	}
	t.Parallel()
	handbill(t)
	for name, env := range map[string]string{
		"killed after the 200":             "",
		"killed after a fold":              "fold-after:1",
		"killed after a claim":             "claim-after:1",
		"killed before a reply's intent":   "reply-intent-before:1",
		"killed after a reply's intent":    "reply-intent-after:1",
		"killed after a reply's answer":    "reply-answer-after:1",
		"killed before an event is done":   "answered-before:3",
		"killed after an event is done":    "answered-after:3",
		"ended by SIGTERM":                 "TERM",
		"ended by a terminal that is gone": "HUP",
	} {
		t.Run(name, func(t *testing.T) { stopsHold(t, env) })
	}
}

func stopsHold(t *testing.T, env string) {
	const people, stops = 40, 12
	s := newStreet(t, people, sandbox.Options{Seed: 7}, sandbox.Cloud)
	if out, code := s.run(applyArgs...); code != 0 {
		t.Fatalf("apply ends with %d:\n%s", code, out)
	}
	kill := syscall.SIGKILL
	switch env {
	case "TERM":
		kill, env = syscall.SIGTERM, ""
	case "HUP":
		kill, env = syscall.SIGHUP, ""
		// A process that ignores the signal, as under nohup, passes that on to its
		// children, and handbill respects it. A process that catches the signal
		// does not.
		caught := make(chan os.Signal, 1)
		signal.Notify(caught, syscall.SIGHUP)
		defer signal.Stop(caught)
	}
	if env != "" {
		env = "HANDBILL_FP=" + env
	}
	s.serve(env)
	number := ""
	for e := range s.network.Ledger {
		number = e.Number
	}
	asked := map[string]bool{}
	for i := range stops {
		in := sandbox.Inbound{Provider: sandbox.Cloud, Number: number, From: person(i)[1:], Text: []string{"STOP", "Abmelden", "please stop"}[i%3]}
		if _, err := s.network.Inbound(in); err != nil {
			t.Fatal(err)
		}
	}
	// The next serve accepts what a dead one did not; it is killed as soon as
	// everything was answered with 200.
	for end := time.Now().Add(patience); s.post.waiting() > 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		if s.serving.ended(0) {
			s.serve()
		}
	}
	s.serving.signal(kill)
	s.serving.wait(t)
	for i := range stops {
		asked[person(i)[1:]] = true
	}
	first := map[string]int{}
	for e := range s.network.Ledger {
		first[e.To]++
	}
	out, code := s.run(append(applyArgs, "-replace=campaign.spring")...)
	if code != 0 {
		t.Fatalf("apply ends with %d:\n%s", code, out)
	}
	again := 0
	replies := s.network.Totals()
	for e := range s.network.Ledger {
		if e.Kind == "text" && e.Accepted && e.Duplicate {
			again++
			if asked[e.To] {
				t.Errorf("somebody who asked to stop was sent to again (%d requests in all)", replies.Posts)
			}
		}
	}
	if again != people-stops {
		t.Errorf("%d people were sent to again, want %d:\n%s", again, people-stops, out)
	}
}

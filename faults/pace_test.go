package faults

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/sandbox"
)

// TestOnePaceForANumber makes people write while a campaign is sent to them. Apply
// and serve, two processes on one state, together keep their number's limit, and
// nobody gets two messages within 6 seconds, not from two applies either.
//
// The times are those of arrival, which shift on a busy machine. So the total must
// take at least three quarters of the time that the limit demands, and two messages
// to one person must be at least half of the spacing apart. Without a common pace,
// the total would take half the time, and the two would arrive at once. The tests
// of package pace prove that the limit holds in every second at the moment of
// sending.
func TestOnePaceForANumber(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes at their pace")
	}
	t.Parallel()
	handbill(t)
	const limit, people = 10, 40
	s := newStreet(t, people, sandbox.Options{Seed: 3}, sandbox.Cloud)
	s.spaced = true
	if out, code := s.run(applyArgs...); code != 0 { // also stores the rules
		t.Fatalf("apply ends with %d:\n%s", code, out)
	}
	config, err := os.ReadFile(filepath.Join(s.dir, "main.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	s.house.write("main.hcl", strings.Replace(string(config), "throughput = 1000", "throughput = 10", 1))
	s.serve()
	before := s.network.Totals().Posts
	r := s.begin(append(applyArgs, "-replace=campaign.spring"))
	for i := range people {
		in := sandbox.Inbound{Provider: sandbox.Cloud, Number: s.number(), From: person(i)[1:], Text: "Hello"}
		if _, err := s.network.Inbound(in); err != nil {
			t.Fatal(err)
		}
	}
	if out, code := r.wait(t); code != 0 {
		t.Fatalf("apply ends with %d:\n%s", code, out)
	}
	s.rest()
	s.close()
	var times []time.Time
	last := map[string]time.Time{}
	for e := range s.network.Ledger {
		if at, ok := last[e.To]; ok && e.At.Sub(at) < 3*time.Second {
			t.Errorf("somebody got two messages within %v", e.At.Sub(at))
		}
		last[e.To] = e.At
		if uint64(e.N) > before {
			times = append(times, e.At)
		}
	}
	if d, least := times[len(times)-1].Sub(times[0]), time.Duration(len(times)-limit)*time.Second/limit*3/4; d < least {
		t.Errorf("%d messages within %v, limit %d a second", len(times), d, limit)
	}
	if replies := len(times) - people; replies < people/2 {
		t.Errorf("%d messages and %d replies", people, replies)
	}
}

// number is the number that the campaign was sent from.
func (s *street) number() (number string) {
	for e := range s.network.Ledger {
		number = e.Number
	}
	return number
}

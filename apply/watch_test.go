package apply_test

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/plan"
)

// TestClockJumps sets the wall clock in the middle of a campaign. A small step
// changes nothing; a large one in either direction stops new sends, and the
// outcomes of sends in flight are recorded.
func TestClockJumps(t *testing.T) {
	tests := map[string]struct {
		jump time.Duration
		halt bool
	}{
		"a second ahead":      {time.Second, false},
		"90 seconds ahead":    {90 * time.Second, false},
		"90 seconds back":     {-90 * time.Second, false},
		"three minutes ahead": {3 * time.Minute, true},
		"three minutes back":  {-3 * time.Minute, true},
		"a year ahead":        {365 * 24 * time.Hour, true},
		"a year back":         {-365 * 24 * time.Hour, true},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var off atomic.Int64
				began := time.Now()
				wall := func() time.Time { return time.Now().Add(time.Duration(off.Load())).Round(0) }
				time.AfterFunc(2*time.Second, func() { off.Store(int64(c.jump)) })
				l := newLedger(t)
				n := newNumber(l, accept)
				n.latency = 100 * time.Millisecond
				rep, err := run(t, campaignOf(200, func(c *plan.Campaign) { c.Throughput = 20 }), l, n, func(o *apply.Options) {
					o.Now, o.Monotonic = wall, func() time.Duration { return time.Since(began) }
				})
				if err != nil {
					t.Fatal(err)
				}
				got := rep.Campaigns[0]
				if halted := got.Halt != nil; halted != c.halt {
					t.Fatalf("halted: %v, want %v: %+v", halted, c.halt, got.Halt)
				}
				if !c.halt {
					if got.Accepted != 200 {
						t.Errorf("%d of 200 accepted", got.Accepted)
					}
					return
				}
				if got.Halt.Reason != "clock_jumped" || !strings.Contains(got.Halt.Title, "the clock went ") {
					t.Errorf("halted by %+v", got.Halt)
				}
				if got.Accepted == 0 || got.Pending == 0 || got.InDoubt != 0 || got.Accepted+got.Pending != 200 {
					t.Errorf("got %+v", got.CampaignRun)
				}
			})
		})
	}
}

// TestLockLost takes the lock away while a campaign runs: within a second no
// new message is sent.
func TestLockLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := time.Now().Add(3 * time.Second)
		asked := 0
		l := newLedger(t)
		n := newNumber(l, accept)
		rep, err := run(t, campaignOf(500, func(c *plan.Campaign) { c.Throughput = 20 }), l, n, func(o *apply.Options) {
			o.Held = func() bool { asked++; return time.Now().Before(lost) }
		})
		if err != nil {
			t.Fatal(err)
		}
		c := rep.Campaigns[0]
		if c.Halt == nil || c.Halt.Reason != "lock_lost" {
			t.Fatalf("halted by %+v", c.Halt)
		}
		if last := n.times[len(n.times)-1]; last.After(lost.Add(time.Second)) {
			t.Errorf("a request left %s after the lock was lost", last.Sub(lost))
		}
		if asked > 6 {
			t.Errorf("the lock was looked at %d times in 4 seconds", asked)
		}
		if c.InDoubt != 0 || c.Accepted+c.Pending != 500 {
			t.Errorf("got %+v", c.CampaignRun)
		}
	})
}

// TestBlobs checks that blobs are stored together with the run, so that an
// apply that does not begin stores none.
func TestBlobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		_, err := run(t, campaignOf(1), l, newNumber(l, accept), func(o *apply.Options) {
			o.Blobs = map[string][]byte{"outputs": []byte("{}"), "gone": nil}
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, kept := l.begun.Blobs["gone"]; !bytes.Equal(l.begun.Blobs["outputs"], []byte("{}")) || !kept || got != nil {
			t.Errorf("Begin was given %v", l.begun.Blobs)
		}
	})
}

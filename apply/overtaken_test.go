package apply_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/state"
)

// Answers that arrive after another apply began are still recorded, but nothing
// new is sent.
func TestOvertakenRunRecordsItsAnswersAndSendsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		n := newNumber(l, accept)
		n.latency = 3 * time.Second
		go func() {
			time.Sleep(7 * time.Second)
			l.mu.Lock()
			l.failIntend = fmt.Errorf("recording: %w", state.ErrFenced)
			l.mu.Unlock()
		}()
		rep, err := run(t, campaignOf(400), l, n, func(o *apply.Options) { o.Parallelism = 6 })
		if err != nil {
			t.Fatal(err)
		}
		c := rep.Campaigns[0]
		if len(n.times) != 18 || c.Sent != 18 || c.InDoubt != 0 || c.Accepted != 18 {
			t.Errorf("%d requests left: %+v", len(n.times), c)
		}
		if c.Halt == nil || c.Halt.Reason != "lock_lost" || c.Pending != 400-18 {
			t.Errorf("halt %+v, %d pending", c.Halt, c.Pending)
		}
	})
}

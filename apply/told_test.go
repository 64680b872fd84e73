package apply_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// TestAReportOfATemplateMeanwhile checks that what is reported about a campaign's
// template while it is sent counts as what an answer says: a pause holds the rest, and
// a template that can't be sent any more halts it. Other campaigns go on.
func TestAReportOfATemplateMeanwhile(t *testing.T) {
	halt := &apply.Halt{Reason: delivery.HaltTemplate, Title: "reported as DISABLED"}
	for _, told := range []apply.Told{{Hold: delivery.ReasonTemplatePaused}, {Halt: halt}} {
		synctest.Test(t, func(t *testing.T) {
			l := newLedger(t)
			var sent atomic.Int64
			n := newNumber(l, func(string, int) message.Answer {
				time.Sleep(time.Second)
				return message.Answer{Class: message.Accepted, ID: fmt.Sprint("m", sent.Add(1))}
			})
			p := templates(30, true)
			rep, err := run(t, p, l, n, oneAtATime, func(o *apply.Options) {
				o.Told = func() map[string]apply.Told {
					out := map[string]apply.Told{"campaign.other": {Halt: halt}}
					if sent.Load() >= 3 {
						out[p.Campaigns[0].Address] = told
					}
					return out
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			c := rep.Campaigns[0]
			if c.Sent < 3 || c.Sent > 5 || c.Rejected != 0 || len(n.times) != c.Sent {
				t.Errorf("%d requests; %+v", len(n.times), c)
			}
			switch {
			case told.Halt == nil && (c.Halt != nil || c.HeldFor[delivery.ReasonTemplatePaused] != 30-c.Sent):
				t.Errorf("the rest does not wait: %+v", c)
			case told.Halt != nil && (c.Halt == nil || c.Halt.Reason != delivery.HaltTemplate || c.Pending != 30-c.Sent):
				t.Errorf("the campaign is not halted: %+v", c)
			}
		})
	}
}

// TestAReportBeforeTheFirstMessage checks that nothing at all is sent if the report
// was there before.
func TestAReportBeforeTheFirstMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		n := newNumber(l, accept)
		p := templates(3, true, func(c *plan.Campaign) { c.Canary = &plan.Canary{Count: 2, MaxFailureRate: 0.5} })
		rep, err := run(t, p, l, n, func(o *apply.Options) {
			o.Told = func() map[string]apply.Told {
				return map[string]apply.Told{p.Campaigns[0].Address: {Hold: delivery.ReasonTemplatePending}}
			}
		})
		if c := rep.Campaigns[0]; err != nil || len(n.times) > 0 || c.HeldFor[delivery.ReasonTemplatePending] != 3 {
			t.Errorf("%d requests; %+v, %v", len(n.times), c, err)
		}
	})
}

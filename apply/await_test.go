package apply_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// twoTemplates makes a plan of two campaigns with n templates each, on one number.
func twoTemplates(n int, canary *plan.Canary) *plan.Plan {
	p := twoCampaigns(n)
	p.Drafts[0].Message = &message.Template{Name: "order_ready", Language: "en"}
	p.Campaigns[0].Canary = canary
	for i := range p.Campaigns {
		p.Campaigns[i].Template = "template.ready"
	}
	return p
}

// TestOthersAreSentMeanwhile checks that a campaign whose template is waited for keeps
// no other from being sent, that the lane stays until the wait is over, and that the
// campaign then is sent or held as the wait ends.
func TestOthersAreSentMeanwhile(t *testing.T) {
	for _, hold := range []delivery.Reason{delivery.ReasonNone, delivery.ReasonTemplatePending} {
		for _, canary := range []*plan.Canary{nil, {Count: 2, MaxFailureRate: 0.5}} {
			synctest.Test(t, func(t *testing.T) {
				l := newLedger(t)
				n := newNumber(l, accept)
				began := time.Now()
				await := apply.NewAwait("campaign.spring")
				go func() {
					time.Sleep(time.Hour)
					await.End(map[string]delivery.Reason{"campaign.spring": hold})
				}()
				rep, err := run(t, twoTemplates(40, canary), l, n, func(o *apply.Options) { o.Await = await })
				if err != nil {
					t.Fatal(err)
				}
				early := 0
				for _, at := range n.times {
					if at.Sub(began) < time.Minute {
						early++
					}
				}
				spring, winter := rep.Campaigns[0], rep.Campaigns[1]
				if early != 40 || winter.Sent != 40 || time.Since(began) < time.Hour {
					t.Errorf("%d at once, %d of the other campaign, ended after %s", early, winter.Sent, time.Since(began))
				}
				switch {
				case hold == delivery.ReasonNone && (spring.Sent != 40 || len(n.times) != 80):
					t.Errorf("approved, and %d were sent", spring.Sent)
				case hold != delivery.ReasonNone && (spring.Sent != 0 || spring.HeldFor[hold] != 40):
					t.Errorf("not approved: %+v", spring)
				}
			})
		}
	}
}

// TestAWaitIsInterrupted checks that a stop ends the lane at once, whatever is waited
// for; nothing of the campaign that waits is sent.
func TestAWaitIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		n := newNumber(l, accept)
		await, stop := apply.NewAwait("campaign.spring"), make(chan struct{})
		began := time.Now()
		go func() {
			time.Sleep(time.Minute)
			close(stop)
			await.End(map[string]delivery.Reason{"campaign.spring": delivery.ReasonTemplatePending})
		}()
		rep, err := run(t, twoTemplates(5, nil), l, n, func(o *apply.Options) { o.Await, o.Stop = await, stop })
		spring, winter := rep.Campaigns[0], rep.Campaigns[1]
		if err != nil || !rep.Stopped || winter.Sent != 5 || spring.Sent != 0 || spring.Pending+spring.Held != 5 || time.Since(began) > time.Minute+time.Second {
			t.Errorf("%+v, %+v, %v after %s", spring, winter, err, time.Since(began))
		}
	})
}

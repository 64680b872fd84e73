package apply_test

import (
	"fmt"
	"iter"
	"testing"
	"testing/synctest"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

// templates makes a plan whose campaign sends a template that was read from the
// account, or one that is named by a text.
func templates(n int, read bool, change ...func(*plan.Campaign)) *plan.Plan {
	p := campaignOf(n, append(change, func(c *plan.Campaign) {
		if read {
			c.Template = "data.template.ready"
		}
	})...)
	p.Drafts[0].Message = &message.Template{Name: "order_ready", Language: "en"}
	return p
}

func refusing(code string, class message.Class, from int) func(string, int) message.Answer {
	sent := 0
	return func(string, int) message.Answer {
		if sent++; sent > from {
			return message.Answer{Class: class, Code: code, Title: "the template can't be sent"}
		}
		return message.Answer{Class: message.Accepted, ID: fmt.Sprint("m", sent)}
	}
}

func oneAtATime(o *apply.Options) { o.Parallelism = 1 }

// TestATemplateThatIsPausedMeanwhile checks that a template that is paused
// during the run holds the rest of its campaign, without failing anybody or
// stopping the number.
func TestATemplateThatIsPausedMeanwhile(t *testing.T) {
	for name, canary := range map[string]*plan.Canary{"": nil, "with a canary": {Count: 5, MaxFailureRate: 0.1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLedger(t)
				n := newNumber(l, refusing("132015", message.AccountFault, 3))
				p := templates(30, true, func(c *plan.Campaign) { c.Canary = canary })
				rep, err := run(t, p, l, n, oneAtATime)
				if err != nil {
					t.Fatal(err)
				}
				c := rep.Campaigns[0]
				if len(n.times) != 4 || c.Sent != 3 || c.Rejected != 0 || c.Halt != nil || rep.Run.Halted != "" {
					t.Errorf("%d requests; %+v", len(n.times), c)
				}
				if c.Pending != 0 || c.HeldFor[delivery.ReasonTemplatePaused] != 27 || len(c.Refused)+len(c.Unsent) > 0 {
					t.Errorf("the refused one does not wait like the rest: %+v", c)
				}
				again := newNumber(l, accept)
				again.ids = 1000
				if rep, err = run(t, templates(30, true), l, again); err != nil || rep.Campaigns[0].Accepted != 30 {
					t.Errorf("after the pause: %+v, %v", rep.Campaigns[0], err)
				}
			})
		})
	}
}

// TestATemplateThatIsGoneMeanwhile checks that a template that disappears
// during the run halts its campaign at once, without failing anybody.
func TestATemplateThatIsGoneMeanwhile(t *testing.T) {
	for code, class := range map[string]message.Class{"132001": message.Refused, "132016": message.AccountFault} {
		t.Run(code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLedger(t)
				n := newNumber(l, refusing(code, class, 3))
				rep, err := run(t, templates(30, true), l, n, oneAtATime)
				if err != nil {
					t.Fatal(err)
				}
				c := rep.Campaigns[0]
				if len(n.times) != 4 || c.Sent != 3 || c.Rejected != 0 || c.Pending != 27 || len(c.Refused) > 0 {
					t.Errorf("%d requests; %+v", len(n.times), c)
				}
				if c.Halt == nil || c.Halt.Reason != delivery.HaltTemplate || !c.Halt.Stays || c.Halt.Code != code {
					t.Errorf("halted by %+v", c.Halt)
				}
			})
		})
	}
}

// TestATemplateByItsNameAlone checks that a template that was not read from the
// account is not watched: the answers count as for other messages.
func TestATemplateByItsNameAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		rep, err := run(t, templates(5, false), l, newNumber(l, refusing("132001", message.Refused, 3)), oneAtATime)
		if c := rep.Campaigns[0]; err != nil || c.Rejected != 2 || c.Halt != nil {
			t.Errorf("%+v, %v", c, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		rep, err := run(t, templates(5, false), l, newNumber(l, refusing("132015", message.AccountFault, 3)), oneAtATime)
		if c := rep.Campaigns[0]; err != nil || c.Halt == nil || c.Halt.Reason != delivery.HaltAccountFault {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

// TestWhatWaitsForItsTemplateIsNotSent checks that an entry that waits for its
// template is not sent, whatever its action and whatever the time.
func TestWhatWaitsForItsTemplateIsNotSent(t *testing.T) {
	for _, reason := range []delivery.Reason{delivery.ReasonTemplatePending, delivery.ReasonTemplatePaused} {
		for _, action := range []plan.Action{plan.Defer, plan.Retry, plan.Replace} {
			synctest.Test(t, func(t *testing.T) {
				l := newLedger(t)
				n := newNumber(l, accept)
				p := templates(3, true, func(c *plan.Campaign) {
					c.Counts = plan.Counts{Defer: map[delivery.Reason]int{reason: 3}}
				})
				all := p.Entries
				p.Entries = func() iter.Seq2[plan.Entry, error] {
					return func(yield func(plan.Entry, error) bool) {
						for e, err := range all() {
							e.Action, e.Reason = action, reason
							if !yield(e, err) {
								return
							}
						}
					}
				}
				rep, err := run(t, p, l, n)
				if len(n.times) > 0 {
					t.Errorf("%s, %s: %d were sent", reason, action, len(n.times))
				}
				if c := rep.Campaigns[0]; action == plan.Defer && (err != nil || c.HeldFor[reason] != 3 || c.Planned != 3) {
					t.Errorf("%s, %s: %+v, %v", reason, action, c, err)
				}
			})
		}
	}
}

// TestWhatWaitsForItsTemplateToBeMade checks that a campaign whose template was
// not approved as planned sends nothing, and that nobody is recorded as
// refused.
func TestWhatWaitsForItsTemplateToBeMade(t *testing.T) {
	for _, held := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			l := newLedger(t)
			n := newNumber(l, accept)
			p := templates(3, true)
			rep, err := run(t, p, l, n, func(opt *apply.Options) {
				if held {
					opt.Hold = map[string]delivery.Reason{p.Campaigns[0].Address: delivery.ReasonTemplatePending}
				}
			})
			c := rep.Campaigns[0]
			if held && (err != nil || len(n.times) > 0 || c.HeldFor[delivery.ReasonTemplatePending] != 3 || c.Planned != 3) {
				t.Errorf("%d were sent: %+v, %v", len(n.times), c, err)
			}
			if !held && (err != nil || c.Accepted != 3) {
				t.Errorf("not held: %+v, %v", c, err)
			}
		})
	}
}

package apply_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/message"
)

// During an outage, whatever happens between its unclear answers, at most as
// many messages as the breaker allows are left in doubt before the number
// halts.
func TestMixedOutageHaltsWithinTheBreakersBound(t *testing.T) {
	unclear := message.Answer{Class: message.Unknown, Title: "time-out"}
	refused := message.Answer{Class: message.NotSent, Title: "connection refused"}
	throttled := message.Answer{Class: message.Throttled, Code: "130429"}
	cases := map[string][]message.Answer{
		"refused connections between time-outs":      {refused, unclear},
		"throttles between time-outs":                {unclear, throttled},
		"mostly refused connections":                 {refused, refused, refused, unclear},
		"one refused connection after two time-outs": {unclear, unclear, refused},
		"all three": {throttled, unclear, refused},
	}
	for name, answers := range cases {
		for _, parallelism := range []int{1, 8} {
			t.Run(fmt.Sprintf("%s, %d in flight", name, parallelism), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l := newLedger(t)
					var k atomic.Int64
					n := newNumber(l, func(string, int) message.Answer { return answers[int(k.Add(1))%len(answers)] })
					rep, err := run(t, campaignOf(1500), l, n, func(o *apply.Options) { o.Parallelism = parallelism })
					if err != nil {
						t.Fatal(err)
					}
					c := rep.Campaigns[0]
					if c.InDoubt > parallelism+5+5 || c.Halt == nil {
						t.Errorf("%d in doubt, halt %+v", c.InDoubt, c.Halt)
					}
				})
			})
		}
	}
}

// A slow outage counts too: five unclear answers in a row trip the breaker,
// however far apart they are.
func TestSlowOutageTripsTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		n := newNumber(l, func(string, int) message.Answer { return message.Answer{Class: message.Unknown, Title: "time-out"} })
		n.latency = 40e9
		rep, err := run(t, campaignOf(300), l, n, func(o *apply.Options) { o.Parallelism = 1 })
		if err != nil {
			t.Fatal(err)
		}
		if c := rep.Campaigns[0]; c.InDoubt > 1+5+5 || c.Halt == nil || c.Halt.Reason != "breaker" {
			t.Errorf("%d in doubt, halt %+v", c.InDoubt, c.Halt)
		}
	})
}

// Outages that end before the breaker gives up do not add up.
func TestBreakerForgetsAnOutageThatEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		var k atomic.Int64
		n := newNumber(l, func(string, int) message.Answer {
			if k.Add(1)%9 < 7 { // five trip the breaker, and two are probes
				return message.Answer{Class: message.Unknown, Title: "time-out"}
			}
			return message.Answer{Class: message.Accepted, ID: fmt.Sprint("wamid.", k.Load())}
		})
		rep, err := run(t, campaignOf(90), l, n, func(o *apply.Options) { o.Parallelism = 1 })
		if err != nil {
			t.Fatal(err)
		}
		if c := rep.Campaigns[0]; c.Halt != nil || c.Pending != 0 {
			t.Errorf("halt %+v, %d pending", c.Halt, c.Pending)
		}
	})
}

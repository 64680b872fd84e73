package statetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// ordered returns an intent for a delivery that was accepted and that somebody
// ordered again.
func ordered(s state.Store, recipient string, attempt int) state.Intent {
	in := intent(s, recipient)
	in.Attempt, in.Again = attempt, true
	in.Ref = message.NewRef(lineage(s), in.Campaign, recipient, 1, attempt)
	return in
}

func (u suite) TestAnOrderToSendAgain(t *testing.T) {
	for _, tc := range []struct {
		name    string
		outcome *state.Outcome // of the attempt before; nil leaves it open
		attempt int
		want    state.Verdict
	}{
		{"accepted", &state.Outcome{Send: state.Accepted, ID: "x", Proof: state.ProofResponse}, 2, state.Verdict{Attempt: 2}},
		{"accepted, the same attempt", &state.Outcome{Send: state.Accepted, ID: "x", Proof: state.ProofResponse}, 1, state.Verdict{Gate: delivery.GateSent}},
		{"accepted, an attempt too far", &state.Outcome{Send: state.Accepted, ID: "x", Proof: state.ProofResponse}, 3, state.Verdict{Gate: delivery.GateSent}},
		{"open", nil, 2, state.Verdict{Gate: delivery.GateDoubt}},
		{"in doubt", &state.Outcome{Send: state.InDoubt}, 2, state.Verdict{Gate: delivery.GateDoubt}},
		{"not taken", &state.Outcome{Send: state.Pending}, 2, state.Verdict{Attempt: 2}},
		{"not taken, by an old plan", &state.Outcome{Send: state.Pending}, 1, state.Verdict{Gate: delivery.GateAttempt, Next: 2, Was: state.Pending}},
		{"refused", &state.Outcome{Send: state.Rejected, Code: "131026"}, 2, state.Verdict{Gate: delivery.GateRefused}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := u.create(t)
			run := begin(t, s)
			v := intend(t, s, run, intent(s, phone(1)))
			if tc.outcome != nil {
				o := *tc.outcome
				o.Attempt, o.At = v[0].Attempt, noon
				settle(t, s, run, o)
			}
			got := intend(t, s, run, ordered(s, phone(1), tc.attempt))[0]
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

// sentAgain makes a delivery that was accepted as wamid.YWE= and ordered again; its
// second attempt is open.
func (u suite) sentAgain(t *testing.T) (state.Store, *testClock, state.Lane, state.Verdict) {
	t.Helper()
	s, clock := u.create(t)
	run := begin(t, s)
	settle(t, s, run, accepted(intend(t, s, run, intent(s, phone(1)))[0], "wamid.YWE="))
	clock.now = clock.now.Add(time.Hour)
	return s, clock, run, intend(t, s, run, ordered(s, phone(1), 2))[0]
}

func (u suite) TestOneOrderSendsOnce(t *testing.T) {
	s, _, run, v := u.sentAgain(t)
	for _, o := range []*state.Outcome{nil, {Send: state.InDoubt}, {Send: state.Accepted, ID: "wamid.YWI=", Proof: state.ProofEcho}} {
		if o != nil {
			o.Attempt, o.At = v.Attempt, noon
			settle(t, s, run, *o)
		}
		if got := intend(t, s, run, ordered(s, phone(1), 2))[0]; got.Gate == "" {
			t.Errorf("the same order sent twice, with %+v", o)
		}
	}
	if got := intend(t, s, run, intent(s, phone(1)))[0]; got.Gate != delivery.GateSent {
		t.Errorf("without an order: %+v", got)
	}
}

// Late events of the first message change nothing about the second one.
func (u suite) TestLateEventsOfTheFirstMessage(t *testing.T) {
	for name, late := range map[string]func(state.Store) message.Event{
		"by reference": func(s state.Store) message.Event {
			return failure("wamid.YWE=", intent(s, phone(1)).Ref, "131026", noon)
		},
		"by id": func(state.Store) message.Event { return status("wamid.YWE=", "", message.RankRead, noon) },
		"with another id still": func(s state.Store) message.Event {
			return status("wamid.YWM=", intent(s, phone(1)).Ref, message.RankRead, noon)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, _, v := u.sentAgain(t)
			before := oneDelivery(t, s)
			if before.Send != state.Sending || before.Attempt != 2 {
				t.Fatalf("%+v", before)
			}
			events(t, s, late(s))
			if diff := cmp.Diff(before, oneDelivery(t, s)); diff != "" {
				t.Errorf("the second message changed (-before +after):\n%s", diff)
			}
			events(t, s, status("wamid.YWI=", ordered(s, phone(1), 2).Ref, message.RankDelivered, noon))
			if d := oneDelivery(t, s); d.Send != state.Accepted || d.ID != "wamid.YWI=" || d.Rank != message.RankDelivered {
				t.Errorf("attempt %d: %+v", v.Attempt, d)
			}
		})
	}
}

// The echo of an attempt that was denied before the accepted one belongs to the
// first order, not to the second.
func (u suite) TestTheEchoOfADeniedAttemptLeavesALaterOrderAlone(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	first := intent(s, phone(1))
	settle(t, s, run, state.Outcome{Attempt: intend(t, s, run, first)[0].Attempt, Send: state.Pending, At: noon})
	second := intent(s, phone(1))
	second.Attempt, second.Ref = 2, message.NewRef(lineage(s), second.Campaign, second.Recipient, 1, 2)
	settle(t, s, run, accepted(intend(t, s, run, second)[0], "wamid.YWI="))
	v := intend(t, s, run, ordered(s, phone(1), 3))[0]
	settle(t, s, run, state.Outcome{Attempt: v.Attempt, Send: state.InDoubt, Cause: "timeout", At: noon})
	events(t, s, status("wamid.YWE=", first.Ref, message.RankRead, noon))
	if d := oneDelivery(t, s); d.Send != state.InDoubt || d.Rank != message.RankNone {
		t.Errorf("the second order is %s, %s", d.Send, d.Rank)
	}
	if found, err := s.Findings(t.Context()); err != nil || len(found) != 1 || found[0].Kind != state.FindingDuplicate {
		t.Errorf("findings %+v, %v", found, err)
	}
}

// The newest attempt stands for the delivery wherever deliveries are counted. What
// belongs to the first attempt moves with the delivery.
func (u suite) TestADeliveryThatWasOrderedAgainIsOne(t *testing.T) {
	key := state.Key{Campaign: "campaign.spring", Recipient: phone(1), Revision: 1}
	for _, tc := range []struct {
		name   string
		change func(s state.Store, clock *testClock) error
		want   []state.Key
	}{
		{"as it is", func(state.Store, *testClock) error { return nil }, []state.Key{key}},
		{"moved", func(s state.Store, _ *testClock) error {
			return s.Move(t.Context(), "campaign.spring", "campaign.easter")
		}, []state.Key{{Campaign: "campaign.easter", Recipient: phone(1), Revision: 1}}},
		{"removed", func(s state.Store, _ *testClock) error {
			_, err := s.Remove(t.Context(), "campaign.spring")
			return err
		}, nil},
		{"pruned after a new revision", func(s state.Store, clock *testClock) error {
			clock.now = clock.now.Add(60 * 24 * time.Hour)
			in := intent(s, phone(2))
			in.Revision, in.Ref = 2, "r"
			run := begin(t, s)
			settle(t, s, run, accepted(intend(t, s, run, in)[0], "z"))
			_, err := s.Prune(t.Context(), clock.now.Add(-24*time.Hour))
			return err
		}, []state.Key{{Campaign: "campaign.spring", Recipient: phone(2), Revision: 2}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, clock, run, v := u.sentAgain(t)
			settle(t, s, run, accepted(v, "wamid.YWI="))
			if err := tc.change(s, clock); err != nil {
				t.Fatal(err)
			}
			var got []state.Key
			for _, d := range deliveries(t, s) {
				got = append(got, d.Key)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("deliveries (-want +got):\n%s", diff)
			}
			for _, k := range tc.want {
				if n, err := s.Tally(t.Context(), k.Campaign, k.Revision); err != nil || n.Accepted != 1 {
					t.Errorf("tally of %s: %+v, %v", k.Campaign, n, err)
				}
			}
		})
	}
}

// In whatever order intents and events come, a message is sent once, and once more
// for each order, but only after the previous one was accepted.
func (u suite) TestMessagesAreAsManyAsOrders(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, _ := u.create(rt)
		run := begin(rt, s)
		orders, taken := 0, 0
		open := map[int]state.Verdict{}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			attempt := rapid.IntRange(1, 6).Draw(rt, "attempt")
			in := ordered(s, phone(1), attempt)
			in.Again, in.Retry = rapid.Bool().Draw(rt, "again"), rapid.Bool().Draw(rt, "retry")
			before := deliveries(rt, s)
			v := intend(rt, s, run, in)[0]
			if v.Gate == "" {
				if len(before) == 1 && before[0].Send == state.Accepted {
					orders++
					if !in.Again || attempt != before[0].Attempt+1 {
						rt.Fatalf("%+v was let through after %+v", in, before[0])
					}
				}
				open[attempt] = v
			}
			for a, v := range open {
				send := rapid.SampledFrom([]state.Send{state.Accepted, state.Pending, state.Rejected, state.InDoubt, state.Sending}).Draw(rt, "send")
				if send == state.Sending {
					continue
				}
				o := state.Outcome{Attempt: v.Attempt, Send: send, At: noon}
				if send == state.Accepted {
					o.ID, o.Proof = wamidOf(a), state.ProofResponse
					taken++
				}
				settle(rt, s, run, o)
				delete(open, a)
			}
		}
		if taken > orders+1 {
			rt.Fatalf("%d messages for %d orders", taken, orders)
		}
		if all := deliveries(rt, s); len(all) > 1 {
			rt.Fatalf("%d deliveries", len(all))
		}
	})
}

package statetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/state"
)

// Two messages to one person are 6 seconds apart, whether two campaigns send them or
// two applies, one after the other.
func (u suite) TestSpacing(t *testing.T) {
	for name, test := range map[string]struct {
		send  state.Send // of the first message
		after time.Duration
		to    string // the second
		want  delivery.Gate
	}{
		"at once":                        {state.Accepted, 0, phone(1), delivery.GateSpacing},
		"5.9 seconds later":              {state.Accepted, 5900 * time.Millisecond, phone(1), delivery.GateSpacing},
		"while the first is under way":   {state.Sending, time.Second, phone(1), delivery.GateSpacing},
		"the first is in doubt":          {state.InDoubt, time.Second, phone(1), delivery.GateSpacing},
		"the first was refused":          {state.Rejected, time.Second, phone(1), delivery.GateSpacing},
		"the first was not taken":        {state.Pending, time.Second, phone(1), ""},
		"7 seconds later":                {state.Accepted, 7 * time.Second, phone(1), ""},
		"somebody else":                  {state.Accepted, 0, phone(2), ""},
		"another spelling of the number": {state.Accepted, 0, "+551187654321", delivery.GateSpacing},
	} {
		t.Run(name, func(t *testing.T) {
			s, clock := u.create(t)
			first := intent(s, phone(1))
			if other := message.OtherSpelling(test.to); other != "" {
				first = intent(s, other)
			}
			run := begin(t, s)
			o := state.Outcome{Attempt: intend(t, s, run, first)[0].Attempt, Send: test.send, At: clock.now}
			if o.Send == state.Accepted {
				o.ID, o.Proof = "wamid.1", state.ProofResponse
			}
			if o.Send != state.Sending {
				settle(t, s, run, o)
			}
			clock.now = clock.now.Add(test.after)
			run = begin(t, s)
			second := intent(s, test.to)
			second.Campaign, second.Spacing = "campaign.other", delivery.Spacing
			v := intend(t, s, run, second)[0]
			if v.Gate != test.want || v.Gate != "" && (!v.Until.After(clock.now) || v.Until.Sub(clock.now) > 7*time.Second) {
				t.Fatalf("got %+v, want %q", v, test.want)
			}
			if v.Gate == "" {
				return
			}
			clock.now = v.Until
			if v := intend(t, s, run, second)[0]; v.Gate != "" {
				t.Errorf("when it was told to come again: got %+v", v)
			}
		})
	}
}

// No slot of a number is given twice. An intent gets no slot that is far away, and
// none before the end of a pause that the provider asked for.
func (u suite) TestSlots(t *testing.T) {
	s, clock := u.create(t)
	lanes := beginAt(t, s, mainNumber, otherNumber)
	main, other := lanes[0], lanes[1]
	ask := func(i int, of state.Lane) state.Verdict {
		in := intent(s, phone(i))
		in.Pace = pace.Ask{Gap: 100 * time.Millisecond, After: clock.now}
		return intend(t, s, of, in)[0]
	}
	first := ask(0, main).Leave
	for i, want := range []time.Duration{100, 200} {
		if v := ask(i+1, main); v.Gate != "" || v.Leave.Sub(first) != want*time.Millisecond {
			t.Errorf("slot %d: got %+v after %v", i+1, v, first)
		}
	}
	if v := ask(3, main); v.Gate != delivery.GatePace || v.Until.Sub(first) != 300*time.Millisecond {
		t.Errorf("one that is far away: got %+v after %v", v, first)
	}
	if v := ask(3, other); v.Gate != "" || !v.Leave.Equal(first) {
		t.Errorf("another number: got %+v", v)
	}
	missed, err := s.Slots(t.Context(), mainNumber, pace.Ask{Gap: 100 * time.Millisecond, After: clock.now}, 20)
	if err != nil || missed.Sub(first) != 300*time.Millisecond {
		t.Errorf("who missed theirs: got %v, %v", missed, err)
	}
	clock.now = clock.now.Add(10 * time.Second)
	v := ask(4, main)
	settle(t, s, main, state.Outcome{Attempt: v.Attempt, Send: state.Pending, Code: "130429", At: clock.now, Number: mainNumber, Hold: clock.now.Add(time.Minute)})
	if v := ask(5, main); v.Gate != delivery.GatePace || v.Until.Sub(clock.now) != time.Minute {
		t.Errorf("during a pause: got %+v", v)
	}
	clock.now = clock.now.Add(time.Minute)
	in := intent(s, phone(6))
	in.Pace = pace.Ask{Gap: time.Second, After: clock.now}
	if _, err := s.Turn(t.Context(), answering(t, s, mainNumber), nil, []state.Intent{in}); err == nil {
		t.Error("a reply to nothing was written")
	}
	if v := ask(7, main); v.Gate != "" || !v.Leave.Equal(clock.now) {
		t.Errorf("after the pause, and a transaction that failed: got %+v", fmt.Sprint(v))
	}
}

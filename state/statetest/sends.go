package statetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

func (u suite) TestDeliveryIsReadAsItWasWritten(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	for _, recipient := range []string{"+4915112345678", "US.13491208655302741918"} {
		in := intent(s, recipient)
		v := intend(t, s, run, in)
		settle(t, s, run, accepted(v[0], "wamid.HBgNNDkxNTExMjM0NTY3OBUCABEYEjdBRkE5RjQ3QkUwM0M3OEI1RAA="))
		want := state.Delivery{Key: in.Key, To: in.To, Send: state.Accepted, Attempt: 1, Ref: in.Ref, Message: in.Message, Digest: in.Digest,
			ID: "wamid.HBgNNDkxNTExMjM0NTY3OBUCABEYEjdBRkE5RjQ3QkUwM0M3OEI1RAA=", Proof: state.ProofResponse, Intended: noon, Settled: noon}
		all := deliveries(t, s)
		if diff := cmp.Diff(want, all[len(all)-1]); diff != "" {
			t.Errorf("delivery to %s (-want +got):\n%s", recipient, diff)
		}
	}
}

func (u suite) TestASecondAttemptIsGated(t *testing.T) {
	for _, tc := range []struct {
		name    string
		outcome *state.Outcome
		again   func(*state.Intent)
		gate    delivery.Gate
		next    int
	}{
		{"open", nil, nil, delivery.GateDoubt, 0},
		{"accepted", &state.Outcome{Send: state.Accepted, ID: "x", Proof: state.ProofResponse}, nil, delivery.GateSent, 0},
		{"accepted, as a retry", &state.Outcome{Send: state.Accepted, ID: "x", Proof: state.ProofResponse}, func(in *state.Intent) { in.Attempt, in.Retry = 2, true }, delivery.GateSent, 0},
		{"in doubt", &state.Outcome{Send: state.InDoubt, Cause: "timeout"}, func(in *state.Intent) { in.Attempt, in.Retry = 2, true }, delivery.GateDoubt, 0},
		{"refused", &state.Outcome{Send: state.Rejected, Code: "131026"}, func(in *state.Intent) { in.Attempt = 2 }, delivery.GateRefused, 0},
		{"refused, as a retry", &state.Outcome{Send: state.Rejected, Code: "131026"}, func(in *state.Intent) { in.Attempt, in.Retry = 2, true }, "", 0},
		{"not taken", &state.Outcome{Send: state.Pending, Code: "130429"}, func(in *state.Intent) { in.Attempt = 2 }, "", 0},
		{"not taken, by an old plan", &state.Outcome{Send: state.Pending, Code: "130429"}, nil, delivery.GateAttempt, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := u.create(t)
			run := begin(t, s)
			in := intent(s, phone(1))
			v := intend(t, s, run, in)
			if tc.outcome != nil {
				o := *tc.outcome
				o.Attempt, o.At = v[0].Attempt, noon
				settle(t, s, run, o)
			}
			if tc.again != nil {
				tc.again(&in)
			}
			in.Ref = message.NewRef(lineage(s), in.Campaign, in.Recipient, 1, in.Attempt)
			got := intend(t, s, run, in)[0]
			if got.Gate != tc.gate || got.Next != tc.next || (got.Attempt != 0) != (tc.gate == "") {
				t.Errorf("verdict %+v, want gate %q", got, tc.gate)
			}
		})
	}
}

func (u suite) TestGatesOfAPerson(t *testing.T) {
	inbound := func(at time.Time) message.Event {
		return message.Event{Kind: message.EventInbound, ID: "in1", At: at, From: message.Address{Phone: phone(1)}, Type: "text", Text: "hi"}
	}
	for _, tc := range []struct {
		name   string
		events []message.Event
		before func(state.Store) error
		change func(*state.Intent)
		gate   delivery.Gate
		until  time.Time
	}{
		{name: "nothing known, marketing", change: func(in *state.Intent) { in.Marketing = true }},
		{name: "opted out", before: func(s state.Store) error { return s.OptOut(context.Background(), phone(1), "stop_word", "STOP") },
			change: func(in *state.Intent) { in.Marketing = true }, gate: delivery.GateOptedOut},
		{name: "opted out, a reply", before: func(s state.Store) error { return s.OptOut(context.Background(), phone(1), "stop_word", "STOP") },
			change: func(*state.Intent) {}},
		{name: "opted out and in again", before: func(s state.Store) error {
			return errors.Join(s.OptOut(context.Background(), phone(1), "stop_word", "STOP"), s.OptIn(context.Background(), phone(1), "START"))
		}, change: func(in *state.Intent) { in.Marketing = true }},
		{name: "erased", before: func(s state.Store) error { return s.Erase(context.Background(), phone(1)) },
			change: func(in *state.Intent) { in.Marketing = true }, gate: delivery.GateOptedOut},
		{name: "window unknown", change: func(in *state.Intent) { in.Window = true }, gate: delivery.GateWindowUnknown},
		{name: "window assumed open", change: func(in *state.Intent) { in.Window, in.AssumeOpen = true, true }},
		{name: "window claimed", change: func(in *state.Intent) { in.Window, in.KnownUntil = true, noon.Add(time.Hour) }},
		{name: "window open", events: []message.Event{inbound(noon.Add(-23 * time.Hour))}, change: func(in *state.Intent) { in.Window = true }},
		{name: "window ends in half a minute", events: []message.Event{inbound(noon.Add(-24*time.Hour + 30*time.Second))},
			change: func(in *state.Intent) { in.Window = true }, gate: delivery.GateWindowClosed},
		{name: "window closed, though assumed open", events: []message.Event{inbound(noon.Add(-25 * time.Hour))},
			change: func(in *state.Intent) { in.Window, in.AssumeOpen = true, true }, gate: delivery.GateWindowClosed},
		{name: "stopped in WhatsApp", events: []message.Event{{Kind: message.EventPreference, At: noon, From: message.Address{Phone: phone(1)}, OptOut: true}},
			change: func(in *state.Intent) { in.Marketing = true }, gate: delivery.GateOptedOut},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := u.create(t)
			run := begin(t, s)
			if tc.before != nil {
				if err := tc.before(s); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Events(t.Context(), "provider.cloud.main", tc.events); err != nil {
				t.Fatal(err)
			}
			in := intent(s, phone(1))
			tc.change(&in)
			v := intend(t, s, run, in)[0]
			if v.Gate != tc.gate || !v.Until.Equal(tc.until) {
				t.Errorf("verdict %+v, want gate %q", v, tc.gate)
			}
		})
	}
}

func (u suite) TestFrequencyCap(t *testing.T) {
	s, clock := u.create(t)
	run := begin(t, s)
	in := intent(s, phone(1))
	for i := range 3 {
		in.Campaign = fmt.Sprintf("campaign.n%d", i)
		in.Ref = fmt.Sprint("ref", i)
		in.CapCount, in.CapPer = 2, 48*time.Hour
		v := intend(t, s, run, in)[0]
		if i < 2 {
			if v.Gate != "" {
				t.Fatalf("message %d: %+v", i, v)
			}
			settle(t, s, run, accepted(v, fmt.Sprint("id", i)))
			clock.now = clock.now.Add(time.Hour)
			continue
		}
		if want := noon.Add(48 * time.Hour); v.Gate != delivery.GateCap || !v.Until.Equal(want) {
			t.Errorf("third message: %+v, want %s until %s", v, delivery.GateCap, want)
		}
	}
}

// A cap limits campaigns: answers to a person do not count.
func (u suite) TestAnswersCountForNoCap(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	answer := intent(s, phone(1))
	answer.Campaign, answer.Inbound, answer.Ref = "reply_rule.hello", 1, "answer"
	lane := answering(t, s, mainNumber)
	v := intend(t, s, lane, answer)[0]
	settle(t, s, lane, accepted(v, wamidOf(1)))
	in := intent(s, phone(1))
	in.CapCount, in.CapPer = 1, time.Hour
	if v := intend(t, s, run, in)[0]; v.Gate != "" {
		t.Errorf("after an answer: %+v", v)
	}
	in.Campaign, in.Ref = "campaign.summer", "summer"
	if v := intend(t, s, run, in)[0]; v.Gate != delivery.GateCap {
		t.Errorf("after a campaign: %+v", v)
	}
}

func (u suite) TestFencing(t *testing.T) {
	s, _ := u.create(t)
	zombie := begin(t, s)
	v := intend(t, s, zombie, intent(s, phone(1)))[0]
	heir := begin(t, s)
	if _, err := s.Intend(t.Context(), zombie, []state.Intent{intent(s, phone(2))}); !errors.Is(err, state.ErrFenced) {
		t.Errorf("a zombie's intent: %v, want %v", err, state.ErrFenced)
	}
	if err := s.Settle(t.Context(), zombie, []state.Outcome{accepted(v, "x")}); !errors.Is(err, state.ErrFenced) {
		t.Errorf("a zombie's outcome: %v, want %v", err, state.ErrFenced)
	}
	if d := deliveries(t, s); len(d) != 1 || d[0].Send != state.Accepted || d[0].ID != "x" {
		t.Errorf("the zombie's outcome is not recorded: %+v", d)
	}
	intend(t, s, heir, intent(s, phone(2)))
}

func (u suite) TestRecoverMakesDoubts(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	v := intend(t, s, run, intent(s, phone(1)), intent(s, phone(2)), intent(s, phone(3)))
	settle(t, s, run, accepted(v[1], "x"))
	n, err := s.Recover(t.Context(), mainNumber)
	if n != 2 || err != nil {
		t.Fatalf("recovered %d, %v; want 2", n, err)
	}
	if n, err = s.Recover(t.Context(), mainNumber); n != 0 || err != nil {
		t.Fatalf("recovered %d more, %v", n, err)
	}
	got, err := s.Tally(t.Context(), "campaign.spring", 1)
	if diff := cmp.Diff(state.Tally{Accepted: 1, InDoubt: 2}, got); diff != "" || err != nil {
		t.Errorf("tally (-want +got):\n%s%v", diff, err)
	}
	key := state.Key{Campaign: "campaign.spring", Recipient: phone(1), Revision: 1}
	if err := s.Resolve(t.Context(), key, state.Pending, "ann", "not in the log"); err != nil {
		t.Fatal(err)
	}
	if err := s.Resolve(t.Context(), state.Key{Campaign: "campaign.spring", Recipient: phone(3), Revision: 1}, state.Accepted, "ann", "seen on the phone"); err != nil {
		t.Fatal(err)
	}
	if err := s.Resolve(t.Context(), key, state.Accepted, "ann", "again"); err == nil {
		t.Error("a delivery that is not in doubt was resolved")
	}
	run = begin(t, s)
	in := intent(s, phone(1))
	in.Attempt, in.Ref = 2, message.NewRef(lineage(s), in.Campaign, in.Recipient, 1, 2)
	if v := intend(t, s, run, in)[0]; v.Gate != "" {
		t.Errorf("after resolve -as=not-sent: %+v", v)
	}
}

// Outcomes and new intents share one transaction: the intents see the outcomes, and
// neither is written without the other.
func (u suite) TestTurn(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	first := intend(t, s, run, intent(s, phone(1)), intent(s, phone(2)))
	stopped := accepted(first[0], "wamid.1")
	stopped.Send, stopped.ID, stopped.Proof, stopped.Code, stopped.OptOut = state.Rejected, "", "", "131050", true
	other := intent(s, phone(1))
	other.Campaign, other.Marketing = "campaign.other", true
	again := intent(s, phone(2)) // open until the same turn
	again.Attempt = 2
	taken := state.Outcome{Attempt: first[1].Attempt, Send: state.Pending, Code: "131056", At: noon}
	got, err := s.Turn(t.Context(), run, []state.Outcome{stopped, taken}, []state.Intent{other, again, intent(s, phone(3))})
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Gate != delivery.GateOptedOut || got[1].Attempt == 0 || got[2].Attempt == 0 {
		t.Errorf("got %+v", got)
	}

	// An invalid intent fails the whole turn.
	before := deliveries(t, s)
	_, err = s.Turn(t.Context(), answering(t, s, mainNumber), []state.Outcome{accepted(got[2], "wamid.3")}, []state.Intent{intent(s, phone(4))})
	if err == nil {
		t.Error("a reply to nothing was written")
	}
	if after := deliveries(t, s); len(after) != len(before) || after[len(after)-1].Send != state.Sending {
		t.Errorf("got %+v", after)
	}
	// Another run has begun: the outcome is written, the intent is not.
	begin(t, s)
	_, err = s.Turn(t.Context(), run, []state.Outcome{accepted(got[2], "wamid.3")}, []state.Intent{intent(s, phone(4))})
	if !errors.Is(err, state.ErrFenced) {
		t.Errorf("got %v", err)
	}
	if after := deliveries(t, s); len(after) != len(before) || after[len(after)-1].Send != state.Accepted {
		t.Errorf("got %+v", after)
	}
}

// An answer counts even if it comes after the send was given up, and even if another
// run has begun since.
func (u suite) TestLateAnswer(t *testing.T) {
	refused := state.Outcome{Send: state.Rejected, Code: "131026", At: noon}
	untaken := state.Outcome{Send: state.Pending, Code: "130429", At: noon}
	cases := map[string]struct {
		resolve state.Send // what a person decided meanwhile; InDoubt for no decision
		answer  state.Outcome
		want    state.Send
		finding bool
	}{
		"accepted ends the doubt":                        {state.InDoubt, state.Outcome{Send: state.Accepted, ID: "wamid.late", Proof: state.ProofResponse, At: noon}, state.Accepted, false},
		"refused ends the doubt":                         {state.InDoubt, refused, state.Rejected, false},
		"certainly not taken ends the doubt":             {state.InDoubt, untaken, state.Pending, false},
		"unclear leaves the doubt":                       {state.InDoubt, state.Outcome{Send: state.InDoubt, Cause: "reset", At: noon}, state.InDoubt, false},
		"accepted stands against a person's not-sent":    {state.Pending, state.Outcome{Send: state.Accepted, ID: "wamid.late", Proof: state.ProofResponse, At: noon}, state.Accepted, true},
		"refused after a person's not-sent says nothing": {state.Pending, refused, state.Pending, false},
		"refused after a person's sent is a finding":     {state.Accepted, refused, state.Accepted, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s, _ := u.create(t)
			zombie := begin(t, s)
			v := intend(t, s, zombie, intent(s, phone(7)))[0]
			begin(t, s)
			if _, err := s.Recover(t.Context(), mainNumber); err != nil {
				t.Fatal(err)
			}
			if c.resolve != state.InDoubt {
				if err := s.Resolve(t.Context(), state.Key{Campaign: "campaign.spring", Recipient: phone(7), Revision: 1}, c.resolve, "kim", "asked the provider"); err != nil {
					t.Fatal(err)
				}
			}
			c.answer.Attempt = v.Attempt
			if _, err := s.Turn(t.Context(), zombie, []state.Outcome{c.answer}, nil); err == nil {
				t.Error("the run is not told that it was overtaken")
			}
			d := deliveries(t, s)
			if len(d) != 1 || d[0].Send != c.want || d[0].ID != c.answer.ID {
				t.Errorf("got %+v, want %s", d, c.want)
			}
			if found, err := s.Findings(t.Context()); err != nil || len(found) > 0 != c.finding {
				t.Errorf("findings %+v, %v", found, err)
			}
		})
	}
}

// TestCooldownIsAboutMarketing checks that after 131049 a marketing template waits a
// day, and any other message does not wait.
func (u suite) TestCooldownIsAboutMarketing(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	v := intend(t, s, run, intent(s, phone(1)))
	until := noon.Add(24 * time.Hour)
	settle(t, s, run, state.Outcome{Attempt: v[0].Attempt, Send: state.Rejected, Code: "131049", Cooldown: until})
	next := intent(s, phone(1))
	next.Campaign, next.Ref, next.Marketing = "campaign.summer", "", true
	if v := intend(t, s, run, next)[0]; v.Gate != delivery.GateCooldown || v.Until.Sub(until).Abs() > time.Millisecond {
		t.Errorf("marketing: %+v", v)
	}
	next.NoCooldown = true
	if v := intend(t, s, run, next)[0]; v.Gate != "" {
		t.Errorf("no marketing: %+v", v)
	}
}

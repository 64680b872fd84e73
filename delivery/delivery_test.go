package delivery

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/message"
)

const now = int64(1_900_000_000_000)

func ago(d time.Duration) int64 { return now - d.Milliseconds() }

func TestWindow(t *testing.T) {
	for _, tt := range []struct {
		name   string
		window Window
		claim  int64
		assume bool
		want   Gate
	}{
		{name: "a stranger's window is unknown", want: GateWindowUnknown},
		{name: "an unknown window may be assumed to be open", assume: true},
		{name: "who just wrote may be answered", window: Window{Inbound: ago(time.Minute)}},
		{name: "a window is open until two minutes before its end", window: Window{Inbound: ago(24*time.Hour-2*time.Minute) + 1}},
		{name: "a window is closed from two minutes before its end", window: Window{Inbound: ago(24*time.Hour - 2*time.Minute)}, want: GateWindowClosed},
		{name: "a window that is known to be closed is not assumed to be open", window: Window{Inbound: ago(25 * time.Hour)}, assume: true, want: GateWindowClosed},
		{name: "a window that was found closed stays closed", window: Window{Inbound: ago(time.Hour), Shut: ago(time.Minute)}, want: GateWindowClosed},
		{name: "a window found closed in the moment of the message is closed", window: Window{Inbound: ago(time.Hour), Shut: ago(time.Hour)}, want: GateWindowClosed},
		{name: "a message after the correction opens the window", window: Window{Inbound: ago(time.Minute), Shut: ago(time.Hour)}},
		{name: "a correction alone closes the window", window: Window{Shut: ago(time.Hour)}, assume: true, want: GateWindowClosed},
		{name: "a claim opens the window", claim: ago(time.Hour)},
		{name: "a claim that is older than the correction opens nothing", window: Window{Shut: ago(time.Minute)}, claim: ago(time.Hour), want: GateWindowClosed},
		{name: "a claim as old as the correction opens nothing", window: Window{Shut: ago(time.Hour)}, claim: ago(time.Hour), want: GateWindowClosed},
		{name: "a claim that is newer than the correction opens the window", window: Window{Shut: ago(time.Hour)}, claim: ago(time.Minute)},
		{name: "a claim about the future proves nothing", claim: now + 1, want: GateWindowUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := tt.window
			if tt.claim != 0 {
				w = w.Claim(tt.claim, now)
			}
			if got := w.Gate(now, tt.assume); got != tt.want {
				t.Errorf("gate %q, want %q", got, tt.want)
			}
		})
	}
}

func TestOnce(t *testing.T) {
	for _, tt := range []struct {
		name string
		last Attempt
		next Order
		want Gate
	}{
		{name: "a first attempt goes", next: Order{Number: 1}},
		{name: "a second attempt without a first one does not", next: Order{Number: 2}, want: GateAttempt},
		{name: "what was accepted is not sent again", last: Attempt{1, Accepted}, next: Order{Number: 2, Retry: true}, want: GateSent},
		{name: "an order sends what was accepted once more", last: Attempt{1, Accepted}, next: Order{Number: 2, Again: true}},
		{name: "an order sends once", last: Attempt{2, Accepted}, next: Order{Number: 2, Again: true}, want: GateSent},
		{name: "what is open is in doubt", last: Attempt{1, Sending}, next: Order{2, true, true}, want: GateDoubt},
		{name: "a doubt is not sent again by any order", last: Attempt{1, InDoubt}, next: Order{2, true, true}, want: GateDoubt},
		{name: "what was refused is not tried again by itself", last: Attempt{1, Rejected}, next: Order{Number: 2}, want: GateRefused},
		{name: "a retry sends what was refused", last: Attempt{1, Rejected}, next: Order{Number: 2, Retry: true}},
		{name: "what was certainly not taken goes again", last: Attempt{3, Pending}, next: Order{Number: 4}},
		{name: "who is held out gets no first attempt", last: Attempt{1, HeldOut}, next: Order{Number: 1}, want: GateHeldOut},
		{name: "who is held out gets nothing by any order", last: Attempt{1, HeldOut}, next: Order{2, true, true}, want: GateHeldOut},
		{name: "a number that was used is not used again", last: Attempt{3, Pending}, next: Order{Number: 3}, want: GateAttempt},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.last.Once(tt.next); got != tt.want {
				t.Errorf("gate %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCap(t *testing.T) {
	c := Cap{Count: 2, Per: time.Hour}
	if g, _ := c.Gate([]int64{now}); g != GateNone {
		t.Errorf("one of two: %q", g)
	}
	if g, until := c.Gate([]int64{now, ago(10 * time.Minute)}); g != GateCap || until != now+(50*time.Minute).Milliseconds() {
		t.Errorf("two of two: %q until %d", g, until)
	}
	g, until := c.Gate([]int64{now, ago(10 * time.Minute), ago(20 * time.Minute)})
	if want := now + (50 * time.Minute).Milliseconds(); g != GateCap || until != want {
		t.Errorf("three of two: %q until %d, want %d", g, until, want)
	}
	if got := c.Since(now); got != ago(time.Hour) {
		t.Errorf("since %d", got)
	}
	if g, _ := (Cap{}).Gate([]int64{now}); g != GateNone {
		t.Errorf("without a cap: %q", g)
	}
}

func TestCooldown(t *testing.T) {
	until := cooldownUntil(now)
	if until-now != (24*time.Hour).Milliseconds() || !Cooling(until, until-1) || Cooling(until, until) {
		t.Errorf("a cool-down ends at %d", until)
	}
}

func TestConsequences(t *testing.T) {
	got := map[string]Consequence{}
	for _, code := range []string{"131050", "131049", "131047", "131026", ""} {
		got[code] = ConsequenceOf(code)
	}
	want := map[string]Consequence{"131050": ConsequenceStop, "131049": ConsequenceCool, "131047": ConsequenceShut, "131026": NoConsequence, "": NoConsequence}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestTransitions(t *testing.T) {
	every := []Proof{"", ProofResponse, ProofEcho, ProofPoll, ProofOperator}
	own := []Proof{ProofResponse, ProofEcho, ProofPoll}
	want := map[[2]Send][]Proof{
		{Pending, Sending}: every, {Pending, Accepted}: own,
		{Sending, Rejected}: every, {Sending, InDoubt}: every, {Sending, Pending}: every, {Sending, Accepted}: own,
		{InDoubt, Accepted}: every[1:], {InDoubt, Pending}: {ProofOperator}, {InDoubt, Rejected}: every,
		{Rejected, Accepted}: own,
	}
	got := map[[2]Send][]Proof{}
	for from := Pending; from <= InDoubt+1; from++ {
		for to := Pending; to <= InDoubt+1; to++ {
			for _, p := range every {
				if Transition(from, to, p) == nil {
					got[[2]Send{from, to}] = append(got[[2]Send{from, to}], p)
				}
			}
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("allowed (-want +got):\n%s", d)
	}
}

func TestAnOptOutWinsATie(t *testing.T) {
	out, in := Opt{OptedOut, now, "stop_word", ""}, Opt{OptedIn, now, "opt_in", ""}
	if out.Join(in) != out || in.Join(out) != out {
		t.Error("an opt-in as old as the opt-out took its place")
	}
	later := Opt{OptedIn, now + 1, "opt_in", ""}
	if out.Join(later) != later || later.Join(out) != later {
		t.Error("the newer choice does not hold")
	}
}

func TestStatusesKeepTheBestAndTheFirstFailure(t *testing.T) {
	got := Status{}.Reached(message.RankRead, now+5).Reached(message.RankDelivered, now).Reached(message.RankRead, now+2).
		Failed("2", "later", now+9).Failed("1", "first", now+1)
	want := Status{Rank: message.RankRead, RankAt: now + 2, FailedAt: now + 1, FailCode: "1", FailTitle: "first"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Joins end in the same result, whatever the order and the repetition.
func TestJoinsAreJoins(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		opt := rapid.Custom(func(rt *rapid.T) Opt {
			return Opt{Choice(rapid.IntRange(0, 2).Draw(rt, "choice")), int64(rapid.IntRange(1, 3).Draw(rt, "at")),
				rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "reason"), rapid.SampledFrom([]string{"c", "d"}).Draw(rt, "evidence")}
		})
		a, b, c := opt.Draw(rt, "a"), opt.Draw(rt, "b"), opt.Draw(rt, "c")
		if a.Choice == NoChoice {
			a = Opt{}
		}
		x, y := Opt{}.Join(a).Join(b).Join(c).Join(b), Opt{}.Join(c).Join(b).Join(a)
		if x != y {
			rt.Errorf("opt-outs join to %v and %v", x, y)
		}
		type told func(Status) Status
		one := func(label string) told {
			at, rank := int64(rapid.IntRange(1, 3).Draw(rt, label)), message.Rank(rapid.IntRange(0, 4).Draw(rt, label))
			if code := rapid.SampledFrom([]string{"", "1", "2"}).Draw(rt, label); code != "" {
				return func(s Status) Status { return s.Failed(code, label, at) }
			}
			return func(s Status) Status { return s.Reached(rank, at) }
		}
		f, g, h := one("f"), one("g"), one("h")
		if x, y := h(g(f(g(Status{})))), f(g(h(Status{}))); x != y {
			rt.Errorf("statuses join to %v and %v", x, y)
		}
	})
}

func TestReasonsAndGatesDecode(t *testing.T) {
	var counts map[Reason]int
	if err := json.Unmarshal([]byte(`{"opted_out":1,"quiet_hours":2}`), &counts); err != nil || counts[GateOptedOut.Reason()] != 1 || counts[ReasonQuietHours] != 2 {
		t.Errorf("counts by reason come back as %v, %v", counts, err)
	}
	for _, g := range gates {
		if text, err := json.Marshal(map[string]Gate{"gate": g}); err != nil || string(text) != `{"gate":"`+string(g)+`"}` {
			t.Errorf("%q is written as %s, %v", g, text, err)
		}
		if r, ok := ParseReason([]byte(g)); !ok || r != g.Reason() {
			t.Errorf("the gate %q is the reason %q, %v", g, r, ok)
		}
	}
	var g Gate
	if err := json.Unmarshal([]byte(`"open_sesame"`), &g); err == nil {
		t.Error("a word that is no gate was read")
	}
	if _, ok := ParseReason([]byte("open_sesame")); ok {
		t.Error("a word that is no reason was read")
	}
}

func TestUnknownHaltsStay(t *testing.T) {
	if HaltUnreachable.Stays() || !HaltCanary.Stays() || !HaltReason("of a later build").Stays() {
		t.Error("a halt that costs messages lifts itself, or one that costs nothing does not")
	}
}

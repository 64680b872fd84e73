package statetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// gate returns the gate that an intent of a new campaign meets at a number.
func gate(t T, s state.Store, lane state.Lane, who string, change ...func(*state.Intent)) delivery.Gate {
	t.Helper()
	in := intent(s, who)
	in.Window = true
	in.Campaign = fmt.Sprintf("campaign.gate%d", counter.Add(1))
	in.Ref = message.NewRef(lineage(s), in.Campaign, who, 1, 1)
	for _, c := range change {
		c(&in)
	}
	return intend(t, s, lane, in)[0].Gate
}

// told records events that came to a number.
func told(t T, s state.Store, number string, evs ...message.Event) {
	t.Helper()
	if err := s.Events(t.Context(), number, evs); err != nil {
		t.Fatal(err)
	}
}

func (u suite) TestWindowsBelongToTheNumberThatWasWrittenTo(t *testing.T) {
	s, clock := u.create(t)
	lanes := beginAt(t, s, mainNumber, otherNumber)
	hi := message.Event{Kind: message.EventInbound, ID: "a", At: noon.Add(-time.Hour), From: message.Address{Phone: phone(1)}}
	told(t, s, mainNumber, hi)
	got := map[string]delivery.Gate{}
	for _, lane := range lanes {
		got[lane.Number] = gate(t, s, lane, phone(1))
	}
	if d := cmp.Diff(map[string]delivery.Gate{mainNumber: "", otherNumber: delivery.GateWindowUnknown}, got); d != "" {
		t.Errorf("gates (-want +got):\n%s", d)
	}
	if p, err := s.Person(t.Context(), otherNumber, phone(1)); err != nil || !p.WindowEnds.IsZero() || !p.LastInbound.Equal(noon.Add(-time.Hour)) {
		t.Errorf("at the other number: %+v, %v", p, err)
	}
	clock.now = noon.Add(time.Minute)
	hi.ID = "b"
	told(t, s, otherNumber, hi)
	if g := gate(t, s, lanes[1], phone(1)); g != "" {
		t.Errorf("they wrote to the other number, and it is %q", g)
	}
}

// If a window turns out to be closed at one number, by an answer or by a status, that
// says nothing about the windows at another.
func (u suite) TestCorrectionsBelongToTheirNumber(t *testing.T) {
	for name, tell := range map[string]func(s state.Store, run state.Lane, v state.Verdict, ref string){
		"answer": func(s state.Store, run state.Lane, v state.Verdict, _ string) {
			settle(t, s, run, state.Outcome{Attempt: v.Attempt, Send: state.Rejected, Code: "131047", WindowShut: true, Number: mainNumber, At: noon})
		},
		"status": func(s state.Store, run state.Lane, v state.Verdict, ref string) {
			settle(t, s, run, accepted(v, "x"))
			told(t, s, mainNumber, failure("x", ref, "131047", noon))
		},
		"status before the answer": func(s state.Store, run state.Lane, v state.Verdict, _ string) {
			told(t, s, mainNumber, failure("x", "", "131047", noon))
			settle(t, s, run, accepted(v, "x"))
		},
	} {
		s, _ := u.create(t)
		lanes := beginAt(t, s, mainNumber, otherNumber)
		for _, number := range []string{mainNumber, otherNumber} {
			told(t, s, number, message.Event{Kind: message.EventInbound, ID: "a", At: noon.Add(-time.Hour), From: message.Address{Phone: phone(1)}})
		}
		in := intent(s, phone(1))
		tell(s, lanes[0], intend(t, s, lanes[0], in)[0], in.Ref)
		if g, o := gate(t, s, lanes[0], phone(1)), gate(t, s, lanes[1], phone(1)); g != delivery.GateWindowClosed || o != "" {
			t.Errorf("%s: gates %q and %q, want the first closed and the other open", name, g, o)
		}
	}
}

// A correction without a number, as an old state may have, closes all windows until
// the person writes again.
func (u suite) TestACorrectionOfNoNumberClosesAll(t *testing.T) {
	s, _ := u.create(t)
	lanes := beginAt(t, s, mainNumber, otherNumber)
	told(t, s, mainNumber, message.Event{Kind: message.EventInbound, ID: "a", At: noon.Add(-time.Hour), From: message.Address{Phone: phone(1)}})
	settle(t, s, lanes[0], state.Outcome{Attempt: intend(t, s, lanes[0], intent(s, phone(1)))[0].Attempt, Send: state.Rejected, WindowShut: true, At: noon.Add(-time.Minute)})
	told(t, s, otherNumber, message.Event{Kind: message.EventInbound, ID: "b", At: noon, From: message.Address{Phone: phone(1)}})
	if g, o := gate(t, s, lanes[0], phone(1)), gate(t, s, lanes[1], phone(1)); g != delivery.GateWindowClosed || o != "" {
		t.Errorf("gates %q and %q, want the first closed and the other open", g, o)
	}
}

func (u suite) TestClaimsAreAboutTheSendingNumber(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	told(t, s, otherNumber, message.Event{Kind: message.EventInbound, ID: "a", At: noon, From: message.Address{Phone: phone(1)}})
	claim := func(in *state.Intent) { in.KnownUntil = noon.Add(23 * time.Hour) }
	if g := gate(t, s, run, phone(1), claim); g != "" {
		t.Errorf("what the audience claims of the campaign's number: %q", g)
	}
}

// windowsAt returns the people with a known window at a number.
func windowsAt(t T, s state.Store, number string) (out []string) {
	t.Helper()
	snap, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	for w, err := range snap.Windows(t.Context(), number) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, w.Recipient)
	}
	return out
}

func (u suite) TestWindowsAreErased(t *testing.T) {
	s, _ := u.create(t)
	told(t, s, mainNumber, message.Event{Kind: message.EventInbound, ID: "a", At: noon, From: message.Address{Phone: phone(1)}},
		message.Event{Kind: message.EventInbound, ID: "b", At: noon, From: message.Address{Phone: phone(2)}})
	if d := cmp.Diff([]string{phone(1), phone(2)}, windowsAt(t, s, mainNumber)); d != "" {
		t.Errorf("windows (-want +got):\n%s", d)
	}
	if err := s.Erase(t.Context(), phone(1)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{phone(2)}, windowsAt(t, s, mainNumber)); d != "" {
		t.Errorf("after the erasure (-want +got):\n%s", d)
	}
}

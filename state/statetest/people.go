package statetest

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

var counter atomic.Int64

const (
	userOne, userTwo = "DE.1111111111", "DE.2222222222"
	parentOne        = "DE.ENT.1111"
)

// from returns a message from a person under several ids.
func from(at time.Time, text string, a message.Address, parent string) message.Event {
	return message.Event{Kind: message.EventInbound, ID: fmt.Sprint("m", counter.Add(1)), At: at, From: a, Parent: parent, Type: "text", Text: text}
}

func changed(at time.Time, old, now message.Address) message.Event {
	return message.Event{Kind: message.EventIdentity, ID: fmt.Sprint("c", counter.Add(1)), At: at, From: old, NewAddress: now}
}

// out returns those of the ids that opted out.
func out(t T, s state.Store, ids ...string) (who []string) {
	t.Helper()
	for _, id := range ids {
		if p := person(t, s, id); p.OptedOut {
			who = append(who, id)
		}
	}
	return who
}

// marketing returns the gate that a new marketing campaign meets.
func marketing(t T, s state.Store, run state.Lane, who string) delivery.Gate {
	t.Helper()
	return gate(t, s, run, who, func(in *state.Intent) { in.Window, in.Marketing = false, true })
}

// Whichever event shows two ids together, a stop by one holds for the other.
func (u suite) TestAStopByOneIDHoldsForAll(t *testing.T) {
	one := message.Address{Phone: phone(1), UserID: userOne}
	for name, seen := range map[string]message.Event{
		"a message":    from(noon.Add(-time.Hour), "hello", one, ""),
		"a status":     {Kind: message.EventStatus, ID: "x", Rank: message.RankSent, At: noon.Add(-time.Hour), From: one},
		"a preference": {Kind: message.EventPreference, At: noon.Add(-time.Hour), From: one, Category: "marketing_messages"},
		"a group":      {Kind: message.EventGroup, ID: "g", At: noon.Add(-time.Hour), From: one, Type: "text", Text: "hello"},
		"a change":     changed(noon.Add(-time.Hour), message.Address{Phone: phone(1)}, message.Address{UserID: userOne}),
	} {
		for _, stops := range []string{phone(1), userOne} {
			s, _ := u.create(t)
			run := begin(t, s)
			told(t, s, mainNumber, seen, from(noon, "enough", message.AddressOf(stops), ""))
			if d := cmp.Diff([]string{phone(1), userOne}, out(t, s, phone(1), userOne, phone(2), userTwo)); d != "" {
				t.Errorf("%s, and %s stops (-want +got):\n%s", name, stops, d)
			}
			for _, id := range []string{phone(1), userOne} {
				if g := marketing(t, s, run, id); g != delivery.GateOptedOut {
					t.Errorf("%s, and %s stops: %s is sent to (%q)", name, stops, id, g)
				}
			}
		}
	}
}

// A stop comes before it is known that the ids are one person's.
func (u suite) TestAStopHoldsForIDsThatAreSeenLater(t *testing.T) {
	for name, c := range map[string]struct{ stopped, other, parent string }{
		"the user id stopped": {userOne, phone(1), ""}, "the number stopped": {phone(1), userOne, ""}, "linked portfolios": {parentOne, userTwo, parentOne},
	} {
		s, _ := u.create(t)
		a := message.Address{Phone: phone(1), UserID: userOne}
		if c.parent != "" {
			a = message.Address{UserID: userTwo}
		}
		told(t, s, mainNumber, message.Event{Kind: message.EventPreference, OptOut: true, At: noon.Add(-2 * time.Hour), From: message.AddressOf(c.stopped)},
			message.Event{Kind: message.EventPreference, At: noon.Add(-time.Hour), From: message.AddressOf(c.other), Category: "marketing_messages"},
			from(noon.Add(-time.Minute), "hello", a, c.parent))
		if d := cmp.Diff([]string{c.stopped, c.other}, out(t, s, c.stopped, c.other)); d != "" {
			t.Errorf("%s: the stricter does not hold (-want +got):\n%s", name, d)
		}
		told(t, s, mainNumber, message.Event{Kind: message.EventPreference, At: noon, From: message.AddressOf(c.other), Category: "marketing_messages"})
		if who := out(t, s, c.stopped, c.other); len(who) > 0 {
			t.Errorf("%s: %v did not get back by an opt-in under one id", name, who)
		}
	}
}

// A person gets a message once, under whichever id.
func (u suite) TestNobodyIsSentTheSameUnderTwoIDs(t *testing.T) {
	for _, send := range []state.Send{state.Accepted, state.InDoubt, state.Rejected, state.Pending} {
		s, _ := u.create(t)
		run := begin(t, s)
		first := intent(s, phone(1))
		o := state.Outcome{Attempt: intend(t, s, run, first)[0].Attempt, Send: send, At: noon}
		if send == state.Accepted {
			o.ID, o.Proof = "x", state.ProofResponse
		}
		settle(t, s, run, o)
		told(t, s, mainNumber, from(noon, "hello", message.Address{Phone: phone(1), UserID: userOne}, ""))
		want := map[state.Send]delivery.Gate{state.Accepted: delivery.GateSent, state.InDoubt: delivery.GateDoubt, state.Rejected: delivery.GateRefused, state.Pending: delivery.GateAttempt}[send]
		v := intend(t, s, run, intent(s, userOne))[0]
		if v.Gate != want {
			t.Errorf("%s under the number, and under the user id %q, want %q", send, v.Gate, want)
		}
		if send != state.Pending {
			continue
		}
		next := intent(s, userOne)
		next.Attempt = v.Next
		if v := intend(t, s, run, next)[0]; v.Gate != "" {
			t.Errorf("what was not taken does not go under the other id: %q", v.Gate)
		}
		if d := oneDelivery(t, s); d.Recipient != phone(1) || d.Attempt != 2 {
			t.Errorf("it is another delivery: %+v", d)
		}
	}
}

func (u suite) TestCapsAndCoolDownsAreThePersons(t *testing.T) {
	s, _ := u.create(t)
	lanes := beginAt(t, s, mainNumber, otherNumber)
	run := lanes[0]
	told(t, s, mainNumber, from(noon, "hello", message.Address{Phone: phone(1), UserID: userOne}, ""))
	in := intent(s, phone(1))
	settle(t, s, run, accepted(intend(t, s, run, in)[0], "x"))
	capped := func(in *state.Intent) { in.Window, in.CapCount, in.CapPer = false, 1, time.Hour }
	if g := gate(t, s, lanes[1], userOne, capped); g != delivery.GateCap {
		t.Errorf("a second message within the cap, under the other id and from another number: %q", g)
	}
	told(t, s, mainNumber, failure("x", in.Ref, "131049", noon))
	if g := marketing(t, s, run, userOne); g != delivery.GateCooldown {
		t.Errorf("during the cool-down, under the other id: %q", g)
	}
}

// Windows belong to the person, too.
func (u suite) TestAWindowIsOpenForEveryID(t *testing.T) {
	s, _ := u.create(t)
	lanes := beginAt(t, s, mainNumber, otherNumber)
	told(t, s, mainNumber, from(noon.Add(-time.Hour), "hello", message.Address{UserID: userOne}, ""),
		message.Event{Kind: message.EventStatus, ID: "x", Rank: message.RankSent, At: noon, From: message.Address{Phone: phone(1), UserID: userOne}})
	if g, o := gate(t, s, lanes[0], phone(1)), gate(t, s, lanes[1], phone(1)); g != "" || o != delivery.GateWindowUnknown {
		t.Errorf("gates %q and %q", g, o)
	}
}

func (u suite) TestAPersonWhoChangedTheirNumber(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	told(t, s, mainNumber, from(noon.Add(-3*time.Hour), "enough", message.Address{Phone: phone(1)}, ""))
	settle(t, s, run, accepted(intend(t, s, run, intent(s, phone(1)))[0], "x"))
	told(t, s, mainNumber, changed(noon.Add(-2*time.Hour), message.Address{Phone: phone(1)}, message.Address{Phone: phone(2)}))
	if d := cmp.Diff([]string{phone(1), phone(2)}, out(t, s, phone(1), phone(2))); d != "" {
		t.Errorf("opted out (-want +got):\n%s", d)
	}
	if v := intend(t, s, run, intent(s, phone(2)))[0]; v.Gate != delivery.GateSent {
		t.Errorf("the new number is sent the same once more: %q", v.Gate)
	}
	// Another person writes from the old number. The number's stop holds for them
	// until they opt in to marketing.
	told(t, s, mainNumber, from(noon.Add(-time.Hour), "hello", message.Address{Phone: phone(1), UserID: userTwo}, ""))
	if d := cmp.Diff([]string{phone(1), phone(2), userTwo}, out(t, s, phone(1), phone(2), userTwo)); d != "" {
		t.Errorf("the number passed on (-want +got):\n%s", d)
	}
	told(t, s, mainNumber, message.Event{Kind: message.EventPreference, At: noon, From: message.Address{Phone: phone(1)}, Category: "marketing_messages"})
	if d := cmp.Diff([]string{phone(2)}, out(t, s, phone(1), phone(2), userTwo)); d != "" {
		t.Errorf("the new holder opted in, and not the other (-want +got):\n%s", d)
	}
}

func (u suite) TestANumberThatPassedOn(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	told(t, s, mainNumber, from(noon.Add(-3*time.Hour), "enough", message.Address{Phone: phone(1), UserID: userOne}, ""))
	settle(t, s, run, accepted(intend(t, s, run, intent(s, phone(1)))[0], "x"))
	told(t, s, mainNumber, from(noon.Add(-time.Hour), "hello", message.Address{Phone: phone(1), UserID: userTwo}, ""))
	if d := cmp.Diff([]string{phone(1), userOne, userTwo}, out(t, s, phone(1), userOne, userTwo)); d != "" {
		t.Errorf("opted out (-want +got):\n%s", d)
	}
	for _, id := range []string{phone(1), userOne} {
		if v := intend(t, s, run, intent(s, id))[0]; v.Gate != delivery.GateSent {
			t.Errorf("%s, to whom it was sent under the number, is sent it again: %q", id, v.Gate)
		}
	}
	told(t, s, mainNumber, message.Event{Kind: message.EventPreference, At: noon, From: message.Address{UserID: userTwo}, Category: "marketing_messages"})
	if d := cmp.Diff([]string{userOne}, out(t, s, phone(1), userOne, userTwo)); d != "" {
		t.Errorf("what the new holder wants (-want +got):\n%s", d)
	}
	// A stop of the earlier holder is reported late: it holds for both.
	s, _ = u.create(t)
	told(t, s, mainNumber, from(noon.Add(-time.Hour), "hello", message.Address{Phone: phone(1), UserID: userTwo}, ""),
		from(noon.Add(-3*time.Hour), "enough", message.Address{Phone: phone(1), UserID: userOne}, ""))
	if d := cmp.Diff([]string{phone(1), userOne, userTwo}, out(t, s, phone(1), userOne, userTwo)); d != "" {
		t.Errorf("a late stop (-want +got):\n%s", d)
	}
}

// A window belongs to the person who wrote, not to the number's present holder.
func (u suite) TestANumberPassesOnWithoutItsWindow(t *testing.T) {
	s, _ := u.create(t)
	run := begin(t, s)
	told(t, s, mainNumber, from(noon.Add(-time.Hour), "hello", message.Address{Phone: phone(1), UserID: userOne}, ""),
		message.Event{Kind: message.EventStatus, ID: "x", Rank: message.RankSent, At: noon, From: message.Address{Phone: phone(1), UserID: userTwo}})
	if g, o := gate(t, s, run, phone(1)), gate(t, s, run, userOne); g != delivery.GateWindowUnknown || o != "" {
		t.Errorf("the number's gate is %q, and that of who wrote is %q", g, o)
	}
}

func (u suite) TestErasedUnderEveryID(t *testing.T) {
	for name, after := range map[string]func(t T, s state.Store){
		"before": func(T, state.Store) {},
		"a new number": func(t T, s state.Store) {
			told(t, s, mainNumber, changed(noon, message.Address{Phone: phone(1)}, message.Address{Phone: phone(3)}))
		},
		"a new user id, folded": func(t T, s state.Store) {
			ev := changed(noon, message.Address{Phone: phone(1), UserID: userOne}, message.Address{Phone: phone(3), UserID: "DE.3"})
			if _, err := s.Append(t.Context(), []state.Inbox{{Provider: mainNumber, Received: noon, Raw: []byte("{}"), Events: []message.Event{ev}}}); err != nil {
				t.Fatal(err)
			}
			if err := s.FoldAll(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"a message under an id and a new number": func(t T, s state.Store) {
			told(t, s, mainNumber, from(noon, "hello", message.Address{Phone: phone(3), UserID: userOne}, ""))
		},
		"a status under a number and a new id": func(t T, s state.Store) {
			told(t, s, mainNumber, message.Event{Kind: message.EventStatus, ID: "x", Rank: message.RankSent, At: noon, From: message.Address{Phone: phone(1), UserID: "DE.3"}})
		},
	} {
		s, _ := u.create(t)
		run := begin(t, s)
		told(t, s, mainNumber, from(noon.Add(-time.Hour), "hello", message.Address{Phone: phone(1), UserID: userOne}, parentOne))
		settle(t, s, run, accepted(intend(t, s, run, intent(s, phone(1)))[0], "wamid.one"))
		second := intent(s, userOne)
		second.Campaign = "campaign.second"
		second.Ref = message.NewRef(lineage(s), second.Campaign, userOne, 1, 1)
		settle(t, s, run, accepted(intend(t, s, run, second)[0], "wamid.two"))
		if err := s.Erase(t.Context(), userOne); err != nil {
			t.Fatal(err)
		}
		after(t, s)
		ids := []string{phone(1), userOne, parentOne}
		switch {
		case strings.Contains(name, "new number"), strings.Contains(name, "folded"):
			ids = append(ids, phone(3))
		case strings.Contains(name, "new id"):
			ids = append(ids, "DE.3")
		}
		for _, id := range ids {
			if g := marketing(t, s, run, id); g != delivery.GateOptedOut {
				t.Errorf("%s: %s is sent to (%q)", name, id, g)
			}
		}
		for _, d := range deliveries(t, s) {
			if !strings.HasPrefix(d.Recipient, "erased:") || d.ID != "" {
				t.Errorf("%s: a delivery is still theirs: %+v", name, d)
			}
		}
		if n := len(tiesOf(t, s)); n > 0 || len(windowsAt(t, s, mainNumber)) > 0 {
			t.Errorf("%s: %d ties are left", name, n)
		}
	}
}

func tiesOf(t T, s state.Store) (out []state.Tie) {
	t.Helper()
	snap, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	for tie, err := range snap.Ties(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, tie)
	}
	return out
}

func (u suite) TestTiesAndUsernames(t *testing.T) {
	s, _ := u.create(t)
	hi := from(noon.Add(-2*time.Hour), "hello", message.Address{Phone: phone(1), UserID: userOne}, "")
	hi.Username = "ann.d"
	told(t, s, mainNumber, hi, changed(noon, message.Address{Phone: phone(1)}, message.Address{Phone: phone(2)}))
	got := map[string]string{}
	for _, tie := range tiesOf(t, s) {
		got[tie.Recipient] = fmt.Sprint(tie.Person, " since ", tie.Since.Sub(noon), " left ", !tie.Left.IsZero())
	}
	want := map[string]string{phone(1): phone(2) + " since -2h0m0s left true", phone(2): phone(2) + " since 0s left false", userOne: phone(2) + " since -2h0m0s left true"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("ties (-want +got):\n%s", d)
	}
	for _, id := range []string{phone(1), phone(2), userOne} {
		if p := person(t, s, id); p.Username != "ann.d" {
			t.Errorf("%s: %+v", id, p)
		}
	}
}

// A person's messages wait in one queue, whichever id they came under.
func (u suite) TestMessagesUnderTwoIDsAreOnePersons(t *testing.T) {
	s, _ := u.create(t)
	told(t, s, mainNumber, from(noon.Add(-3*time.Minute), "one", message.Address{UserID: userOne}, ""),
		from(noon.Add(-2*time.Minute), "two", message.Address{Phone: phone(1), UserID: userOne}, ""), from(noon.Add(-time.Minute), "three", message.Address{Phone: phone(1)}, ""))
	lane := answering(t, s, mainNumber)
	claimed, _, err := s.Claim(t.Context(), lane, 0, 9)
	if err != nil || len(claimed) != 1 {
		t.Fatalf("%+v, %v", claimed, err)
	}
	ref, texts := claimed[0], ""
	for ok := true; ok; ref, ok, err = s.ClaimNext(t.Context(), lane, ref.Recipient) {
		if ref.Recipient != phone(1) {
			t.Errorf("%+v is another's", ref)
		}
		ev, known, err := s.Inbound(t.Context(), ref.Seq)
		if texts += " " + ev.Event.Text; err != nil || !known || ev.First != (ref.Seq == claimed[0].Seq) {
			t.Errorf("%+v, %v", ev, err)
		}
		if err := s.Answered(t.Context(), lane, ref.Seq); err != nil {
			t.Fatal(err)
		}
	}
	if err != nil || texts != " one two three" {
		t.Errorf("in the order%s, %v", texts, err)
	}
}

// human is one of the people of TestPeopleWithSeveralIDs.
type human struct {
	user, parent             string
	phones                   []string // the last one is theirs now
	tied                     bool     // an event showed that the ids are one person's
	stopped, erased, reached bool
}

func (h *human) ids() []string { return append(slices.Clone(h.phones), h.user, h.parent) }

func (h *human) phone() string { return h.phones[len(h.phones)-1] }

// People write, stop, change their numbers and are erased under one id or
// another, in any order, at two sending numbers. Once an event has shown that ids are
// one person's, a stop by any of them holds, nobody gets the same message twice, and
// nobody else is held back.
func (u suite) TestPeopleWithSeveralIDs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, clock := u.create(rt)
		lanes := beginAt(rt, s, mainNumber, otherNumber)
		var people []*human
		for i := range 3 {
			people = append(people, &human{user: fmt.Sprint("DE.", i), parent: fmt.Sprint("DE.ENT.", i), phones: []string{phone(i)}})
		}
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			clock.now = clock.now.Add(time.Minute)
			h := rapid.SampledFrom(people).Draw(rt, "who")
			h.step(rt, s, rapid.SampledFrom(lanes).Draw(rt, "number"), clock.now)
		}
		for _, h := range people {
			stopped := out(rt, s, h.ids()...)
			switch {
			case h.tied && (h.stopped || h.erased) && len(stopped) != len(h.ids()):
				rt.Errorf("%v: only %v opted out", h.ids(), stopped)
			case !h.stopped && !h.erased && len(stopped) > 0:
				rt.Errorf("%v: %v opted out, and nobody asked", h.ids(), stopped)
			}
		}
	})
}

func (h *human) step(rt *rapid.T, s state.Store, lane state.Lane, now time.Time) {
	number := lane.Number
	one := message.AddressOf(rapid.SampledFrom([]string{h.phone(), h.user}).Draw(rt, "id"))
	switch rapid.IntRange(0, 6).Draw(rt, "what") {
	case 0:
		told(rt, s, number, from(now, "hello", one, ""))
	case 1:
		told(rt, s, number, from(now, "enough", one, ""))
		h.stopped = true
	case 2:
		told(rt, s, number, from(now, "hello", message.Address{Phone: h.phone(), UserID: h.user}, h.parent))
		h.tied = true
	case 3:
		if !h.tied { // nobody could know that the numbers are one person's
			return
		}
		next := phone(100 + int(counter.Add(1)))
		told(rt, s, number, changed(now, message.Address{Phone: h.phone()}, message.Address{Phone: next}))
		h.phones = append(h.phones, next)
	case 4:
		if h.tied && rapid.Bool().Draw(rt, "erase") {
			h.erased = true
			if err := s.Erase(rt.Context(), rapid.SampledFrom(h.ids()).Draw(rt, "erased by")); err != nil {
				rt.Fatal(err)
			}
		}
	default:
		h.send(rt, s, lane)
	}
}

func (h *human) send(rt *rapid.T, s state.Store, lane state.Lane) {
	id := rapid.SampledFrom(h.ids()).Draw(rt, "to")
	in := intent(s, id)
	in.Marketing = true
	v := intend(rt, s, lane, in)[0]
	if v.Gate != "" {
		if v.Gate == delivery.GateOptedOut && !h.stopped && !h.erased {
			rt.Errorf("%s never asked to stop", id)
		}
		return
	}
	settle(rt, s, lane, accepted(v, fmt.Sprint("id", v.Attempt)))
	switch {
	case h.tied && (h.stopped || h.erased):
		rt.Errorf("%s is sent to, who stopped (%v) or was erased (%v)", id, h.stopped, h.erased)
	case h.tied && h.reached:
		rt.Errorf("%s is sent the same again", id)
	}
	h.reached = true
}

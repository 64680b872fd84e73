package statetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// says is the Options.Wish of these tests.
func says(ev *message.Event, at time.Time) state.Wish {
	switch ev.Text {
	case "enough":
		return state.Wish{Kind: state.WishStop, Reason: "stop_word", Evidence: "wrote enough"}
	case "enough?":
		return state.Wish{Kind: state.WishUnclear, Reason: state.OptUnclear, Evidence: "wrote enough?"}
	case "go on":
		return state.Wish{Kind: state.WishStay, Evidence: "wrote go on"}
	}
	return state.Wish{}
}

func wrote(from message.Address, id, text string, at time.Time) message.Event {
	return message.Event{Kind: message.EventInbound, ID: id, From: from, Type: "text", Text: text, At: at}
}

func accept(t T, s state.Store, evs ...message.Event) {
	t.Helper()
	for _, ev := range evs {
		if _, err := s.Append(t.Context(), []state.Inbox{{Provider: "provider.cloud.main", Received: noon, Raw: []byte(ev.ID), Events: []message.Event{ev}}}); err != nil {
			t.Fatal(err)
		}
	}
}

// Nothing folds or answers here: the webhook has only been stored.
func (u suite) TestAnAcceptedStopHoldsForTheNextIntent(t *testing.T) {
	for name, who := range map[string]message.Address{"a phone number": {Phone: phone(1)}, "a user id": {UserID: "DE.7001"}} {
		s, _ := u.create(t)
		run := begin(t, s)
		accept(t, s, wrote(who, "wamid.1", "enough", noon))
		in := intent(s, who.Key())
		in.Marketing = true
		if v := intend(t, s, run, in); v[0].Gate != delivery.GateOptedOut {
			t.Errorf("%s: the intent passes: %+v", name, v[0])
		}
	}
}

func (u suite) TestAnUnclearWishIsAPause(t *testing.T) {
	before, after := noon.Add(-2*time.Hour), noon.Add(-time.Hour)
	who := message.Address{Phone: phone(1)}
	clear, unclear, stay := wrote(who, "c", "enough", before), wrote(who, "u", "enough?", after), wrote(who, "s", "go on", noon)
	for name, c := range map[string]struct {
		events []message.Event
		want   string
	}{
		"a pause":                              {[]message.Event{unclear}, state.OptUnclear},
		"a pause that is lifted":               {[]message.Event{unclear, stay}, ""},
		"a stop is not lifted":                 {[]message.Event{clear, stay}, "stop_word"},
		"a stop before an unclear word":        {[]message.Event{clear, unclear, stay}, "stop_word"},
		"a stop that is joined after it":       {[]message.Event{unclear, clear, stay}, "stop_word"},
		"words that are no wish change nobody": {[]message.Event{wrote(who, "h", "hello", noon)}, ""},
	} {
		s, _ := u.create(t)
		accept(t, s, c.events...)
		if err := s.FoldAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		p, err := s.Person(t.Context(), mainNumber, phone(1))
		if err != nil || p.OptOut != c.want || p.OptedOut != (c.want != "") {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// Older versions of handbill folded messages without reading stop words.
func (u suite) TestMessagesThatWaitForAnAnswerAreHeeded(t *testing.T) {
	reads := func(*message.Event, time.Time) state.Wish { return state.Wish{} }
	s := u.open(t, Options{Clock: func() time.Time { return noon }, Wish: func(ev *message.Event, at time.Time) state.Wish { return reads(ev, at) }})
	accept(t, s, wrote(message.Address{Phone: phone(1)}, "wamid.1", "enough", noon))
	if _, err := s.Fold(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	reads = says
	if err := s.FoldAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	p, err := s.Person(t.Context(), mainNumber, phone(1))
	if err != nil || !p.OptedOut || !strings.HasPrefix(p.OptOut, "stop_word") {
		t.Errorf("%+v, %v", p, err)
	}
	if evs := openInbound(t, s); len(evs) != 1 || !evs[0].Stopped {
		t.Errorf("the confirmation is not asked for: %+v", evs)
	}
}

func (u suite) TestBlobsByPrefix(t *testing.T) {
	s, _ := u.create(t)
	if err := s.PutAll(t.Context(), map[string][]byte{"forward/1": []byte("a"), "forward/2": []byte("b"), "forward_dead/1": []byte("c"), "other": []byte("d")}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutAll(t.Context(), map[string][]byte{"forward/1": nil, "forward/2": []byte("e")}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Blobs(t.Context(), "forward/")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]byte{"forward/2": []byte("e")}, got); diff != "" {
		t.Error(diff)
	}
	if data, err := s.Get(t.Context(), "other"); err != nil || string(data) != "d" {
		t.Errorf("got %q, %v", data, err)
	}
	if data, err := s.Get(t.Context(), "forward/1"); err != nil || data != nil {
		t.Errorf("what was removed is %q, %v", data, err)
	}
}

func (u suite) TestAnInboundEventByItsNumber(t *testing.T) {
	s, clock := u.create(t)
	now := clock.now
	ev := message.Event{Kind: message.EventInbound, ID: "wamid.1", At: now, From: message.Address{Phone: "+4915112345678"}, Type: "text", Text: "Hi"}
	if _, err := s.Append(t.Context(), []state.Inbox{{Provider: "provider.cloud.main", Received: now, Raw: []byte("x"), Events: []message.Event{ev}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Fold(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	open := openInbound(t, s)
	if len(open) != 1 {
		t.Fatal(open)
	}
	got := open[0]
	want := state.InboundEvent{Seq: 1, Provider: "provider.cloud.main", Received: now, Recipient: "+4915112345678", First: true, Event: ev}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	in := state.Intent{Key: state.Key{Campaign: "reply_rule.x", Recipient: "+4915112345678", Revision: int(got.Seq)}, To: ev.From, Attempt: 1, Ref: "r", Message: "text_message.x", Inbound: got.Seq}
	if _, err := s.Intend(t.Context(), answering(t, s, mainNumber), []state.Intent{in}); err != nil {
		t.Fatal(err)
	}
	rules, err := s.RepliedBy(t.Context(), "+4915112345678", got.Seq)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"reply_rule.x"}, rules); diff != "" {
		t.Error(diff)
	}
	if err := s.Erase(t.Context(), "+4915112345678"); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.Inbound(t.Context(), got.Seq); ok || err != nil {
		t.Errorf("what an erased person wrote is still there: %v, %v", ok, err)
	}
}

// openInbound returns the events that no rule has answered.
func openInbound(t T, s state.Store) (out []state.InboundEvent) {
	t.Helper()
	numbers, err := s.Unanswered(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, number := range numbers {
		refs, _, err := s.Claim(t.Context(), answering(t, s, number), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, ref := range refs {
			ev, ok, err := s.Inbound(t.Context(), ref.Seq)
			if err != nil || !ok || ev.Recipient != ref.Recipient || ev.Provider != ref.Provider || ev.Provider != number {
				t.Fatal(ref, ev, ok, err)
			}
			out = append(out, ev)
		}
	}
	return out
}

// The server that answers at a number gets its events: the oldest one of each person,
// and the next when that is answered.
func (u suite) TestClaims(t *testing.T) {
	s, clock := u.create(t)
	for i, c := range []struct{ number, from string }{
		{mainNumber, phone(1)}, {mainNumber, phone(2)}, {otherNumber, phone(1)}, {mainNumber, phone(1)}, {mainNumber, phone(3)},
	} {
		told(t, s, c.number, wrote(message.AddressOf(c.from), fmt.Sprint("wamid.", i), "Hi", clock.now))
	}
	if numbers, err := s.Unanswered(t.Context()); err != nil || !slices.Equal(numbers, []string{mainNumber, otherNumber}) {
		t.Errorf("unanswered at %q, %v", numbers, err)
	}
	main, other := answering(t, s, mainNumber), answering(t, s, otherNumber)
	claim := func(lane state.Lane, after int64, n int, wantUpto int64, want ...int64) {
		t.Helper()
		refs, upto, err := s.Claim(t.Context(), lane, after, n)
		var got []int64
		for _, ref := range refs {
			got = append(got, ref.Seq)
		}
		if err != nil || upto != wantUpto || !slices.Equal(got, want) {
			t.Errorf("after %d: %v up to %d, %v; want %v up to %d", after, got, upto, err, want, wantUpto)
		}
	}
	next := func(lane state.Lane, who string, want int64) {
		t.Helper()
		if ref, ok, err := s.ClaimNext(t.Context(), lane, who); err != nil || ok != (want != 0) || ref.Seq != want {
			t.Errorf("next of %s: %+v, %v; want %d", who, ref, err, want)
		}
	}
	claim(main, 0, 2, 2, 1, 2)
	claim(main, 2, 9, 5, 5) // 4 waits for 1
	claim(main, 5, 9, 5)
	claim(other, 0, 9, 3, 3)
	next(main, phone(1), 1)
	if err := s.Answered(t.Context(), main, 1); err != nil {
		t.Fatal(err)
	}
	next(main, phone(1), 4)
	next(other, phone(1), 3)
	next(other, phone(2), 0)
	claim(main, 2, 9, 5, 4, 5)

	heir := answering(t, s, mainNumber)
	if _, _, err := s.Claim(t.Context(), main, 0, 9); !errors.Is(err, state.ErrFenced) {
		t.Errorf("who answered before: %v, want %v", err, state.ErrFenced)
	}
	if _, _, err := s.ClaimNext(t.Context(), main, phone(2)); !errors.Is(err, state.ErrFenced) {
		t.Errorf("who answered before: %v, want %v", err, state.ErrFenced)
	}
	claim(heir, 0, 9, 5, 2, 4, 5)
	claim(other, 0, 9, 3, 3)
}

func (u suite) TestExchangesAreThePersonsAnswers(t *testing.T) {
	s, _ := u.create(t)
	for i, who := range []int{1, 1, 2} {
		events(t, s, message.Event{Kind: message.EventInbound, ID: string(rune('a' + i)), At: noon, From: message.Address{Phone: phone(who)}})
	}
	lane := answering(t, s, mainNumber)
	for seq, who := range map[int64]int{1: 1, 2: 1, 3: 2} {
		in := state.Intent{Key: state.Key{Campaign: "reply_rule.hello", Recipient: phone(who), Revision: int(seq)}, Attempt: 1, Message: "text_message.hello", Inbound: seq,
			Ref: message.NewRef(lineage(s), "reply_rule.hello", phone(who), int(seq), 1)}
		if v := intend(t, s, lane, in)[0]; v.Gate != "" {
			t.Fatal(v)
		}
	}
	for _, c := range []struct {
		name  string
		seq   int64
		since time.Time
		n     int
		want  int
	}{
		{"all", 0, noon.Add(-time.Hour), 10, 2},
		{"without those to one message", 2, noon.Add(-time.Hour), 10, 1},
		{"bounded", 0, noon.Add(-time.Hour), 1, 1},
		{"older ones are left out", 0, noon.Add(24 * time.Hour), 10, 0},
	} {
		got, err := s.Exchanges(t.Context(), phone(1), c.seq, c.since, c.n)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != c.want {
			t.Errorf("%s: %d, want %d", c.name, len(got), c.want)
		}
		for _, e := range got {
			if diff := cmp.Diff(noon, e.Asked); diff != "" || e.Answered.IsZero() {
				t.Errorf("%s: %+v", c.name, e)
			}
		}
	}
}

package sqlite

import (
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// says reads the wishes of these tests.
func says(ev *message.Event, at time.Time) state.Wish {
	switch ev.Text {
	case "enough":
		return state.Wish{Kind: state.WishStop, Reason: "stop_word", Evidence: "wrote enough"}
	case "enough?":
		return state.Wish{Kind: state.WishUnclear, Reason: state.ReasonUnclear, Evidence: "wrote enough?"}
	case "go on":
		return state.Wish{Kind: state.WishStay, Evidence: "wrote go on"}
	}
	return state.Wish{}
}

func wrote(from message.Address, id, text string, at time.Time) message.Event {
	return message.Event{Kind: message.EventInbound, ID: id, From: from, Type: "text", Text: text, At: at}
}

func accept(t *testing.T, s *Store, evs ...message.Event) {
	t.Helper()
	for _, ev := range evs {
		if _, err := s.Append(t.Context(), []state.Inbox{{Provider: "provider.cloud.main", Received: noon, Raw: []byte(ev.ID), Events: []message.Event{ev}}}); err != nil {
			t.Fatal(err)
		}
	}
}

// Nothing folds, nothing answers: the webhook is on the disk, and that is all.
func TestAnAcceptedStopHoldsForTheNextIntent(t *testing.T) {
	for name, who := range map[string]message.Address{"a phone number": {Phone: phone(1)}, "a user id": {UserID: "DE.7001"}} {
		s, _ := create(t)
		s.opt.Wish = says
		run := begin(t, s)
		accept(t, s, wrote(who, "wamid.1", "enough", noon))
		in := intent(s, who.Key())
		in.Marketing = true
		if v := intend(t, s, run, in); v[0].Gate != state.GateOptedOut {
			t.Errorf("%s: the intent passes: %+v", name, v[0])
		}
	}
}

func TestAnUnclearWishIsAPause(t *testing.T) {
	before, after := noon.Add(-2*time.Hour), noon.Add(-time.Hour)
	who := message.Address{Phone: phone(1)}
	clear, unclear, stay := wrote(who, "c", "enough", before), wrote(who, "u", "enough?", after), wrote(who, "s", "go on", noon)
	for name, c := range map[string]struct {
		events []message.Event
		want   string
	}{
		"a pause":                              {[]message.Event{unclear}, state.ReasonUnclear},
		"a pause that is lifted":               {[]message.Event{unclear, stay}, ""},
		"a stop is not lifted":                 {[]message.Event{clear, stay}, "stop_word"},
		"a stop before an unclear word":        {[]message.Event{clear, unclear, stay}, "stop_word"},
		"a stop that is joined after it":       {[]message.Event{unclear, clear, stay}, "stop_word"},
		"words that are no wish change nobody": {[]message.Event{wrote(who, "h", "hello", noon)}, ""},
	} {
		s, _ := create(t)
		s.opt.Wish = says
		accept(t, s, c.events...)
		if err := s.FoldAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		p, err := s.Person(t.Context(), phone(1))
		if err != nil || p.OptOut != c.want || p.OptedOut != (c.want != "") {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// An older handbill joined messages and left stop words to serve's answers.
func TestMessagesThatWaitForAnAnswerAreHeeded(t *testing.T) {
	s, _ := create(t)
	accept(t, s, wrote(message.Address{Phone: phone(1)}, "wamid.1", "enough", noon))
	if _, err := s.Fold(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	s.opt.Wish = says
	if err := s.FoldAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	p, err := s.Person(t.Context(), phone(1))
	if err != nil || !p.OptedOut || !strings.HasPrefix(p.OptOut, "stop_word") {
		t.Errorf("%+v, %v", p, err)
	}
	if evs := openInbound(t, s); len(evs) != 1 || !evs[0].Stopped {
		t.Errorf("the confirmation is not asked for: %+v", evs)
	}
}

package statetest

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

func templatesTold(t T, s state.Store) []state.ToldTemplate {
	t.Helper()
	list, err := state.ToldTemplates(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// templateNotice is a notice about the German "spring" of an account.
func templateNotice(at time.Time, change func(*message.TemplateNotice)) message.Event {
	n := &message.TemplateNotice{Account: "1022", ID: "161", Name: "spring", Language: "de"}
	change(n)
	return message.Event{Kind: message.EventAccount, At: at, Field: "message_template_status_update", Template: n}
}

// TestTemplatesTold checks that what webhooks report about templates is the same in
// any order and with any repetition: the later word stands, and of two at one moment
// the one in which nothing is sent.
func (u suite) TestTemplatesTold(t *testing.T) {
	status := func(word, reason string) func(*message.TemplateNotice) {
		return func(n *message.TemplateNotice) { n.Status, n.Reason = word, reason }
	}
	at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes-60) * time.Minute) }
	story := []message.Event{
		templateNotice(at(1), status("REJECTED", "PROMOTIONAL")),
		templateNotice(at(3), status("PAUSED", "")),
		templateNotice(at(3), status("APPROVED", "")),
		templateNotice(at(2), status("APPROVED", "")),
		templateNotice(at(1), func(n *message.TemplateNotice) { n.Category, n.Announced = "utility", "marketing" }),
		templateNotice(at(5), func(n *message.TemplateNotice) { n.Category, n.Recategorized = "marketing", true }),
		templateNotice(at(4), func(n *message.TemplateNotice) { n.Quality = "RED" }),
		templateNotice(at(6), func(n *message.TemplateNotice) { n.Content = true }),
		templateNotice(at(9), func(n *message.TemplateNotice) { n.ID, n.Language, n.Status = "162", "en-US", "APPROVED" }),
	}
	want := []state.ToldTemplate{
		{Provider: mainNumber, Account: "1022", ID: "161", Name: "spring", Language: "de", Status: state.ToldWord{Word: "PAUSED", At: at(3)},
			Category: state.ToldWord{Word: "marketing", At: at(5)}, Announced: state.ToldWord{At: at(5)}, Quality: state.ToldWord{Word: "RED", At: at(4)}, Content: at(6)},
		{Provider: mainNumber, Account: "1022", ID: "162", Name: "spring", Language: "en_US", Status: state.ToldWord{Word: "APPROVED", At: at(9)}},
	}
	s, _ := u.create(t)
	random := rand.New(rand.NewPCG(1, 2))
	for range 3 {
		random.Shuffle(len(story), func(i, j int) { story[i], story[j] = story[j], story[i] })
		other, _ := u.create(t)
		events(t, other, story...)
		events(t, other, story[:4]...)
		if diff := cmp.Diff(want, templatesTold(t, other)); diff != "" {
			t.Fatalf("(-want +told):\n%s", diff)
		}
	}
	if _, err := s.Append(t.Context(), []state.Inbox{{Provider: mainNumber, Received: noon, Raw: []byte("1"), Events: story}}); err != nil {
		t.Fatal(err)
	}
	if err := s.FoldAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, templatesTold(t, s)); diff != "" {
		t.Errorf("by webhook (-want +told):\n%s", diff)
	}
}

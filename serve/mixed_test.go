package serve_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/sandbox"
	"github.com/handbill/handbill/serve"
	"github.com/handbill/handbill/state"
)

// late answers each message with the answer to the previous one.
type late struct {
	providers.Sender
	before *message.Answer
	given  *int // how often Distrust was called
}

func (l late) Send(ctx context.Context, r message.Request) message.Answer {
	mine := l.Sender.Send(ctx, r)
	if l.before.ID == "" {
		*l.before = mine
	}
	answer := *l.before
	*l.before = mine
	return answer
}

func (l late) Distrust() { *l.given++ }

// A proxy shifts the answers by one. Replies whose answers name another
// recipient are in doubt, and after three of them the number sends no more
// replies until the server is restarted.
func TestRepliesWhoseAnswersAreAboutOthers(t *testing.T) {
	given := 0
	h := newHouse(t, hello, func(h *house, o *sandbox.Options) {
		o.Webhooks = nil // statuses would settle the doubts
		h.proxy = func(s providers.Sender) providers.Sender { return late{s, &message.Answer{}, &given} }
	})
	ask := func(k int) string {
		body := envelope("messages", wrote(fmt.Sprint("wamid.asks", k), "Is it here?"))
		h.post(strings.ReplaceAll(body, ana[1:], fmt.Sprint("491700000000", k)))
		for {
			ev := <-h.events
			switch ev.Kind {
			case serve.EventReplied, serve.EventGated:
				return string(ev.Kind) + " " + ev.Detail
			}
		}
	}
	var got []string
	for k := range 6 {
		got = append(got, ask(k))
	}
	want := []string{"replied accepted", "replied unknown", "replied unknown", "replied unknown", "gated mixed_answers", "gated mixed_answers"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("replies (-want +got):\n%s", diff)
	}
	if given != 3 || len(h.sends()) != 4 {
		t.Errorf("connections were given up %d times, want 3; %d requests, want 4", given, len(h.sends()))
	}
	doubts := 0
	for d, err := range h.store.InDoubt(t.Context(), "") {
		if doubts++; err != nil || d.Send != state.InDoubt || d.Cause != "the answer names another recipient" {
			t.Errorf("%+v, %v", d, err)
		}
	}
	if doubts != 3 {
		t.Errorf("%d in doubt, want 3", doubts)
	}
	h.proxy = nil
	h.restart()
	if again := ask(7); again != "replied accepted" {
		t.Errorf("after a restart: %s", again)
	}
}

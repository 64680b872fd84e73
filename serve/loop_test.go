package serve_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/serve"
)

// If another automatic service answers every answer at once, the rules stop and
// a person is asked to look. The rules continue when that person says so.
func TestTwoAutomataStopAndAPersonIsAsked(t *testing.T) {
	h := newHouse(t, hello)
	var stopped serve.Event
	for i := 0; stopped.Kind == ""; i++ {
		if i > 50 {
			t.Fatal("the answers never stop")
		}
		h.post(envelope("messages", wrote(fmt.Sprint("wamid.loop", i), "Hello")))
		for ev := range h.events {
			if ev.Kind == serve.EventHandover {
				stopped = ev
			}
			if ev.Kind == serve.EventReplied || ev.Kind == serve.EventHandover {
				break
			}
		}
	}
	if stopped.Detail != reply.SpentAutomaton || strings.Contains(stopped.Recipient, ana) {
		t.Errorf("the operator hears %+v", stopped)
	}
	if n := len(h.sends()); n != 8 {
		t.Errorf("%d answers left, want 8", n)
	}
	p, err := h.store.Person(t.Context(), "provider.cloud.main", ana)
	if err != nil || !p.Handover {
		t.Errorf("not handed over: %+v, %v", p, err)
	}
}

func TestTheBudgetOfAnswersHoldsOverAllRules(t *testing.T) {
	h := newHouse(t, `
handbill { reply_budget = "3 per 1h" }
text_message "one" { body = "One" }
text_message "two" { body = "Two" }
reply_rule "one" {
  when  { keywords = ["one"] }
  reply = text_message.one
}
reply_rule "two" {
  when  { keywords = ["two"] }
  reply = text_message.two
}
`)
	for i, word := range []string{"one", "two", "one"} {
		h.post(envelope("messages", wrote(fmt.Sprint("wamid.", i), word)))
		h.await(serve.EventReplied)
	}
	h.post(envelope("messages", wrote("wamid.last", "two")))
	if ev := h.await(serve.EventHandover); ev.Detail != reply.SpentBudget {
		t.Errorf("the operator hears %+v", ev)
	}
	if n := len(h.sends()); n != 3 {
		t.Errorf("%d answers left, want 3", n)
	}
}

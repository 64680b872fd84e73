package reply_test

import (
	"testing"
	"time"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/state"
)

func budgeted(t *testing.T, src string) *reply.Rules {
	t.Helper()
	cfg, diags := lang.LoadFiles(t.Context(), map[string][]byte{"main.hcl": []byte(src)}, nil, lang.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	rules, diags := reply.Compile(cfg, reply.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return rules
}

// talk returns n exchanges: each message came gap after the previous answer,
// and was answered after a tenth of a second. next is when the next message
// comes.
func talk(n int, gap time.Duration) (out []state.Exchange, next time.Time) {
	at := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	for range n {
		answered := at.Add(100 * time.Millisecond)
		out = append([]state.Exchange{{Asked: at, Answered: answered}}, out...)
		at = answered.Add(gap)
	}
	return out, at
}

func TestAnswersToOnePersonAreBounded(t *testing.T) {
	const echo = `
text_message "hi" { body = "Hi" }
reply_rule "echo" {
  when  { any = true }
  reply = text_message.hi
}
`
	const note = `
reply_rule "note" {
  when { any = true }
  set  = { wrote = "yes" }
}
`
	atOnce := func(n int) (out []state.Exchange, next time.Time) {
		at := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
		for i := range n { // all were written before the first answer
			out = append([]state.Exchange{{Asked: at.Add(time.Duration(i)), Answered: at.Add(time.Second)}}, out...)
		}
		return out, at.Add(time.Duration(n))
	}
	for _, c := range []struct {
		name string
		src  string
		talk func() ([]state.Exchange, time.Time)
		want string
	}{
		{"a person who reads before writing", echo, func() ([]state.Exchange, time.Time) { return talk(40, 5*time.Second) }, ""},
		{"seven quick answers", echo, func() ([]state.Exchange, time.Time) { return talk(7, time.Second) }, ""},
		{"eight quick answers", echo, func() ([]state.Exchange, time.Time) { return talk(8, time.Second) }, reply.SpentAutomaton},
		{"a slow automaton within the budget", echo, func() ([]state.Exchange, time.Time) { return talk(59, 4*time.Second) }, ""},
		{"a slow automaton beyond it", echo, func() ([]state.Exchange, time.Time) { return talk(60, 4*time.Second) }, reply.SpentBudget},
		{"as many over a longer time", echo, func() ([]state.Exchange, time.Time) { return talk(60, 2*time.Minute) }, ""},
		{"twelve messages at a time", echo, func() ([]state.Exchange, time.Time) { return atOnce(12) }, ""},
		{"a budget that is declared", `handbill { reply_budget = "3 per 10m" }` + echo, func() ([]state.Exchange, time.Time) { return talk(3, time.Minute) }, reply.SpentBudget},
		{"a budget that is declared and not spent", `handbill { reply_budget = "3 per 10m" }` + echo, func() ([]state.Exchange, time.Time) { return talk(2, time.Minute) }, ""},
		{"a rule that sends nothing", note, func() ([]state.Exchange, time.Time) { return talk(60, time.Second) }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			exchanges, now := c.talk()
			ev := state.InboundEvent{Seq: 1, Provider: "provider.cloud.main", Received: now,
				Event: message.Event{Kind: message.EventInbound, Type: "text", Text: "hello", From: message.Address{Phone: "+4915100000007"}}}
			d := budgeted(t, c.src).Answer(&ev, reply.Known{Now: now, Exchanges: exchanges})
			if d.Spent != c.want {
				t.Errorf("spent %q, want %q", d.Spent, c.want)
			}
			if answers := len(d.Answers) > 0; answers != (c.want == "") {
				t.Errorf("%d answers", len(d.Answers))
			}
		})
	}
}

func TestARuleThatAnswersEverythingIsWarnedOf(t *testing.T) {
	for _, c := range []struct {
		name, rule string
		want       bool
	}{
		{"anything, at once", "when { any = true }\nreply = text_message.hi", true},
		{"with a cooldown", "when { any = true }\nreply = text_message.hi\ncooldown = \"1m\"", false},
		{"on the first contact", "when { first_contact = true }\nreply = text_message.hi", false},
		{"on a condition", "when { condition = inbound.text == \"x\" }\nreply = text_message.hi", false},
		{"without an answer", "when { any = true }\nhandover = true", false},
	} {
		_, diags := lang.LoadFiles(t.Context(), map[string][]byte{"main.hcl": []byte("text_message \"hi\" { body = \"Hi\" }\nreply_rule \"r\" {\n" + c.rule + "\n}\n")}, nil, lang.Options{})
		got := false
		for _, d := range diags {
			got = got || d.Summary == "Rule without an end"
		}
		if got != c.want {
			t.Errorf("%s: warned %v, want %v (%v)", c.name, got, c.want, diags)
		}
	}
}

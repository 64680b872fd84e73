package plantest

import (
	"encoding/json"
	"errors"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/state"
)

// Inbound is a message that came in, with its context.
type Inbound struct {
	Event state.InboundEvent
	Known reply.Known
	// Lookups are the answers of lookups, by name. A lookup whose answer is nil or
	// missing fails.
	Lookups map[string]json.RawMessage
	// ForwardBody makes the body of forwards; nil leaves it out.
	ForwardBody func(ev *state.InboundEvent, rule string) ([]byte, error)
}

// Reply is what the rules make of one message, as JSON shows it.
type Reply struct {
	Event   string   `json:"event"` // where the message comes from
	Type    string   `json:"type"`
	Text    string   `json:"text,omitempty"`
	Stop    string   `json:"stop_word,omitempty"`
	Silent  string   `json:"silent,omitempty"` // why no rule is tried: "handover", "stop_word", "reply_budget", "automaton"
	Answers []Answer `json:"answers"`
	Passed  []Passed `json:"passed,omitempty"`
	stop    reply.Stop
}

// Answer is what one rule does.
type Answer struct {
	Rule     string            `json:"rule"` // address
	Match    map[string]string `json:"match,omitempty"`
	Message  string            `json:"message,omitempty"` // address
	Body     json.RawMessage   `json:"body,omitempty"`    // the message, as a draft without slots
	Lookups  []Lookup          `json:"lookups,omitempty"`
	Forward  string            `json:"forward,omitempty"` // URL
	Handed   json.RawMessage   `json:"forward_body,omitempty"`
	Set      map[string]string `json:"set,omitempty"`
	Handover bool              `json:"handover,omitempty"`
	MarkRead bool              `json:"mark_read,omitempty"` // the person is shown that the message was read
	Typing   bool              `json:"typing,omitempty"`    // and that an answer is being written
	Error    string            `json:"error,omitempty"`

	Rendered message.Message `json:"-"` // nil if nothing is sent
}

// Lookup is a question that a rule asks.
type Lookup struct {
	Name   string `json:"name"`
	Method string `json:"method"`
	URL    string `json:"url"`
}

// Passed is a rule that did not fire.
type Passed struct {
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
}

// unclear reports whether the message may ask to stop but may also mean something
// else: marketing then pauses, and the person is asked once.
func (r *Reply) unclear() bool { return r.stop.Ask }

// Judge applies the rules to a message. Nothing is sent, fetched or stored.
func Judge(rules *reply.Rules, in *Inbound) *Reply {
	d := rules.Answer(&in.Event, in.Known)
	out := &Reply{Type: in.Event.Event.Type, Text: in.Event.Event.Text, Stop: d.Stop.Word, stop: d.Stop, Answers: []Answer{}}
	switch {
	case d.Handover:
		out.Silent = "handover"
	case d.Stop.Exact:
		out.Silent = "stop_word"
	case d.Spent != "":
		out.Silent = d.Spent
	}
	for _, a := range d.Answers {
		out.Answers = append(out.Answers, in.answer(rules, a))
	}
	for _, p := range d.Passed {
		reason := p.Reason
		if p.Err != nil {
			reason += ": " + p.Err.Error()
		}
		out.Passed = append(out.Passed, Passed{Rule: p.Rule, Reason: reason})
	}
	return out
}

func (in *Inbound) answer(rules *reply.Rules, a *reply.Answer) Answer {
	out := Answer{Rule: a.Rule(), Match: a.Match()}
	out.MarkRead, out.Typing = a.Marks()
	err := errors.Join(in.forward(rules, &out), in.lookUp(a, &out))
	var res reply.Result
	if err == nil {
		res, err = a.Result()
	}
	if err == nil && res.Draft != nil {
		out.Rendered = res.Draft.Render(res.Values)
		out.Body, err = message.MarshalDraft(&message.Draft{Message: out.Rendered})
	}
	if err != nil {
		out.Error = err.Error()
		return out
	}
	out.Message, out.Set, out.Handover = res.Message, res.Set, res.Handover
	return out
}

func (in *Inbound) forward(rules *reply.Rules, out *Answer) (err error) {
	to, ok := rules.Forward(out.Rule)
	if !ok {
		return nil
	}
	out.Forward = to.URL
	if in.ForwardBody != nil {
		out.Handed, err = in.ForwardBody(&in.Event, out.Rule)
	}
	return err
}

// lookUp answers a rule's lookups from in.Lookups.
func (in *Inbound) lookUp(a *reply.Answer, out *Answer) error {
	for i, lk := range a.Lookups() {
		q, err := a.Request(i)
		if err != nil {
			return err
		}
		out.Lookups = append(out.Lookups, Lookup{Name: lk.Name, Method: q.Method, URL: q.URL})
		if body := in.Lookups[lk.Name]; body != nil {
			err = a.Found(i, body)
		} else {
			err = a.Missed(i)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

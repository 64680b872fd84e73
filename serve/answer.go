package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/handbill/handbill/internal/fp"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/state"
)

// answer decides about one event, carries the decision out, and marks the event
// as done. It returns an error only when the state fails or ctx ends; the event
// then stays open and is answered later.
func (s *Server) answer(ctx context.Context, lane state.Lane, seq int64) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	ev, ok, err := s.opt.Store.Inbound(ctx, seq)
	if err != nil || !ok { // erased together with its person
		return err
	}
	if err := s.decide(ctx, &ev); err != nil {
		return err
	}
	fp.Hit("answered-before")
	err = s.opt.Store.Answered(context.WithoutCancel(ctx), lane, seq)
	fp.Hit("answered-after")
	return err
}

// decide asks the rules about one event and carries out what they say. First it
// reads what is known of the person, and the answers that an earlier server gave to
// the same event.
func (s *Server) decide(ctx context.Context, ev *state.InboundEvent) error {
	person, err := s.opt.Store.Person(ctx, ev.Provider, ev.Recipient)
	if err != nil {
		return err
	}
	rules := s.currentRules(ctx)
	known, err := s.known(ctx, rules, ev)
	if err != nil {
		return err
	}
	known.Person = person
	d := rules.Answer(ev, known)
	if d.Stop.Word != "" {
		if err := s.stop(ctx, ev, d.Stop); err != nil {
			return err
		}
	}
	for _, p := range d.Passed {
		if p.Err != nil {
			s.opt.Observe(Event{Kind: EventRule, Provider: ev.Provider, Rule: p.Rule, Recipient: message.Mask(ev.Recipient), Detail: p.Reason, Err: p.Err})
		}
	}
	if d.Handover {
		s.opt.Observe(Event{Kind: EventGated, Provider: ev.Provider, Recipient: message.Mask(ev.Recipient), Detail: "handover"})
	}
	if d.Spent != "" {
		return s.takeOver(ctx, ev, d.Spent)
	}
	if len(d.Answers) == 0 {
		return nil
	}
	// An answer that an earlier server gave before it ended counts, even if the
	// rules have changed since.
	replied, err := s.opt.Store.RepliedBy(ctx, ev.Recipient, ev.Seq)
	if err != nil {
		return err
	}
	replied = slices.DeleteFunc(replied, func(rule string) bool { return rule == stopConfirmation })
	for _, a := range d.Answers {
		if err := s.fire(ctx, ev, a, replied); err != nil {
			return err
		}
	}
	return nil
}

// known returns what the state knows for a decision, apart from the person.
func (s *Server) known(ctx context.Context, rules *reply.Rules, ev *state.InboundEvent) (reply.Known, error) {
	k := reply.Known{Now: s.opt.Now(), LastReply: map[string]time.Time{}}
	if rules.Len() == 0 {
		return k, nil
	}
	var err error
	for _, rule := range rules.Cooldowns() {
		if k.LastReply[rule], err = s.opt.Store.LastReply(ctx, rule, ev.Recipient); err != nil {
			return k, err
		}
	}
	since, n := rules.Remembered(k.Now)
	k.Exchanges, err = s.opt.Store.Exchanges(ctx, ev.Recipient, ev.Seq, since, n)
	return k, err
}

// takeOver stops the rules for a person and notifies the operator, who answers from
// then on.
func (s *Server) takeOver(ctx context.Context, ev *state.InboundEvent, why string) error {
	if err := s.opt.Store.Handover(context.WithoutCancel(ctx), ev.Recipient, true); err != nil {
		return err
	}
	s.metrics.replies.WithLabelValues(ev.Provider, "gated").Inc()
	s.opt.Observe(Event{Kind: EventHandover, Provider: ev.Provider, Recipient: message.Mask(ev.Recipient), Detail: why})
	return nil
}

// currentRules returns the rules of the last apply; when they cannot be read, the
// last rules that could.
func (s *Server) currentRules(ctx context.Context) *reply.Rules {
	rules, err := s.opt.Rules(ctx)
	if err != nil {
		s.opt.Observe(Event{Kind: EventRules, Err: err})
		rules = s.rules.Load().rules
	}
	if rules == nil {
		return new(reply.Rules)
	}
	s.rules.Store(&lastRules{rules: rules})
	return rules
}

// fire carries out one rule. It returns an error only when the state fails or ctx
// ends; any other failure is reported to Observe and ends this rule alone.
func (s *Server) fire(ctx context.Context, ev *state.InboundEvent, a *reply.Answer, replied []string) error {
	if a.Forwards() {
		if err := s.opt.Store.AddForward(ctx, ev.Seq, a.Rule()); err != nil {
			return err
		}
		wake(s.forwards.wake)
	}
	s.mark(ctx, ev, a)
	res, err := s.result(ctx, a)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.metrics.replies.WithLabelValues(ev.Provider, "error").Inc()
		s.opt.Observe(Event{Kind: EventRule, Provider: ev.Provider, Rule: a.Rule(), Recipient: message.Mask(ev.Recipient), Err: err})
		return nil
	}
	if len(res.Set) > 0 {
		if err := s.opt.Store.SetAttributes(context.WithoutCancel(ctx), ev.Recipient, res.Set); err != nil {
			return err
		}
	}
	if res.Draft != nil && (len(replied) == 0 || slices.Contains(replied, a.Rule())) {
		if err := s.send(ctx, ev, &outgoing{rule: a.Rule(), message: res.Message, draft: res.Draft, values: res.Values}); err != nil {
			return err
		}
	}
	if res.Handover {
		return s.opt.Store.Handover(context.WithoutCancel(ctx), ev.Recipient, true)
	}
	return nil
}

// result makes a rule's lookups and then evaluates the rule.
func (s *Server) result(ctx context.Context, a *reply.Answer) (reply.Result, error) {
	for i, lk := range a.Lookups() {
		req, err := a.Request(i)
		if err != nil {
			return reply.Result{}, err
		}
		body, err := s.fetch(ctx, req, lk.Timeout)
		if err == nil {
			err = a.Found(i, body)
		}
		if err == nil {
			continue
		}
		if missed := a.Missed(i); missed != nil {
			return reply.Result{}, fmt.Errorf("lookup %q: %w", lk.Name, errors.Join(err, missed))
		}
	}
	return a.Result()
}

// stop confirms a person's opt-out once, or asks what an unclear message meant. The
// opt-out itself is in the state already: it was recorded when the message was
// folded.
func (s *Server) stop(ctx context.Context, ev *state.InboundEvent, st reply.Stop) error {
	if !ev.Stopped {
		return nil
	}
	s.opt.Observe(Event{Kind: EventStop, Provider: ev.Provider, Recipient: message.Mask(ev.Recipient), Detail: st.Reason()})
	draft := s.confirm[reply.Spoken(st.Language)]
	switch {
	case st.Ask:
		draft = s.question[reply.Spoken(st.Language)]
	case !st.Exact:
		return nil
	}
	return s.send(ctx, ev, &outgoing{rule: stopConfirmation, message: stopConfirmation, draft: draft})
}

// stopConfirmation is the address under which the state keeps the one answer
// to a stop word.
const stopConfirmation = "stop_confirmation"

// stopDrafts are made once, since senders remember drafts.
func stopDrafts(text func(language string) string) map[string]*message.Draft {
	out := map[string]*message.Draft{}
	for _, language := range reply.StopLanguages() {
		out[language] = &message.Draft{Message: &message.Text{Body: text(language)}}
	}
	return out
}

package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/handbill/handbill/internal/fp"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/state"
)

const (
	// claims is how many inbound events are claimed at once.
	claims = 32
	// hands is how many are worked on at a time: most of them wait for a lookup
	// or for the provider.
	hands = 64
)

// turns keeps the messages of one person in their order, while those of others
// go on beside.
type turns struct {
	mu   sync.Mutex
	last map[string]chan struct{}
}

// next gives a turn: before is closed when the person's turn before it is over
// (nil for none), and done ends this one.
func (t *turns) next(recipient string) (before chan struct{}, done func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before = t.last[recipient]
	mine := make(chan struct{})
	t.last[recipient] = mine
	return before, func() {
		close(mine)
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.last[recipient] == mine {
			delete(t.last, recipient)
		}
	}
}

// answerLoop answers inbound events until ctx ends, and waits for those under
// way. What it leaves is claimed again by the next server.
func (s *Server) answerLoop(ctx context.Context) {
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	free := make(chan struct{}, hands)
	order := turns{last: map[string]chan struct{}{}}
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		evs, err := s.opt.Store.ClaimInbound(ctx, claims)
		if err != nil && ctx.Err() == nil {
			s.stateFault(err)
		}
		if len(evs) > 0 {
			fp.Hit("claim-after")
		}
		for i := range evs {
			select {
			case free <- struct{}{}:
			case <-ctx.Done():
				return
			}
			before, done := order.next(evs[i].Recipient)
			wg.Go(func() {
				defer func() { done(); <-free }()
				if before != nil {
					<-before
				}
				s.answer(ctx, &evs[i])
			})
		}
		if len(evs) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-s.inbound:
		case <-again.C:
		}
	}
}

// answer decides about one event, carries it out, and marks it as done. When
// the state fails or ctx ends, it stays claimed, and the next server goes on.
func (s *Server) answer(ctx context.Context, ev *state.InboundEvent) {
	if ctx.Err() != nil {
		return
	}
	err := s.decide(ctx, ev)
	if err == nil {
		fp.Hit("answered-before")
		err = s.opt.Store.Answered(context.WithoutCancel(ctx), ev.Seq)
		fp.Hit("answered-after")
	}
	if err != nil && ctx.Err() == nil {
		s.stateFault(err)
	}
}

func (s *Server) decide(ctx context.Context, ev *state.InboundEvent) error {
	person, err := s.opt.Store.Person(ctx, ev.Recipient)
	if err != nil {
		return err
	}
	rules := s.currentRules(ctx)
	known := reply.Known{Person: person, Now: s.opt.Now(), LastReply: map[string]time.Time{}}
	for _, rule := range rules.Cooldowns() {
		if known.LastReply[rule], err = s.opt.Store.LastReply(ctx, rule, ev.Recipient); err != nil {
			return err
		}
	}
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
	if len(d.Answers) == 0 {
		return nil
	}
	// What an earlier server answered before it ended stays its answer, also
	// when the rules are others now.
	replied, err := s.opt.Store.RepliedBy(ctx, ev.Recipient, ev.Seq)
	if err != nil {
		return err
	}
	replied = slices.DeleteFunc(replied, func(rule string) bool { return rule == StopConfirmation })
	for _, a := range d.Answers {
		if err := s.fire(ctx, ev, a, replied); err != nil {
			return err
		}
	}
	return nil
}

// currentRules are those of the last apply; where they can't be had, the last
// that could.
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

// fire carries out one rule. An error is of the state, or the end of ctx;
// whatever else goes wrong is told and ends this rule alone.
func (s *Server) fire(ctx context.Context, ev *state.InboundEvent, a *reply.Answer, replied []string) error {
	if a.Forwards() {
		if err := s.forwards.add(ctx, ev.Seq, a.Rule()); err != nil {
			return err
		}
	}
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

// result makes a rule's lookups and evaluates it.
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

// stop tells a person once that the wish was heard, or asks what an unclear
// message meant. The opt-out itself is in the state already: it was recorded
// when the message was joined.
func (s *Server) stop(ctx context.Context, ev *state.InboundEvent, st reply.Stop) error {
	if !ev.Stopped {
		return nil
	}
	s.opt.Observe(Event{Kind: EventStop, Provider: ev.Provider, Recipient: message.Mask(ev.Recipient), Detail: st.Reason()})
	draft := s.confirm[st.Language]
	switch {
	case st.Ask:
		draft = s.question[st.Language]
	case !st.Exact:
		return nil
	}
	return s.send(ctx, ev, &outgoing{rule: StopConfirmation, message: StopConfirmation, draft: draft})
}

// StopConfirmation is the address under which the state keeps the one answer
// to a stop word.
const StopConfirmation = "stop_confirmation"

// stopDrafts are made once, since senders remember drafts.
func stopDrafts(text func(language string) string) map[string]*message.Draft {
	out := map[string]*message.Draft{}
	for _, language := range reply.StopLanguages() {
		out[language] = &message.Draft{Message: &message.Text{Body: text(language)}}
	}
	return out
}

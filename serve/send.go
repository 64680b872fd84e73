package serve

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/internal/fp"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// outgoing is a message that answers an inbound event.
type outgoing struct {
	rule    string // address
	message string // address
	draft   *message.Draft
	values  []string
}

// send sends a reply once: the intent is durable before the request leaves, the
// outcome after it; the window is checked again; and one rule answers one event at
// most once. A reply that was certainly not taken is tried again a few times. send
// returns an error only when the state fails or ctx ends.
func (s *Server) send(ctx context.Context, ev *state.InboundEvent, m *outgoing) error {
	n := s.numbers[ev.Provider]
	if n == nil || n.Sender == nil {
		s.gated(ev, m, "no_number")
		return nil
	}
	if n.halted.Load() {
		s.gated(ev, m, "mixed_answers")
		return nil
	}
	if message.Unserved(address(ev.Event.From)) {
		s.gated(ev, m, "unreachable_country")
		return nil
	}
	in := state.Intent{Key: state.Key{Campaign: m.rule, Recipient: ev.Recipient, Revision: int(ev.Seq)}, To: address(ev.Event.From),
		Attempt: 1, Message: m.message, Digest: message.Digest(m.draft, m.values), Spacing: s.opt.Spacing, Window: true, Inbound: ev.Seq}
	for try := 0; ; try++ {
		ans, verdict, err := s.attempt(ctx, n, &in, m)
		switch {
		case err != nil:
			return err
		case verdict.Gate == delivery.GateAttempt && verdict.Next > in.Attempt:
			in.Attempt = verdict.Next // an earlier server's attempts count
			continue
		case verdict.Gate == delivery.GateSpacing || verdict.Gate == delivery.GatePace:
			if err := s.rest(ctx, ev.Provider, verdict.Until.Sub(s.opt.Now())); err != nil {
				return err
			}
			try--
			continue
		case verdict.Gate != "":
			s.gated(ev, m, verdict.Gate)
			return nil
		}
		s.metrics.replies.WithLabelValues(ev.Provider, ans.Class.String()).Inc()
		s.opt.Observe(Event{Kind: EventReplied, Provider: ev.Provider, Rule: m.rule, Recipient: message.Mask(ev.Recipient), Detail: ans.Class.String(), Err: refusal(ans)})
		pause, again := s.again(n, ans, try)
		if !again {
			return nil
		}
		if err := s.rest(ctx, ev.Provider, pause); err != nil {
			return err
		}
		in.Attempt++
	}
}

func address(a message.Address) message.Address {
	if a.Phone != "" {
		a.UserID = ""
	}
	return a
}

func (s *Server) gated(ev *state.InboundEvent, m *outgoing, gate delivery.Gate) {
	s.metrics.replies.WithLabelValues(ev.Provider, "gated").Inc()
	s.opt.Observe(Event{Kind: EventGated, Provider: ev.Provider, Rule: m.rule, Recipient: message.Mask(ev.Recipient), Detail: string(gate)})
}

// attempt makes one attempt. When a gate refused it, nothing was sent and the
// verdict says why.
func (s *Server) attempt(ctx context.Context, n *number, in *state.Intent, m *outgoing) (message.Answer, state.Verdict, error) {
	in.Ref = message.NewRef(s.lineage, in.Campaign, in.Recipient, in.Revision, in.Attempt)
	req, err := n.Sender.Encode(in.To, m.draft, m.values, in.Ref)
	if err != nil {
		return message.Answer{}, state.Verdict{Gate: "unsendable"}, nil // reported as a gate
	}
	in.Body = sha256.Sum256(req.Body)
	if err := s.rest(ctx, n.Address, n.pace.Reserve(s.opt.Now())); err != nil {
		return message.Answer{}, state.Verdict{}, err
	}
	began := s.opt.Now()
	in.Pace = n.pace.Ask(began)
	fp.Hit("reply-intent-before")
	verdicts, err := s.opt.Store.Intend(ctx, n.lane, []state.Intent{*in})
	fp.Hit("reply-intent-after")
	took := s.opt.Now().Sub(began)
	n.pace.Committed(took)
	s.metrics.turn(n.Address, took, err)
	if err != nil || verdicts[0].Gate != "" {
		if err != nil {
			return message.Answer{}, state.Verdict{}, err
		}
		if verdicts[0].Gate == delivery.GatePace {
			n.pace.Told(verdicts[0].Until, false)
		}
		return message.Answer{}, verdicts[0], nil
	}
	n.pace.Told(verdicts[0].Leave, true)
	// The intent is durable, so the request leaves and its outcome is written even if
	// ctx ends.
	ctx = context.WithoutCancel(ctx)
	again := func(a pace.Ask, many int) (time.Time, error) { return s.opt.Store.Slots(ctx, n.Address, a, many) }
	ans := message.Answer{Class: message.NotSent, Title: "it found no moment to leave at"}
	if err := n.pace.Leave(ctx, s.opt.Now, verdicts[0].Leave, again); err == nil {
		if n.lease.Valid() {
			ans = n.Sender.Send(ctx, req)
			s.compare(n, in.To, &ans)
		} else {
			ans.Title = "the time for which the number was ours was over"
		}
	}
	fp.Hit("reply-answer-after")
	out := state.OutcomeOf(verdicts[0].Attempt, ans, s.opt.Now())
	if out.Number = n.Address; ans.Class == message.Throttled {
		out.Hold = s.opt.Now().Add(ans.RetryAfter) // whoever sends through the number waits
	}
	began = s.opt.Now()
	err = s.opt.Store.Settle(ctx, n.lane, []state.Outcome{out})
	s.metrics.turn(n.Address, s.opt.Now().Sub(began), err)
	fp.Hit("reply-outcome-after")
	return ans, verdicts[0], err
}

// compare marks an answer that is about another message as unknown. After a few of
// them the number stops answering: its answers no longer prove anything.
func (s *Server) compare(n *number, to message.Address, ans *message.Answer) {
	doubted, halt := n.answers.Doubt(to, ans)
	if doubted {
		providers.Distrust(n.Sender)
	}
	if halt && !n.halted.Swap(true) {
		s.opt.Observe(Event{Kind: EventHalted, Provider: n.Address, Detail: string(delivery.HaltMixedAnswers), Err: refusal(*ans)})
	}
}

// again reports whether a reply that was certainly not taken is tried again, and
// after how long.
func (s *Server) again(n *number, ans message.Answer, try int) (time.Duration, bool) {
	if ans.Class == message.Accepted {
		n.pace.Ease()
	}
	if try >= len(s.opt.Backoff) {
		return 0, false
	}
	pause := max(s.opt.Backoff[try], ans.RetryAfter)
	switch ans.Class {
	case message.Throttled:
		n.pace.Slow(s.opt.Now())
		n.pace.Pause(s.opt.Now().Add(pause))
		return 0, true
	case message.PairThrottled, message.NotSent:
		return pause, true
	}
	return 0, false
}

// refusal returns an error for an answer that is not an acceptance, and nil for an
// acceptance.
func refusal(ans message.Answer) error {
	if ans.Class == message.Accepted {
		return nil
	}
	return &refused{code: ans.Code, title: ans.Title}
}

type refused struct{ code, title string }

func (r *refused) Error() string {
	if r.code == "" {
		return r.title
	}
	return r.code + " " + r.title
}

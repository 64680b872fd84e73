package apply

import (
	"context"
	"fmt"
	"time"

	"github.com/handbill/handbill/internal/fp"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// settle writes the outcomes of the answers that came in one commit, and then
// decides what each means for its job and for the number.
func (l *lane) settle(ctx context.Context) error {
	if len(l.settled) == 0 {
		return nil
	}
	now := l.r.opt.Now()
	outcomes := make([]state.Outcome, len(l.settled))
	for i, a := range l.settled {
		outcomes[i] = outcome(a, now)
	}
	fp.Hit("outcome-before")
	// An outcome is written even when the run was cancelled: losing it would
	// make a doubt out of knowledge.
	if err := l.r.opt.Recorder.Settle(context.WithoutCancel(ctx), l.r.id, outcomes); err != nil {
		return fmt.Errorf("recording what became of %d sends: %w", len(outcomes), err)
	}
	fp.Hit("outcome-after")
	for _, a := range l.settled {
		l.conclude(a, now)
	}
	l.settled = l.settled[:0]
	return nil
}

// outcome is the row that an answer makes.
func outcome(a answered, now time.Time) state.Outcome {
	ans := a.answer
	o := state.Outcome{Attempt: a.job.handle, Code: ans.Code, Title: ans.Title, At: now}
	switch ans.Class {
	case message.Accepted:
		o.Send, o.ID, o.Proof = state.Accepted, ans.ID, state.ProofResponse
	case message.Refused:
		o.Send = state.Rejected
		if ans.RetryAfter > 0 {
			o.Cooldown = now.Add(ans.RetryAfter)
		}
	case message.WindowClosed:
		o.Send, o.WindowShut = state.Rejected, true
	case message.OptedOut:
		o.Send, o.OptOut = state.Rejected, true
	case message.Throttled, message.PairThrottled, message.NotSent, message.AccountFault:
		o.Send = state.Pending
	default:
		o.Send, o.Cause = state.InDoubt, ans.Title
	}
	return o
}

// conclude decides what follows from a recorded answer.
func (l *lane) conclude(a answered, now time.Time) {
	j, ans := a.job, a.answer
	unknown := ans.Class == message.Unknown
	if l.breaker.answered(unknown, now) {
		l.trip(now)
	} else if !unknown {
		l.probing = false
	}
	again := l.again(j, ans, now)
	done := j.counts.answered(ans, !again)
	l.width.answered(a.took, ans.Class, l.pace.rate)
	l.canaryAnswered(j, ans, again)
	l.r.observe(Event{Kind: EventAnswered, Provider: l.provider, Campaign: j.counts.campaign.Address,
		Recipient: j.intent.Recipient, Attempt: j.attempt, Answer: ans, Again: again,
		Done: done, Total: j.counts.campaign.Counts.Sends()})
	l.stopIf(j.counts, ans)
	if again {
		j.attempt++
	}
}

// again reacts to the answer's class and reports whether j goes on; a job that
// goes on is in the heap when it returns.
func (l *lane) again(j *job, ans message.Answer, now time.Time) bool {
	if ans.Class != message.Throttled {
		l.throttles = 0
	}
	if ans.Class != message.NotSent {
		l.unreachable = 0
	}
	switch ans.Class {
	case message.Accepted:
		l.pace.ease()
		return false
	case message.Throttled:
		return l.throttled(j, ans, now)
	case message.PairThrottled:
		return l.pairThrottled(j, ans, now)
	case message.NotSent:
		return l.notSent(j, ans, now)
	case message.AccountFault:
		l.haltNumber(&Halt{Reason: "account_fault", Code: ans.Code, Title: ans.Title, Advice: ans.Advice})
		l.undone(j)
		return false
	}
	return false
}

const (
	backoffBase    = time.Second
	backoffCap     = 5 * time.Minute
	throttleBase   = 100 * time.Millisecond
	throttleGiveUp = 15 * time.Minute
	// unreachableGiveUp is how many sends in a row may find no connection.
	unreachableGiveUp = 20
	pairWait          = 6 * time.Second
	pairGiveUp        = 6
)

// throttled slows and pauses the number. It is not an attempt.
func (l *lane) throttled(j *job, ans message.Answer, now time.Time) bool {
	if l.throttles == 0 {
		l.throttledAt = now
	}
	l.throttles++
	l.pace.slow()
	pause := ans.RetryAfter
	if pause <= 0 {
		pause = l.jitter(throttleBase, l.throttles)
	}
	if now.Sub(l.throttledAt) > throttleGiveUp {
		l.haltNumber(&Halt{Reason: "throttled", Code: ans.Code, Title: ans.Title,
			Advice: "The provider has been refusing everything for being too fast for 15 minutes. Lower throughput, or wait and run apply again: it goes on where it stopped."})
		l.undone(j)
		return false
	}
	l.pause("throttled", now.Add(pause))
	l.waiting.put(j, now.Add(pause))
	return true
}

// pairThrottled holds one recipient.
func (l *lane) pairThrottled(j *job, ans message.Answer, now time.Time) bool {
	j.tries++
	if j.tries >= pairGiveUp {
		l.undone(j)
		return false
	}
	wait := max(ans.RetryAfter, pairWait<<(j.tries-1))
	l.waiting.put(j, now.Add(wait))
	return true
}

// notSent tries again later, as often as the campaign allows.
func (l *lane) notSent(j *job, ans message.Answer, now time.Time) bool {
	l.unreachable++
	j.tries++
	if l.unreachable >= unreachableGiveUp {
		l.haltNumber(&Halt{Reason: "unreachable", Code: ans.Code, Title: ans.Title,
			Advice: "No message left. Check the address and the network, then run apply again: it goes on where it stopped."})
		l.undone(j)
		return false
	}
	if j.tries >= max(j.counts.campaign.MaxAttempts, 1) {
		l.undone(j)
		return false
	}
	wait := max(ans.RetryAfter, l.jitter(backoffBase, j.tries))
	if l.unreachable > 1 { // not this message's trouble alone
		l.pause("unreachable", now.Add(wait))
	}
	l.waiting.put(j, now.Add(wait))
	return true
}

// jitter is full jitter: anything up to base doubled n-1 times, capped.
func (l *lane) jitter(base time.Duration, n int) time.Duration {
	limit := min(base<<min(n-1, 20), backoffCap)
	return time.Duration(l.rnd.Int64N(int64(limit)) + 1)
}

// pause stops new sends of the number until then.
func (l *lane) pause(reason string, until time.Time) {
	if !until.After(l.pauseUntil) {
		return
	}
	l.pauseUntil = until
	l.r.observe(Event{Kind: EventPaused, Provider: l.provider, Reason: reason, Until: until})
}

// trip pauses the number after a run of unknown answers; then one probe.
func (l *lane) trip(now time.Time) {
	wait, ok := l.breaker.wait()
	if !ok {
		l.haltNumber(&Halt{Reason: "breaker", Title: "the provider's answers stay unclear",
			Advice: "Nothing more is sent, so that no more comes into doubt. See handbill status for what is in doubt, and run apply again when the provider is well."})
		return
	}
	l.probing = true
	l.pause("unclear_answers", now.Add(wait))
}

// halt stops one campaign.
func (l *lane) halt(n *counts, h *Halt) {
	if n.halted(h) {
		l.r.observe(Event{Kind: EventHalted, Provider: l.provider, Campaign: n.campaign.Address, Halt: h})
	}
}

// haltNumber stops every campaign of the number.
func (l *lane) haltNumber(h *Halt) {
	l.halted = true
	for _, n := range l.r.counts {
		if n.campaign.Provider == l.provider {
			l.halt(n, h)
		}
	}
}

// stopIf halts a campaign when too many of its last answers were refusals.
func (l *lane) stopIf(n *counts, ans message.Answer) {
	rule := n.campaign.StopIf
	if rule.Over <= 0 || ans.Class == message.Throttled || ans.Class == message.NotSent || ans.Class == message.PairThrottled {
		return
	}
	failed := ans.Class != message.Accepted
	if rate, full := n.recent(failed, rule.Over); full && rate > rule.FailureRate {
		l.halt(n, &Halt{Reason: "stop_if", Title: fmt.Sprintf("%.0f %% of the last %d sends failed", rate*100, rule.Over),
			Advice: "See handbill status for the causes. Run apply again to go on, or change stop_if."})
	}
}

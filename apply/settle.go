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
		outcomes[i] = state.OutcomeOf(a.job.handle, a.answer, now)
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
	case message.Throttled, message.NotSent, message.AccountFault:
		l.pairs.untaken(j.intent.Recipient)
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
	// throttleWait is the least that a throttled message itself waits.
	throttleWait = 500 * time.Millisecond
	// unreachableGiveUp is how many sends in a row may find no connection.
	unreachableGiveUp = 20
	pairWait          = 6 * time.Second
	pairGiveUp        = 6
)

// throttled slows the number, and pauses it when the provider asks for that or
// refuses one after another. It is not an attempt. Throttles that come together
// are one sign and slow it once: those of one second are about the same pace.
func (l *lane) throttled(j *job, ans message.Answer, now time.Time) bool {
	if l.throttles == 0 {
		l.throttledAt = now
	}
	l.throttles++
	if now.Sub(l.slowedAt) >= time.Second {
		l.slowedAt = now
		l.pace.slow()
	}
	pause := ans.RetryAfter
	if pause <= 0 && l.throttles > 1 {
		pause = l.jitter(throttleBase, l.throttles-1)
	}
	if now.Sub(l.throttledAt) > throttleGiveUp {
		l.haltNumber(&Halt{Reason: "throttled", Code: ans.Code, Title: ans.Title,
			Advice: "The provider has been refusing everything for being too fast for 15 minutes. Lower throughput, or wait and run apply again: it goes on where it stopped."})
		l.undone(j)
		return false
	}
	l.pause("throttled", now.Add(pause))
	l.waiting.put(j, now.Add(max(pause, throttleWait)))
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
	if !until.After(l.pauseUntil) || !until.After(l.r.opt.Now()) {
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

package apply

import (
	"fmt"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
)

// learn decides what an answer means for its job and for the number. It runs
// before the answer is recorded and before anything more is sent.
func (l *lane) learn(a *answered, now time.Time) {
	j, ans := a.job, a.answer
	if a.late { // says nothing about the number
		a.attempt = j.attempt
		l.later(a, now)
		j.attempt++
		return
	}
	l.check(a)
	ans = a.answer
	if l.flow.answered(ans.Class, a.took) {
		l.trip(now)
	}
	a.attempt = j.attempt
	if l.templateFault(a) {
		return
	}
	l.react(a, now)
	l.stopIf(j.counts, ans)
	if a.again {
		j.attempt++
	}
}

// countAnswers counts the answers that were just recorded, and reports them to the
// observer.
func (l *lane) countAnswers() {
	for _, a := range l.settled {
		j := a.job
		switch {
		case a.held != delivery.ReasonNone:
			j.counts.hold(a.held, time.Time{})
			j.counts.leftWith(a.attempt)
		case a.left:
			l.undone(j, a.attempt)
			if !l.halted { // else the halt says why
				j.counts.notSent(a.answer)
			}
		}
		done := j.counts.answered(a.answer, !a.again)
		l.canaryAnswered(j, a.answer, a.again)
		l.r.observe(Event{Kind: EventAnswered, Provider: l.provider, Campaign: j.counts.campaign.Address,
			Recipient: j.intent.Recipient, Attempt: a.attempt, Answer: a.answer, Again: a.again,
			Done: done, Total: j.counts.campaign.Counts.Sends()})
	}
	l.settled = l.settled[:0]
}

// react does what the answer's class asks for. A job that is tried again is in the
// heap when it returns.
func (l *lane) react(a *answered, now time.Time) {
	switch a.answer.Class {
	case message.Throttled:
		l.throttled(a, now)
	case message.PairThrottled:
		l.pairThrottled(a, now)
	case message.NotSent:
		l.notSent(a, now)
	case message.AccountFault:
		ans := &a.answer
		l.haltNumber(&Halt{Reason: delivery.HaltAccountFault, Code: ans.Code, Title: ans.Title, Advice: ans.Advice})
		a.left = true
	}
}

// later puts the answered job off until due.
func (l *lane) later(a *answered, due time.Time) {
	a.again = true
	l.waiting.put(a.job, due)
}

const (
	backoffBase    = time.Second
	backoffCap     = 5 * time.Minute
	throttleBase   = 100 * time.Millisecond
	throttleGiveUp = 15 * time.Minute
	// throttleWait is the least time that the throttled message itself waits.
	throttleWait = 500 * time.Millisecond
	// unreachableGiveUp is how many sends in a row may find no connection.
	unreachableGiveUp = 20
	// askedWait is the longest wait that a provider can ask for.
	askedWait  = time.Hour
	pairGiveUp = 6
)

// throttled slows the number, and pauses it when the provider asks for that or
// keeps refusing. The message is tried again later.
func (l *lane) throttled(a *answered, now time.Time) {
	ans := &a.answer
	ans.RetryAfter = min(ans.RetryAfter, askedWait)
	pause, ok := l.flow.throttled(ans.RetryAfter, now)
	if !ok {
		l.haltNumber(&Halt{Reason: delivery.HaltThrottled, Code: ans.Code, Title: ans.Title,
			Advice: "The provider has been refusing everything for being too fast for 15 minutes. Lower throughput, or wait and run apply again: it continues where it stopped."})
		a.left = true
		return
	}
	l.pause(delivery.ReasonThrottled, now.Add(pause))
	l.later(a, now.Add(max(pause, throttleWait)))
}

// pairThrottled holds one recipient's message.
func (l *lane) pairThrottled(a *answered, now time.Time) {
	j := a.job
	j.tries++
	if j.tries >= pairGiveUp {
		a.left = true
		return
	}
	l.later(a, now.Add(max(min(a.answer.RetryAfter, askedWait), delivery.Spacing<<(j.tries-1))))
}

// notSent tries the message again later, as often as the campaign allows.
func (l *lane) notSent(a *answered, now time.Time) {
	j, ans := a.job, &a.answer
	l.flow.unreachable++
	j.tries++
	if l.flow.unreachable >= unreachableGiveUp {
		l.haltNumber(&Halt{Reason: delivery.HaltUnreachable, Code: ans.Code, Title: l.provider + ", " + ans.Title,
			Advice: "No message left. Check the address and the network, then run apply again: it continues where it stopped."})
		a.left = true
		return
	}
	if j.tries >= max(j.counts.campaign.MaxAttempts, 1) {
		a.left = true
		return
	}
	wait := max(min(ans.RetryAfter, askedWait), l.flow.jitter(backoffBase, j.tries))
	if l.flow.unreachable > 1 { // the trouble is not this message's alone
		l.pause(delivery.ReasonUnreachable, now.Add(wait))
	}
	l.later(a, now.Add(wait))
}

// pause stops new sends of the number until then.
func (l *lane) pause(reason delivery.Reason, until time.Time) {
	if l.flow.pauseFor(until, l.r.opt.Now()) {
		l.r.observe(Event{Kind: EventPaused, Provider: l.provider, Reason: reason, Until: until})
	}
}

// trip pauses the number after a run of unknown answers, before one probe.
func (l *lane) trip(now time.Time) {
	wait, ok := l.flow.opened()
	if !ok {
		l.haltNumber(&Halt{Reason: delivery.HaltBreaker, Title: "the provider's answers stay unclear",
			Advice: "Nothing more is sent, so that no more messages come into doubt. See handbill status for those in doubt, and wait until the provider works again."})
		return
	}
	l.pause(delivery.ReasonUnclearAnswers, now.Add(wait))
}

// stopIf halts a campaign when too many of its last answers were refusals.
func (l *lane) stopIf(n *counts, ans message.Answer) {
	rule := n.campaign.StopIf
	if rule.Over <= 0 || ans.Class == message.Throttled || ans.Class == message.NotSent || ans.Class == message.PairThrottled {
		return
	}
	failed := ans.Class != message.Accepted
	if rate, full := n.recent(failed, rule.Over); full && rate > rule.FailureRate {
		l.halt(n, &Halt{Reason: delivery.HaltStopIf, Title: fmt.Sprintf("%.0f %% of the last %d sends failed", rate*100, rule.Over),
			Advice: "See handbill status for the causes, and whether the contacts and the message are right."})
	}
}

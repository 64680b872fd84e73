package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/internal/fp"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/state"
)

// turn writes the outcomes of the answers that came and the intents of the
// batch in one commit, and then lets the batch go. A lane with a limit takes a turn
// also when only its limit must begin anew.
func (l *lane) turn(ctx context.Context, now time.Time) error {
	if wait, limited := l.lease.Due(); len(l.settled) == 0 && len(l.batch) == 0 && (!limited || l.lost || wait > 0) {
		return nil
	}
	if h := l.r.watch.halt(now); h != nil && len(l.batch) > 0 {
		l.putBack(now)
		l.haltNumber(h)
	}
	verdicts, err := l.record(ctx)
	if errors.Is(err, state.ErrFenced) {
		l.putBack(now)
		if l.lost = l.lease.Limited(); !l.lost {
			l.haltNumber(lockLost())
		}
		return nil
	}
	if err != nil {
		return err
	}
	for i, j := range l.batch {
		l.release(ctx, j, verdicts[i])
	}
	l.batch = l.batch[:0]
	return nil
}

// record makes a turn durable and counts its outcomes. When the commit fails it
// tries the outcomes alone: a lost outcome would turn a known result into a doubt.
// When another run has taken the number, the intents are refused and the outcomes
// kept.
func (l *lane) record(ctx context.Context) ([]state.Verdict, error) {
	outcomes, intents := l.outcomes(), l.intents()
	// A turn is written even if the run was cancelled; its sends notice that.
	ctx = context.WithoutCancel(ctx)
	began, asked := l.r.opt.Now(), l.lease.Ask()
	hit(len(outcomes), "outcome-before")
	hit(len(intents), "intent-before")
	verdicts, err := l.r.opt.Recorder.Turn(ctx, l.lane, outcomes, intents)
	hit(len(intents), "intent-after")
	l.flow.pace.Committed(l.r.opt.Now().Sub(began))
	fenced := errors.Is(err, state.ErrFenced)
	if err == nil {
		l.lease.Granted(asked)
	}
	if err == nil || fenced || len(intents) > 0 && len(outcomes) > 0 && l.alone(ctx, outcomes) {
		hit(len(outcomes), "outcome-after")
		l.countAnswers()
	}
	if err != nil {
		return nil, fmt.Errorf("recording what became of %d sends, and %d that are about to be made: %w", len(outcomes), len(intents), err)
	}
	return verdicts, nil
}

// alone tries to write the outcomes of a turn that failed.
func (l *lane) alone(ctx context.Context, outcomes []state.Outcome) bool {
	_, err := l.r.opt.Recorder.Turn(ctx, l.lane, outcomes, nil)
	return err == nil // if not, the turn's own error is reported
}

func hit(n int, point string) {
	if n > 0 {
		fp.Hit(point)
	}
}

func (l *lane) outcomes() []state.Outcome {
	now := l.r.opt.Now()
	l.out = l.out[:0]
	for i := range l.settled {
		a := &l.settled[i]
		o := state.OutcomeOf(a.job.handle, a.answer, now)
		if o.Number = l.provider; a.answer.Class == message.Throttled {
			o.Hold = l.flow.pauseUntil // everybody who sends through the number waits
		}
		l.out = append(l.out, o)
	}
	return l.out
}

func (l *lane) intents() []state.Intent {
	l.in = l.in[:0]
	ask := l.flow.pace.Ask(l.r.opt.Now())
	for _, j := range l.batch {
		j.intent.Pace, j.intent.Spacing = ask, l.r.opt.Spacing
		l.in = append(l.in, j.intent)
	}
	return l.in
}

// putBack returns the jobs of a batch whose intents were not written to the queue.
func (l *lane) putBack(now time.Time) {
	for _, j := range l.batch {
		l.waiting.put(j, now)
	}
	l.batch = l.batch[:0]
}

// release sends a job whose intent is durable, or counts the gate that refused it.
func (l *lane) release(ctx context.Context, j *job, v state.Verdict) {
	if v.UnderAnother && !j.shared {
		j.shared = true
		j.counts.sharedWith()
	}
	if v.Gate != delivery.GateNone {
		l.gate(j, v)
		return
	}
	j.handle, j.touched, j.slot = v.Attempt, true, v.Leave
	l.flow.pace.Told(v.Leave, true)
	l.flying++
	if l.senders < l.flying {
		l.senders++
		go l.send(ctx)
	}
	l.work <- j
}

// send makes the requests of released jobs, one after another, until the lane ends.
// Its goroutines are reused: a new one would grow its stack for every request.
func (l *lane) send(ctx context.Context) {
	clock := l.r.opt.Now
	again := func(a pace.Ask, many int) (time.Time, error) {
		return l.r.opt.Recorder.Slots(context.WithoutCancel(ctx), l.provider, a, many)
	}
	for j := range l.work {
		started := clock()
		var a message.Answer
		late := false
		if err := l.flow.pace.Leave(ctx, clock, j.slot, again); err != nil && ctx.Err() == nil {
			a = message.Answer{Class: message.NotSent, Title: err.Error()}
		} else if late = !l.lease.Valid(); late {
			a = message.Answer{Class: message.NotSent, Title: "the time for which the number was ours was over"}
		} else {
			fp.Hit("request-before")
			a = l.sender.Send(ctx, j.request)
			fp.Hit("answer-after")
		}
		took := clock().Sub(started) // includes the wait for its slot, which also takes a place
		a.Title = impersonal(a.Title, j.values)
		l.answers <- answered{job: j, answer: a, took: took, late: late}
	}
}

// impersonal removes the recipient's values from a provider's text, which may
// repeat the message and is shown and logged.
func impersonal(title string, values []string) string {
	for _, v := range values {
		if len(v) >= 3 {
			title = strings.ReplaceAll(title, v, "…")
		}
	}
	return title
}

// gate handles a verdict that refused the intent.
func (l *lane) gate(j *job, v state.Verdict) {
	switch v.Gate {
	case delivery.GatePace: // others send through the number as well
		l.flow.pace.Told(v.Until, false)
		l.waiting.put(j, l.r.opt.Now())
		return
	case delivery.GateSpacing:
		l.waiting.put(j, v.Until)
		return
	}
	if v.Gate == delivery.GateAttempt { // a saved plan applied again: the rest of it goes on
		j.attempt = v.Next
		if j.settled() && v.Was == state.Pending {
			j.pending = true
			j.counts.unsettled()
		} else if v.Was == state.Pending && !j.touched {
			j.counts.overtaken()
		}
		l.waiting.put(j, l.r.opt.Now())
		return
	}
	if !v.Until.IsZero() {
		l.close(j, v.Gate.Reason(), v.Until)
		return
	}
	l.canaryLeft(j)
	j.counts.gated(v.Gate.Reason(), j.settled(), j.touched || j.pending)
	j.counts.leftWith(j.attempt)
	l.r.observe(Event{Kind: EventGated, Provider: l.provider, Campaign: j.counts.campaign.Address,
		Recipient: j.intent.Recipient, Reason: v.Gate.Reason()})
}

package apply

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// lane drives one sending number. Everything but the sends themselves happens
// in the goroutine of run, so its fields need no lock.
//
// In each turn, the lane takes the answers that came and learns from them; takes as
// many jobs as flow and admission allow; writes the outcomes and the new intents in
// one commit; and lets the jobs go. Sends go on while a commit runs, so the next
// commit carries what came meanwhile.
type lane struct {
	r        *Running
	provider string
	lane     state.Lane
	sender   providers.Sender

	sources  []*source // in the plan's order; drained ones are removed
	waiting  delayed
	doubted  []*job     // in doubt by the owner before; see recheck
	clock    plan.Clock // of time zones
	names    *namer
	canaries map[*counts]*canary
	flow     flow
	identity delivery.Answers
	halted   bool // the number as a whole
	lease    *state.Lease
	lost     bool // another process has taken the lane over
	released bool // the rest is left to the next owner

	flying  int
	answers chan answered
	work    chan *job // to the goroutines that send
	senders int       // how many goroutines send
	batch   []*job
	settled []answered
	out     []state.Outcome // of the last turn, for the next
	in      []state.Intent
}

// answered is a job with its answer, and what was learned from it.
type answered struct {
	job     *job
	answer  message.Answer
	took    time.Duration
	attempt int
	again   bool            // the job goes on
	left    bool            // the job stays pending
	late    bool            // it did not leave: the lane may not have been ours any more
	held    delivery.Reason // with left: what it waits for
}

// maxBatch is the most intents of one commit, as many as can be in flight. Commits
// of 64 reach two thirds of that throughput with a provider that answers at once
// (docs/benchmarks.md).
const maxBatch = maxConcurrency

// maxGather is the most jobs that one turn looks at, so that answers do not wait
// behind a long run of entries that gates stop.
const maxGather = 4096

func newLane(r *Running, provider string) *lane {
	rate := 0.0
	for i := range r.plan.Campaigns {
		if c := &r.plan.Campaigns[i]; c.Provider == provider {
			rate = max(rate, c.Throughput)
		}
	}
	l := &lane{
		r: r, provider: provider, lane: r.lanes[provider], sender: r.opt.Senders[provider],
		names: newNamer(r), canaries: map[*counts]*canary{},
		flow:    newFlow(rate, r.opt.Parallelism, rand.New(rand.NewPCG(r.opt.Seed, uint64(len(provider))))),
		lease:   state.NewLease(r.lanes[provider].Limit, r.opt.Now, r.opt.Monotonic),
		answers: make(chan answered, maxConcurrency), work: make(chan *job, maxConcurrency),
	}
	l.sources = openSources(r, provider)
	return l
}

// run drives the lane to its end. It returns an error only when the state or
// the plan's stream failed.
func (l *lane) run(ctx context.Context) error {
	for _, s := range l.sources {
		defer s.stop()
	}
	defer close(l.work)
	if err := l.holdOut(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	for {
		l.collect()
		if l.leaving(ctx) {
			return l.land(ctx)
		}
		if l.stopping(ctx) {
			return l.drain(ctx)
		}
		now := l.r.opt.Now()
		moved, err := l.gather(now)
		if err != nil { // of the plan: what is in flight is recorded all the same
			l.putBack(now)
			return errors.Join(err, l.land(ctx))
		}
		wrote := len(l.settled)+len(l.batch) > 0
		if err := l.turn(ctx, now); err != nil {
			return l.abandon(err)
		}
		if moved || wrote { // a commit takes time, in which something fell due
			continue
		}
		if len(l.sources) == 0 && l.waiting.Len() == 0 && l.flying == 0 {
			if again, err := l.recheck(ctx); !again {
				return err
			}
			continue
		}
		l.wait(ctx, now)
	}
}

// leaving reports whether the lane is not ours to end: it was taken over, or is
// released. A process that took part in the run of another one never ends it early.
func (l *lane) leaving(ctx context.Context) bool {
	select {
	case <-l.r.opt.Release:
		l.released = !l.lost
	default:
		l.released = !l.lost && l.r.joined && ctx.Err() != nil
	}
	return l.lost || l.released
}

// stopping reports whether nothing new may be sent for the whole number.
func (l *lane) stopping(ctx context.Context) bool {
	if l.halted || ctx.Err() != nil {
		return true
	}
	select {
	case <-l.r.opt.Stop:
		return true
	default:
		return false
	}
}

// collect takes the answers that are there without waiting.
func (l *lane) collect() {
	for {
		select {
		case a := <-l.answers:
			l.take(a)
		default:
			return
		}
	}
}

// take handles an answer; the next turn records it.
func (l *lane) take(a answered) {
	l.flying--
	l.learn(&a, l.r.opt.Now())
	l.settled = append(l.settled, a)
}

// wait sleeps until an answer comes, something is due, or the run is stopped. now
// is the moment at which there was nothing to do, so that wait does not sleep
// through what became due since.
func (l *lane) wait(ctx context.Context, now time.Time) {
	timer := time.NewTimer(l.nap(now))
	defer timer.Stop()
	stop, done := l.r.opt.Stop, ctx.Done()
	select {
	case a := <-l.answers:
		l.take(a)
	case <-timer.C:
	case <-stop:
	case <-l.r.opt.Release:
	case <-l.awaits():
	case <-done:
	}
}

// idle is the longest sleep; an answer, a stop or a cancel ends it earlier.
const idle = 10 * time.Second

// nap returns for how long there is nothing to do unless an answer comes.
func (l *lane) nap(now time.Time) time.Duration {
	d := idle
	sooner := func(t time.Time) {
		if !t.IsZero() && t.After(now) {
			d = min(d, t.Sub(now))
		}
	}
	sooner(l.waiting.first())
	sooner(l.canaryDue())
	sooner(l.flow.after(now, l.flying))
	if wait, ok := l.lease.Due(); ok {
		d = min(d, wait)
	}
	return max(d, time.Millisecond/4)
}

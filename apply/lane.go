package apply

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/handbill/handbill/internal/fp"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// lane drives one sending number. Everything but the sends themselves happens
// in the goroutine of run, so its fields need no lock.
//
// Each turn: take the answers that came and learn from them; take as many jobs
// as the pace and the free places allow; write the outcomes of the one and the
// intents of the other in one commit; let the jobs go. While a commit runs,
// sends go on, so that the next commit carries what came meanwhile.
type lane struct {
	r        *runner
	provider string
	sender   providers.Sender
	rnd      *rand.Rand

	sources []*source // in the plan's order; what is drained is taken out
	waiting delayed
	pairs   pairs
	clock   plan.Clock // of time zones
	refs    *message.References

	pace     *pacer
	leaving  *window
	breaker  breaker
	identity identity
	width    width
	flying   int
	answers  chan answered
	work     chan *job // to those who send
	senders  int       // how many of them there are
	batch    []*job
	settled  []answered
	out      []state.Outcome // of the last turn, for the next
	in       []state.Intent

	pauseUntil  time.Time
	throttles   int       // in a row, without an accepted message between
	throttledAt time.Time // first of them
	slowedAt    time.Time // when a throttle last lowered the pace
	unreachable int       // in a row
	probing     bool      // after the breaker: one send at a time
	canaries    map[*counts]*canary
	halted      bool // the number as a whole
}

// answered is a job with its answer, and what was learned from it.
type answered struct {
	job     *job
	answer  message.Answer
	took    time.Duration
	attempt int
	again   bool // the job goes on
	left    bool // the job stays pending
}

// maxBatch is the most intents of one commit: as many as can be in flight. With
// a provider that answers at once, a commit of 64 drives it at two thirds of
// that (measured, docs/benchmarks.md).
const maxBatch = maxWidth

// maxGather is the most jobs that one turn looks at, so that a long run of
// entries that gates keep back does not keep answers waiting.
const maxGather = 4096

func newLane(r *runner, provider string) *lane {
	rate, campaigns := 0.0, 0
	for i := range r.plan.Campaigns {
		if c := &r.plan.Campaigns[i]; c.Provider == provider {
			rate = max(rate, c.Throughput)
			campaigns++
		}
	}
	l := &lane{
		r: r, provider: provider, sender: r.opt.Senders[provider],
		rnd:  rand.New(rand.NewPCG(r.opt.Seed, uint64(len(provider)))),
		refs: message.NewReferences(r.plan.Lineage),
		pace: newPacer(rate, r.opt.Now()), leaving: newWindow(rate, r.opt.Now()), width: newWidth(r.opt.Parallelism), identity: newIdentity(),
		answers: make(chan answered, maxWidth), work: make(chan *job, maxWidth), pairs: newPairs(r.opt.Now(), campaigns),
		canaries: map[*counts]*canary{},
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
	for {
		l.collect()
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
			return nil
		}
		l.wait(ctx, now)
	}
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

// take learns from an answer, which the next turn records.
func (l *lane) take(a answered) {
	l.flying--
	l.learn(&a, l.r.opt.Now())
	l.settled = append(l.settled, a)
}

// turn writes the outcomes of the answers that came and the intents of the
// batch in one commit, and then lets the batch go.
func (l *lane) turn(ctx context.Context, now time.Time) error {
	if len(l.settled) == 0 && len(l.batch) == 0 {
		return nil
	}
	if h := l.r.watch.halt(now); h != nil && len(l.batch) > 0 {
		l.putBack(now)
		l.haltNumber(h)
	}
	verdicts, err := l.record(ctx)
	if errors.Is(err, state.ErrFenced) {
		l.putBack(now)
		l.haltNumber(lockLost())
		return nil
	}
	if err != nil {
		return err
	}
	for i, j := range l.batch {
		l.release(ctx, j, verdicts[i], now)
	}
	l.batch = l.batch[:0]
	return nil
}

// record makes a turn durable and books the outcomes. Where the whole failed
// the outcomes are tried alone: losing one would make a doubt out of knowledge.
// Another apply that began meanwhile keeps the intents out, not the outcomes.
func (l *lane) record(ctx context.Context) ([]state.Verdict, error) {
	outcomes, intents := l.outcomes(), l.intents()
	// A turn is written even when the run was cancelled; its sends see that.
	ctx = context.WithoutCancel(ctx)
	hit(len(outcomes), "outcome-before")
	hit(len(intents), "intent-before")
	verdicts, err := l.r.opt.Recorder.Turn(ctx, l.r.id, outcomes, intents)
	hit(len(intents), "intent-after")
	fenced := errors.Is(err, state.ErrFenced)
	if err == nil || fenced || len(intents) > 0 && len(outcomes) > 0 && l.alone(ctx, outcomes) {
		hit(len(outcomes), "outcome-after")
		l.book()
	}
	if err != nil {
		return nil, fmt.Errorf("recording what became of %d sends, and %d that are about to be made: %w", len(outcomes), len(intents), err)
	}
	return verdicts, nil
}

// alone tries to write outcomes whose turn failed.
func (l *lane) alone(ctx context.Context, outcomes []state.Outcome) bool {
	_, err := l.r.opt.Recorder.Turn(ctx, l.r.id, outcomes, nil)
	return err == nil // else the turn's error tells it
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
		l.out = append(l.out, state.OutcomeOf(l.settled[i].job.handle, l.settled[i].answer, now))
	}
	return l.out
}

func (l *lane) intents() []state.Intent {
	l.in = l.in[:0]
	for _, j := range l.batch {
		l.in = append(l.in, j.intent)
	}
	return l.in
}

// free is how many sends may be started at now: the places in flight and the
// pauses decide, the pace is taken in gather.
func (l *lane) free(now time.Time) int {
	if now.Before(l.pauseUntil) {
		return 0
	}
	places := l.width.now
	if l.probing {
		places = 1
	}
	return min(max(places-l.flying, 0), maxBatch)
}

// putBack returns a batch whose intents were not written.
func (l *lane) putBack(now time.Time) {
	for _, j := range l.batch {
		l.waiting.put(j, now)
	}
	l.pace.give(len(l.batch))
	l.batch = l.batch[:0]
}

// gather fills the batch with jobs that pass the gates and the pace. It
// reports whether anything was taken, sent or not.
func (l *lane) gather(now time.Time) (moved bool, err error) {
	free := l.free(now)
	if free == 0 {
		return false, nil
	}
	allowed := l.pace.take(now, free)
	defer func() { l.pace.give(allowed - len(l.batch)) }()
	for taken := 0; len(l.batch) < allowed && taken < maxGather; taken++ {
		j, err := l.nextJob(now)
		if err != nil || j == nil {
			return moved, err
		}
		moved = true
		if l.admit(j, now) {
			l.batch = append(l.batch, j)
		}
	}
	return moved, nil
}

// nextJob is a delayed job that is due, else the next entry of the plan; nil
// when there is neither now.
func (l *lane) nextJob(now time.Time) (*job, error) {
	if j := l.waiting.ready(now); j != nil {
		return j, nil
	}
	for i := 0; i < len(l.sources); {
		if l.canaryHolds(l.sources[i].canary, now) {
			i++
			continue
		}
		j, err := l.sources[i].next()
		if j != nil || err != nil {
			return j, err
		}
		l.sources = slices.Delete(l.sources, i, i+1)
	}
	return nil, nil
}

// admit passes j through the gates that need no state, and prepares it.
func (l *lane) admit(j *job, now time.Time) bool {
	n, c := j.counts, j.counts.campaign
	if n.stopped() {
		l.undone(j, j.attempt)
		return false
	}
	if reason, until := l.openAt(c, &j.entry.Recipient, now); reason != "" {
		l.close(j, reason, until)
		return false
	}
	if !j.admitted && c.Total > 0 && n.attempted >= c.Total {
		l.close(j, "total", time.Time{})
		return false
	}
	if until := l.pairs.until(j.entry.Recipient.Key(), now); until.After(now) {
		l.waiting.put(j, until)
		return false
	}
	if prepare(l.sender, j, l.refs); j.unfit != nil {
		l.halt(n, &Halt{Reason: "encode", Title: j.unfit.Error(), Advice: "This is a bug in handbill: a planned message must be encodable. Nothing was sent for this recipient."})
		l.undone(j, j.attempt)
		return false
	}
	if !j.admitted {
		j.admitted = true
		n.attempted++
		l.canaryTakes(j)
	}
	return true
}

// close books an entry that a gate keeps from being sent in this run.
func (l *lane) close(j *job, reason string, until time.Time) {
	ev := Event{Kind: EventHeld, Provider: l.provider, Campaign: j.counts.campaign.Address,
		Recipient: j.entry.Recipient.Key(), Reason: reason, Until: until}
	l.canaryLeft(j)
	switch {
	case j.settled():
	case reason == "expired":
		ev.Kind = EventGated
		j.counts.gated(reason, false, j.touched)
		j.counts.leftWith(j.attempt)
	case reason == "total":
		l.undone(j, j.attempt)
	default:
		j.counts.hold(reason, until)
		j.counts.leftWith(j.attempt)
	}
	l.r.observe(ev)
}

// undone books an entry that stays pending, at its attempt of that number.
func (l *lane) undone(j *job, attempt int) {
	if !j.settled() {
		j.counts.leave(1)
		j.counts.leftWith(attempt)
	}
}

// release lets a job go whose intent is durable, or books the gate that
// refused it.
func (l *lane) release(ctx context.Context, j *job, v state.Verdict, now time.Time) {
	if v.Gate != "" {
		l.pace.give(1)
		l.gate(j, v)
		return
	}
	j.handle, j.touched = v.Attempt, true
	l.flying++
	l.pairs.sent(j.intent.Recipient, now)
	if l.senders < l.flying {
		l.senders++
		go l.send(ctx)
	}
	l.work <- j
}

// send carries out what is released, one after another, until the lane ends.
// Those who send stay, since a new goroutine would have to grow its stack for
// every request.
func (l *lane) send(ctx context.Context) {
	clock := l.r.opt.Now
	for j := range l.work {
		l.leaving.wait(ctx, clock)
		started := clock()
		fp.Hit("request-before")
		a := l.sender.Send(ctx, j.request)
		fp.Hit("answer-after")
		took := clock().Sub(started)
		a.Title = impersonal(a.Title, j.entry.Values)
		l.answers <- answered{job: j, answer: a, took: took}
	}
}

// impersonal takes what is the recipient's own out of a provider's words, which
// may repeat the message and are shown and logged.
func impersonal(title string, values []string) string {
	for _, v := range values {
		if len(v) >= 3 {
			title = strings.ReplaceAll(title, v, "…")
		}
	}
	return title
}

// gate books a verdict that wrote nothing.
func (l *lane) gate(j *job, v state.Verdict) {
	if v.Gate == state.GateAttempt { // a saved plan applied again: the rest of it goes on
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
		l.close(j, v.Gate, v.Until)
		return
	}
	l.canaryLeft(j)
	j.counts.gated(v.Gate, j.settled(), j.touched || j.pending)
	j.counts.leftWith(j.attempt)
	l.r.observe(Event{Kind: EventGated, Provider: l.provider, Campaign: j.counts.campaign.Address,
		Recipient: j.intent.Recipient, Reason: v.Gate})
}

// drain waits for what is in flight, records it, and books the rest as
// pending.
func (l *lane) drain(ctx context.Context) error {
	if err := l.land(ctx); err != nil {
		return err
	}
	l.r.mu.Lock()
	l.r.report.Stopped = l.r.report.Stopped || !l.halted
	l.r.mu.Unlock()
	return l.leaveRest()
}

// land waits for what is in flight and records it.
func (l *lane) land(ctx context.Context) error {
	for l.flying > 0 || len(l.settled) > 0 {
		if len(l.settled) == 0 {
			l.take(<-l.answers)
			l.collect()
		}
		if err := l.turn(ctx, l.r.opt.Now()); err != nil {
			return l.abandon(err)
		}
	}
	return nil
}

// leaveRest books everything that was not reached as pending.
func (l *lane) leaveRest() error {
	for _, j := range l.waiting.jobs {
		l.undone(j, j.attempt)
	}
	l.waiting.jobs = nil
	for _, s := range l.sources {
		s.bare.Store(true)
	}
	for _, s := range l.sources {
		if err := leaveAll(s); err != nil {
			return err
		}
	}
	l.sources = nil
	return nil
}

func leaveAll(s *source) error {
	for {
		j, err := s.next()
		if j == nil {
			return err
		}
		if !j.entry.Action.Repeats() {
			j.counts.leave(1)
			j.counts.leftWith(j.entry.Attempt)
		}
	}
}

// abandon ends the lane after the state failed: what is in flight is waited
// for, since a request that left can't be called back, but nothing is recorded.
func (l *lane) abandon(err error) error {
	unrecorded := len(l.settled)
	for ; l.flying > 0; l.flying-- {
		<-l.answers
		unrecorded++
	}
	return &UnrecordedError{Outcomes: unrecorded, Err: err}
}

// wait sleeps until an answer comes, something is due, or the run is stopped.
// At now there was nothing to do; what fell due since must not be slept over.
func (l *lane) wait(ctx context.Context, now time.Time) {
	timer := time.NewTimer(l.nap(now))
	defer timer.Stop()
	stop, done := l.r.opt.Stop, ctx.Done()
	select {
	case a := <-l.answers:
		l.take(a)
	case <-timer.C:
	case <-stop:
	case <-done:
	}
}

// idle is the longest nap; an answer, a stop or a cancel wakes the lane sooner.
const idle = 10 * time.Second

// nap is how long there is surely nothing to do unless an answer comes.
func (l *lane) nap(now time.Time) time.Duration {
	d := idle
	sooner := func(t time.Time) {
		if !t.IsZero() && t.After(now) {
			d = min(d, t.Sub(now))
		}
	}
	sooner(l.waiting.first())
	sooner(l.canaryDue())
	if now.Before(l.pauseUntil) {
		return min(idle, l.pauseUntil.Sub(now))
	}
	if l.free(now) > 0 {
		if w := l.pace.wait(now); w > 0 {
			d = min(d, w)
		}
	}
	return max(d, time.Millisecond/4)
}

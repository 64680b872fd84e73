package faults

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/memstate"
	"github.com/handbill/handbill/state/sqlite"
)

// tallies count what happened in all campaigns, so that "nothing failed" cannot
// mean "nothing happened".
type tallies struct {
	mu     sync.RWMutex
	counts map[string]*atomic.Int64
}

func newTallies() *tallies { return &tallies{counts: map[string]*atomic.Int64{}} }

func (t *tallies) add(what string) {
	t.mu.RLock()
	n := t.counts[what]
	t.mu.RUnlock()
	if n == nil {
		t.mu.Lock()
		if n = t.counts[what]; n == nil {
			n = new(atomic.Int64)
			t.counts[what] = n
		}
		t.mu.Unlock()
	}
	n.Add(1)
}

func (t *tallies) get(what string) int64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if n := t.counts[what]; n != nil {
		return n.Load()
	}
	return 0
}

// newScript generates a campaign from a seed.
func newScript(seed uint64) *script {
	roll := func(n int, about ...int) int { return luck(seed, n, about...) }
	s := &script{Seed: seed, People: 1 + roll(24, 1), Parallel: 1 + roll(8, 2), Attempts: 1 + roll(4, 3), Echo: roll(4, 4) > 0,
		Cap: roll(8, 5) == 0, Quiet: roll(10, 6) == 0, StopIf: roll(10, 80) == 0}
	if s.Several = roll(4, 100) == 0; s.Several {
		s.People = 1 + roll(3, 101)
	}
	if roll(10, 81) == 0 {
		s.Total = 1 + roll(s.People, 82)
	}
	if roll(10, 83) == 0 {
		s.Canary = 1 + roll(5, 84)
	}
	if roll(4, 7) == 0 {
		s.Rate = float64(1 + roll(40, 8))
	}
	for i := range 1 + roll(4, 9) {
		r := run{Saved: roll(5, 10, i) == 0, Retry: roll(5, 11, i) == 0}
		if roll(4, 12, i) == 0 {
			r.Stop = 1 + roll(3000, 13, i)
			if roll(2, 14, i) == 0 {
				r.Cancel = r.Stop + roll(500, 15, i)
			}
		}
		if roll(6, 16, i) == 0 {
			r.Zombie = 1 + roll(2000, 17, i)
		}
		if roll(12, 85, i) == 0 {
			r.Jump, r.JumpBy = 1+roll(1500, 86, i), clockJumps[roll(len(clockJumps), 87, i)]
		}
		if roll(16, 88, i) == 0 {
			r.Unlock = 1 + roll(2500, 89, i)
		}
		s.Runs = append(s.Runs, r)
	}
	s.answerFaults(roll)
	s.diskFaults(roll)
	s.livesOf(roll)
	for i := range s.lines() {
		if roll(30, 45, i) == 0 && !s.Several {
			s.Faults = append(s.Faults, fault{At: "person", N: i, Do: "stops"})
		}
	}
	for i := range s.lines() * 3 {
		if roll(6, 40, i) == 0 {
			s.Faults = append(s.Faults, fault{At: "webhook", N: i + 1, Do: pick(webhookActs, roll(100, 41, i))})
		}
	}
	return s
}

var (
	answerActs = []string{"refused", "not_delivered", "refused_but_taken", "throttled_but_taken", "window_closed", "opted_out", "throttled",
		"pair", "no_connection", "5xx_taken", "5xx_lost", "drop_taken", "drop_lost", "garbage_taken", "late_taken", "two_ids"}
	outages     = []string{"throttled", "drop_lost", "5xx_taken", "no_connection"}
	webhookActs = []string{"late", "first", "twice", "commit_lost", "answer_lost"}
	commitActs  = []string{"die_before", "die_after", "die_before", "die_after", "eio_lost", "eio_kept", "full"}
	commitPlace = []string{"intend", "settle", "intend", "settle", "intend", "settle", "begin", "finish", "recover"}
)

// clockJumps are the seconds by which somebody may set a clock: a minute, an hour
// of daylight saving, or a day, either way.
var clockJumps = []int{-60, 60, -3600, 3600, 86400, -86400}

func pick(from []string, n int) string { return from[n%len(from)] }

func (s *script) answerFaults(roll func(int, ...int) int) {
	often := 2 + roll(8, 20) // one in this many answers goes wrong
	only := roll(3, 21)      // in some campaigns all go wrong in the same way
	for who := range s.lines() {
		for try := 1; try <= 4; try++ {
			if roll(often, 22, who, try) != 0 {
				continue
			}
			do := pick(answerActs, roll(1000, 23, who, try))
			if only == 0 {
				do = pick(answerActs, roll(1000, 24))
			}
			if roll(60, 25, who, try) == 0 {
				do = "account"
			}
			s.Faults = append(s.Faults, fault{At: "answer", N: who*100 + try, Do: do})
		}
	}
}

func (s *script) diskFaults(roll func(int, ...int) int) {
	for i := range s.Runs {
		if roll(12, 36, i) == 0 { // every send of the run gets the same answer
			s.Faults = append(s.Faults, fault{Run: i, At: "outage", N: 1, Do: pick(outages, roll(100, 37, i))})
		}
		switch roll(3, 30, i) {
		case 0:
		case 1:
			at := pick(commitPlace, roll(1000, 31, i))
			n := 1
			if at == "intend" || at == "settle" {
				n = 1 + roll(8, 32, i)
			}
			s.Faults = append(s.Faults, fault{Run: i, At: at, N: n, Do: pick(commitActs, roll(1000, 33, i))})
		case 2:
			s.Faults = append(s.Faults, fault{Run: i, At: "request", N: 1 + roll(s.People, 34, i), Do: pick([]string{"die_before", "die_after"}, roll(100, 35, i))})
		}
	}
}

// simulate plays a script and returns what was wrong.
func simulate(t *testing.T, s *script, seen *tallies) (problems []string) {
	w := &world{script: s, seen: seen, faults: map[fault]string{}}
	for _, f := range s.Faults {
		w.faults[fault{Run: f.Run, At: f.At, N: f.N}] = f.Do
	}
	for range s.lines() {
		w.truths = append(w.truths, &truth{posts: map[string]int{}})
	}
	if s.Several {
		for i := range s.People {
			w.selves = append(w.selves, newSelf(i))
		}
	}
	dir := ""
	if s.Real {
		dir = t.TempDir()
	}
	synctest.Test(t, func(t *testing.T) {
		defer func() {
			if r := recover(); r != nil {
				w.problem("panic: %v", r)
			}
		}()
		if err := w.open(dir); err != nil {
			w.problem("%v", err)
			return
		}
		stop := make(chan struct{})
		var served sync.WaitGroup
		served.Go(func() { w.serve(stop) })
		w.play(t)
		close(stop)
		served.Wait()
		w.judge(t.Context())
		if real, ok := w.store.(*sqlite.Store); ok {
			if r, err := real.Verify(t.Context()); err != nil || !r.OK() {
				w.problem("verify: %+v, %v", r, err)
			}
		}
		if err := w.store.Close(); err != nil {
			w.problem("%v", err)
		}
	})
	return w.problems
}

func (w *world) open(dir string) error {
	w.wake = make(chan struct{}, 1) // made in the synctest bubble
	if dir == "" {
		w.lineage = simLineage
		w.model = memstate.New(memstate.Options{Clock: time.Now, Lineage: w.lineage, Wish: wishes,
			Moved: func(from, to state.Send, p state.Proof) {
				w.seen.add(fmt.Sprintf("move %s to %s %s", from, to, p))
			},
			Found: func(kind string) { w.seen.add("finding " + kind) }})
		w.store = w.model
		return nil
	}
	store, err := openStore(context.Background(), filepath.Join(dir, "handbill.state"), time.Now, true)
	if err != nil {
		return err
	}
	meta, err := store.Meta(context.Background())
	w.store, w.lineage = store, meta.Lineage
	return err
}

// play runs the script's runs, and then faultless ones until nothing is left to do.
func (w *world) play(t *testing.T) {
	time.Sleep(12 * time.Hour) // noon
	if w.script.Quiet {
		time.Sleep(8*time.Hour - time.Duration(w.luck(3000, 70))*time.Millisecond) // just before the quiet hours
	}
	if w.script.Cap {
		if err := w.before(t.Context()); err != nil {
			w.problem("%v", err)
			return
		}
	}
	w.optOuts()
	for who := range w.selves {
		w.lives.Go(func() { w.live(t.Context(), who) })
	}
	var saved *plan.Plan
	var alive sync.WaitGroup
	for i := range w.script.Runs {
		r := &w.script.Runs[i]
		w.mu.Lock()
		p := saved
		if p == nil || !r.Saved {
			p = w.plan(t.Context(), r.Retry)
		}
		saved = p
		w.mu.Unlock()
		done := make(chan struct{})
		alive.Go(func() {
			w.apply(t.Context(), p, i, r)
			close(done)
		})
		if r.Zombie > 0 {
			select {
			case <-done:
			case <-time.After(time.Duration(r.Zombie) * time.Millisecond):
				w.seen.add("zombie")
			}
			continue
		}
		<-done
		time.Sleep(time.Duration(w.luck(3600_000, 50, i)) * time.Millisecond)
		w.resolve(t.Context(), i)
	}
	alive.Wait()
	w.lives.Wait()
	w.flying.Wait()
	w.honest(t)
}

// before records another campaign that some people received recently.
func (w *world) before(ctx context.Context) error {
	var in []state.Intent
	for i := 0; i < w.script.lines()/w.script.campaigns(); i += 2 {
		_, _, to := w.script.at(i)
		key := state.Key{Campaign: "campaign.before", Recipient: to.Key(), Revision: 1}
		in = append(in, state.Intent{Key: key, To: to, Attempt: 1, Marketing: true, Message: "text_message.hi",
			Ref: message.NewRef(w.lineage, key.Campaign, key.Recipient, 1, 1)})
	}
	p := &process{w: w, run: 99, commits: map[string]int{}, to: map[int64]string{}}
	run, err := p.Begin(ctx, state.Run{Lanes: []state.Lane{{Number: "provider.sandbox.main"}}}, nil)
	if err != nil {
		return err
	}
	v, err := p.Turn(ctx, run.Lanes[0], nil, in)
	if err != nil {
		return err
	}
	out := make([]state.Outcome, len(v))
	for i := range v {
		out[i] = state.Outcome{Attempt: v[i].Attempt, Send: state.Accepted, Proof: state.ProofResponse, ID: fmt.Sprint("before.", i), At: time.Now()}
	}
	_, err = p.Turn(ctx, run.Lanes[0], out, nil)
	return errors.Join(err, p.Finish(ctx, state.Run{ID: run.ID}))
}

// optOuts queues the opt-outs of people who stop marketing while the campaign runs.
func (w *world) optOuts() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.truths {
		if w.fault(0, "person", i) != "stops" {
			continue
		}
		ev := message.Event{Kind: message.EventPreference, OptOut: true, From: message.Address{Phone: phone(i)}, At: time.Now()}
		w.queue = append(w.queue, hook{due: time.Now().Add(time.Duration(w.luck(4_000_000, 71, i)) * time.Microsecond), n: -i,
			body: webhookBody{body: fmt.Sprint("stop ", i), events: []message.Event{ev}}})
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// honest runs apply without faults until nothing is left, and delivers every
// webhook.
func (w *world) honest(t *testing.T) {
	for n := range 6 {
		w.mu.Lock()
		w.faults, w.calm = map[fault]string{}, true
		p := w.plan(t.Context(), false)
		w.mu.Unlock()
		w.apply(t.Context(), p, 100+n, &run{})
		time.Sleep(17 * time.Hour) // 17 hours, so that not every run is in the quiet hours
	}
	w.flying.Wait()
	time.Sleep(46 * 24 * time.Hour)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deliver()
	w.fold()
}

// apply is one process.
func (w *world) apply(ctx context.Context, pl *plan.Plan, n int, r *run) {
	p := &process{w: w, run: n, commits: map[string]int{}, to: map[int64]string{}, clockSet: r.Jump > 0}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opt := apply.Options{Recorder: p, Senders: map[string]providers.Sender{simNumbers[0]: sender{p, 0}, simNumbers[1]: sender{p, 1}}, Now: time.Now,
		Parallelism: w.script.Parallel, Seed: w.script.Seed, Resume: w.resume(ctx, n)}
	began := time.Now()
	after := func(ms int) bool { return ms > 0 && time.Since(began) >= time.Duration(ms)*time.Millisecond }
	if r.Jump > 0 {
		opt.Monotonic = func() time.Duration { return time.Since(began) }
		opt.Now = func() time.Time {
			if after(r.Jump) {
				return time.Now().Add(time.Duration(r.JumpBy) * time.Second)
			}
			return time.Now()
		}
	}
	if r.Unlock > 0 {
		opt.Held = func() bool { return !after(r.Unlock) }
	}
	if r.Stop > 0 {
		stop := make(chan struct{})
		opt.Stop = stop
		timer := time.AfterFunc(time.Duration(r.Stop)*time.Millisecond, func() { close(stop) })
		defer timer.Stop()
	}
	if r.Cancel > 0 {
		timer := time.AfterFunc(time.Duration(r.Cancel)*time.Millisecond, cancel)
		defer timer.Stop()
	}
	rep, err := apply.Run(ctx, pl, opt)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen.add("run")
	w.check(p, rep, err)
}

// outageDoubts is how many doubts an outage may leave besides the sends in flight
// when the breaker opens: four before it opens, and its probes, at most five. If
// the clock is set meanwhile, the breaker forgets four, once.
const (
	outageDoubts     = 9
	outageDoubtsJump = 4
)

// check checks what apply reports against what it may report.
func (w *world) check(p *process, rep *apply.Report, err error) {
	if p.dead {
		return // a dead process says nothing
	}
	var transition *delivery.TransitionError
	switch {
	case errors.As(err, &transition):
		w.problem("run %d: an impossible move: %v", p.run, err)
	case errors.Is(err, apply.ErrArithmetic):
		w.problem("run %d: %v", p.run, err)
	case errors.Is(err, state.ErrFenced):
		w.seen.add("fenced")
	case errors.Is(err, errFull) || errors.Is(err, errIO):
		w.seen.add("unwritable")
	case err != nil:
		w.problem("run %d: %v", p.run, err)
	}
	outage := w.faults[fault{Run: p.run, At: "outage", N: 1}]
	most := w.script.Parallel + outageDoubts
	if p.clockSet {
		most += outageDoubtsJump
	}
	most *= w.script.campaigns() // each number has a breaker of its own
	if (outage == "drop_lost" || outage == "5xx_taken") && p.unknowns > most {
		w.problem("run %d: an outage left %d doubts with %d in flight at most", p.run, p.unknowns, w.script.Parallel)
	}
	for i := range rep.Campaigns {
		c := &rep.Campaigns[i]
		if c.Held > 0 {
			w.seen.add("held")
		}
		if w.script.Total > 0 && c.Pending > 0 && c.Halt == nil && err == nil && !rep.Stopped {
			w.seen.add("deferred total_limit")
		}
		if c.Cancelled > 0 {
			w.seen.add("cancelled")
		}
		if c.Halt != nil {
			w.seen.add("halt " + string(c.Halt.Reason))
		}
	}
}

// resolve acts as a person who resolves doubts now and then, and knows the truth.
func (w *world) resolve(ctx context.Context, n int) {
	if w.luck(3, 60, n) > 0 {
		return
	}
	w.flying.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.store.FoldAll(ctx); err != nil { // every command that writes does this first
		w.problem("joining what waits: %v", err)
	}
	for i, st := range w.standings(ctx) {
		if st.send != state.InDoubt || w.luck(2, 61, n, i) > 0 {
			continue
		}
		as := state.Pending
		if w.truths[i].taken > 0 {
			as = state.Accepted
		}
		campaign, _, to := w.script.at(i)
		key := state.Key{Campaign: simCampaigns[campaign], Recipient: to.Key(), Revision: 1}
		err := w.store.Resolve(ctx, key, as, "operator", "asked")
		if w.script.Several && errors.Is(err, state.ErrSettled) {
			err = nil // it arrived under another id
		}
		if err != nil {
			w.problem("resolving: %v", err)
		}
	}
}

// judge compares the state with what really happened.
func (w *world) judge(ctx context.Context) {
	out, shut := w.outs(ctx)
	standings := w.standings(ctx)
	if w.script.Several {
		w.judgePeople(standings, out, shut)
		return
	}
	for i, st := range standings {
		t := w.truths[i]
		w.seen.add("people")
		if t.taken > 1 && !t.lied && !t.denied {
			w.problem("person %d got the message %d times", i, t.taken)
		}
		if t.taken > 1 {
			w.seen.add("duplicate that the provider lied into being")
			if w.script.Echo && !w.found(ctx) {
				w.problem("person %d got it %d times, and nothing says so", i, t.taken)
			}
		}
		switch st.send {
		case state.Accepted:
			if t.taken == 0 {
				w.problem("person %d counts as accepted, and the provider never took it", i)
			}
			if w.script.Echo && t.taken == 1 && st.rank != t.rank {
				w.problem("person %d stands at %q, and the provider reported %q", i, st.rank, t.rank)
			}
		case state.Rejected:
			if t.taken > 0 && (w.script.Echo || !t.denied && !t.lied) {
				w.problem("person %d counts as rejected, and the provider took it", i)
			}
		case state.InDoubt:
			if t.taken > 0 && w.script.Echo {
				w.problem("person %d is in doubt (%s), although the echo came", i, st.cause)
			}
		case state.Sending:
			w.problem("person %d is being sent for ever", i)
		case state.Pending:
			if t.taken > 0 && (w.script.Echo || !t.denied && !t.lied) {
				w.problem("person %d counts as pending, and the provider took it", i)
			}
			if !out[i] && !shut[i] {
				w.problem("person %d was forgotten", i)
			}
		}
	}
}

// found reports whether the state noticed a duplicate or a contradiction.
func (w *world) found(ctx context.Context) bool {
	all, err := w.store.Findings(ctx)
	return err == nil && len(all) > 0
}

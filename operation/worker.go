package operation

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// WorkerOptions are the options of a worker.
type WorkerOptions struct {
	Numbers     []string        // which it drives; all that it can if empty
	Parallelism int             // see apply.Options
	Spacing     time.Duration   // see apply.Options
	Vars        []lang.VarInput // of sensitive variables, which are not in the state
	// Stop, when closed, ends the worker: it waits for what is in flight, and gives its
	// lanes back. Cancelling the context instead leaves what is in flight in doubt.
	Stop <-chan struct{}
	// Observe is called for what the worker does, one call at a time.
	Observe func(WorkerEvent)
	// Turn is called for each commit of a lane, by several goroutines at once; nil for
	// nothing.
	Turn func(number string, outcomes []state.Outcome, took time.Duration, err error)
}

// observed is a state whose turns are observed.
type observed struct {
	state.Shared
	*worker
}

// Turn implements apply.Recorder.
func (o observed) Turn(ctx context.Context, lane state.Lane, outcomes []state.Outcome, intents []state.Intent) ([]state.Verdict, error) {
	began := o.ws.Now()
	verdicts, err := o.Shared.Turn(ctx, lane, outcomes, intents)
	if o.opt.Turn != nil {
		o.opt.Turn(lane.Number, outcomes, o.ws.Now().Sub(began), err)
	}
	return verdicts, err
}

// WorkerEvent is one thing that a worker did.
type WorkerEvent struct {
	Kind   WorkerEventKind
	Run    int64  // 0 for none
	Number string // "" for none
	Doubts int    // with WorkerTook: how many sends were put in doubt
	Sent   int    // with WorkerDone, WorkerLeft, WorkerLost: accepted here
	Err    error
}

// WorkerEventKind says what a worker did.
type WorkerEventKind string

// The kinds of WorkerEvent.
const (
	WorkerCan     WorkerEventKind = "can drive"    // it has the credentials of a number
	WorkerCannot  WorkerEventKind = "cannot drive" // Err says why
	WorkerTook    WorkerEventKind = "took"         // a lane
	WorkerDone    WorkerEventKind = "done"         // a lane was driven to its end
	WorkerLeft    WorkerEventKind = "gave back"    // a lane; Err says why, nil for a stop
	WorkerLost    WorkerEventKind = "lost"         // a lane, to another process
	WorkerTrouble WorkerEventKind = "trouble"      // Err: the state, or a run that cannot be driven
)

// againAfter is how long a worker leaves a run or a lane alone at which it failed.
const againAfter = 10 * time.Second

// worker drives lanes of open runs.
type worker struct {
	ws    *workspace.Workspace
	store state.Shared
	opt   WorkerOptions
	me    state.Worker
	known string    // the configuration that me.Numbers are of
	spoke time.Time // when it announced itself last
	told  string    // the trouble that was told last

	mu     sync.Mutex // guards what follows, and Observe
	runs   map[int64]*carried
	drives sync.WaitGroup
}

// Work drives lanes of open runs until it is stopped: those that nobody owns, and
// whose credentials this process has.
func Work(ctx context.Context, ws *workspace.Workspace, store state.Shared, opt WorkerOptions) error {
	w := &worker{ws: ws, store: store, opt: opt, me: state.Worker{Owner: ws.Owner(state.OwnerWorker)}, runs: map[int64]*carried{}}
	for !w.over(ctx) {
		w.trouble(w.round(ctx))
		w.rest(ctx)
	}
	w.release()
	w.drives.Wait()
	for _, c := range w.runs {
		c.close()
	}
	return store.Retire(context.WithoutCancel(ctx), w.me.ID)
}

// release gives all lanes back.
func (w *worker) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.runs {
		c.release()
	}
}

func (w *worker) over(ctx context.Context) bool {
	select {
	case <-w.opt.Stop:
		return true
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

func (w *worker) rest(ctx context.Context) {
	select {
	case <-w.opt.Stop:
	case <-ctx.Done():
	case <-time.After(lookEvery):
	}
}

// round looks once at everything.
func (w *worker) round(ctx context.Context) error {
	if err := w.introduce(ctx); err != nil {
		return err
	}
	if err := sameTime(ctx, w.ws, w.store, "this worker drives nothing and gives back what it has. Set the clock right, and it goes on"); err != nil {
		w.release()
		return err
	}
	open, err := w.store.OpenRuns(ctx)
	if err != nil {
		return err
	}
	w.forget(open)
	var all error
	for i := range open {
		all = errors.Join(all, w.look(ctx, &open[i]))
	}
	return all
}

// introduce looks at a configuration that is new, and tells others which numbers this
// worker can drive.
func (w *worker) introduce(ctx context.Context) error {
	found, err := w.ws.Drivable(ctx, w.store, w.opt.Vars, w.known)
	if err != nil {
		return err
	}
	var said []WorkerEvent // after it is so: who reads it may begin a run at once
	if found != nil {
		w.known, w.me.Config, w.me.Numbers = found.Config, found.Config, nil
		for _, number := range found.Numbers {
			if w.wants(number) {
				w.me.Numbers = append(w.me.Numbers, number)
				said = append(said, WorkerEvent{Kind: WorkerCan, Number: number})
			}
		}
		for _, n := range found.Not {
			if w.wants(n.Number) {
				said = append(said, WorkerEvent{Kind: WorkerCannot, Number: n.Number, Err: n.Err})
			}
		}
		for _, number := range w.opt.Numbers {
			if !slices.Contains(found.Numbers, number) && !slices.ContainsFunc(found.Not, func(n workspace.NotDriven) bool { return n.Number == number }) {
				said = append(said, WorkerEvent{Kind: WorkerCannot, Number: number, Err: errors.New("the configuration does not declare it")})
			}
		}
	}
	now := w.ws.Now()
	if found == nil && now.Sub(w.spoke) < state.AnnounceLife/3 {
		return nil
	}
	if err = w.store.Announce(ctx, w.me); err == nil {
		w.spoke = now
	}
	for _, ev := range said {
		w.observe(ev)
	}
	return err
}

func (w *worker) wants(number string) bool {
	return len(w.opt.Numbers) == 0 || slices.Contains(w.opt.Numbers, number)
}

// look takes the lanes of a run that are free, and releases those of a run that is
// stopped.
func (w *worker) look(ctx context.Context, r *state.OpenRun) error {
	c := w.of(r)
	if r.Stopped {
		c.release()
		return nil
	}
	for i := range r.Lanes {
		l := &r.Lanes[i]
		if l.Done || l.Left > 0 || !w.wants(l.Number) || !c.idle(l.Number, w.ws.Now()) {
			continue
		}
		if err := c.open(ctx, w); err != nil { // before the lane is taken: a large plan takes a while
			return err
		}
		if c.sender(l.Number) == nil {
			continue
		}
		if err := state.Sendable(ctx, w.store, w.ws.Now()); err != nil { // windows and quiet hours depend on this machine's clock
			return err
		}
		lane, doubts, err := w.store.TakeOver(ctx, r.ID, l.Number, w.me.Owner)
		switch {
		case errors.Is(err, state.ErrOwned): // somebody was faster
		case err != nil:
			return err
		default:
			w.observe(WorkerEvent{Kind: WorkerTook, Run: r.ID, Number: l.Number, Doubts: doubts})
			w.drives.Go(func() { w.drive(ctx, c, lane, c.begin(l.Number)) })
		}
	}
	return nil
}

// drive drives one lane until it is done, released or lost.
func (w *worker) drive(ctx context.Context, c *carried, lane state.Lane, release <-chan struct{}) {
	started := w.ws.Now()
	run := c.run.Run
	run.Lanes = []state.Lane{lane}
	opt := apply.Options{Recorder: observed{w.store, w}, Senders: c.senders(), Hold: c.run.Hold, Who: w.ws.Who(), Now: w.ws.Now, Seed: uint64(started.UnixNano()),
		Monotonic:   func() time.Duration { return w.ws.Now().Sub(started) },
		Parallelism: w.opt.Parallelism, Spacing: w.opt.Spacing, Release: release, Sent: sentBefore(w.store), SoFar: w.store.SoFar}
	report := &apply.Report{Left: []state.Lane{lane}}
	var running *apply.Running
	var err error
	if opt.Told, err = toldTemplates(ctx, w.store, c.saved.Plan); err == nil {
		opt.LinkKey, err = state.LinkKey(ctx, w.store)
	}
	if err == nil {
		running, err = apply.Join(ctx, c.saved.Plan, run, opt)
	}
	if err == nil {
		_ = running.Drive(ctx, lane.Number) // Finish returns its error
		report, err = running.Finish(context.WithoutCancel(ctx))
	}
	err = errors.Join(err, giveBack(ctx, w.store, report.Left))
	ev := WorkerEvent{Kind: WorkerDone, Run: run.ID, Number: lane.Number, Err: err}
	for i := range report.Campaigns {
		ev.Sent += report.Campaigns[i].Sent
	}
	switch {
	case len(report.Lost) > 0:
		ev.Kind = WorkerLost
	case len(report.Left) > 0:
		ev.Kind = WorkerLeft
	}
	var after time.Time
	if err != nil {
		after = w.ws.Now().Add(againAfter)
	}
	c.end(lane.Number, after)
	w.observe(ev)
}

func (w *worker) observe(ev WorkerEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.opt.Observe != nil {
		w.opt.Observe(ev)
	}
}

// trouble tells an error once, not each second.
func (w *worker) trouble(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != w.told && err != nil {
		w.observe(WorkerEvent{Kind: WorkerTrouble, Err: err})
	}
	w.told = text
}

package operation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/pace"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// lookEvery is how often drivers look whether something changed: a lane that is
// free, a run that was stopped.
const lookEvery = time.Second

// Apart waits up to wait until no other process drives a run that has a sending
// number or a campaign of the plan. If one still does, it fails with a
// *state.OpenRunError. After a wait the plan is older than what was sent meanwhile.
func (a *Apply) Apart(ctx context.Context, p *plan.Plan, wait time.Duration) (waited time.Duration, err error) {
	shared, ok := a.Store.(state.Shared)
	if !ok {
		return 0, nil
	}
	run := apply.Record(p, &state.Carried{})
	for ; ; waited += lookEvery {
		open, err := driven(ctx, shared, &run)
		switch {
		case err != nil:
			return waited, err
		case open == nil:
			return waited, nil
		case waited >= wait:
			return waited, open
		}
		if err := pace.Sleep(ctx, lookEvery); err != nil {
			return waited, err
		}
	}
}

// driven says which open run somebody drives, or waits for workers, that shares
// something with a run; nil for none.
func driven(ctx context.Context, store state.Shared, run *state.Run) (*state.OpenRunError, error) {
	open, err := store.OpenRuns(ctx)
	if err != nil || len(open) == 0 {
		return nil, err
	}
	workers, err := store.Workers(ctx)
	for i := range open {
		if shares := open[i].Shares(run); len(shares) > 0 && open[i].Driven(workers) {
			return &state.OpenRunError{Run: open[i], Shares: shares}, err
		}
	}
	return nil, err
}

// drive carries out a plan on a state that machines share. The lock is given back as
// soon as the run has begun and no template is waited for any more: from then on, what
// keeps others out is that its lanes are owned. If this process dies, workers carry the run on.
func (a *Apply) drive(ctx context.Context, store state.Shared, opt apply.Options) (*apply.Report, error) {
	write, err := a.ws.Carry(a.plan)
	if err != nil {
		return &apply.Report{}, err
	}
	release, over := make(chan struct{}), make(chan struct{})
	defer close(over)
	opt.Held, opt.Release = nil, release
	opt.Carried = &state.Carried{Plan: write, Hold: carriedHold(&opt), Owner: a.ws.Owner(state.OwnerApply), Detach: a.detach && a.plan.Sends() > 0}
	opt.Begun = func(run state.Run) {
		if opt.Await == nil {
			a.begun()
		}
		go releaseWhenStopped(ctx, store, run.ID, release, over)
	}
	report, err := apply.Run(ctx, a.plan, opt)
	return report, errors.Join(err, giveBack(ctx, store, report.Left))
}

// begun gives the lock back: the run has begun, and nothing else is left to do.
func (a *Apply) begun() {
	if _, shared := a.Store.(state.Shared); shared {
		a.held = nil
		a.free()
	}
}

// carriedHold is what a worker holds that carries the run on: it does not wait for
// templates.
func carriedHold(opt *apply.Options) map[string]delivery.Reason {
	out := maps.Clone(opt.Hold)
	for _, c := range opt.Await.Campaigns() {
		out[c] = delivery.ReasonTemplatePending
	}
	return out
}

// releaseWhenStopped closes release when somebody stops the run, until over.
func releaseWhenStopped(ctx context.Context, store state.Shared, run int64, release chan<- struct{}, over <-chan struct{}) {
	for {
		select {
		case <-over:
			return
		case <-time.After(lookEvery):
		}
		open, err := store.OpenRuns(ctx)
		if err == nil && slices.ContainsFunc(open, func(r state.OpenRun) bool { return r.ID == run && r.Stopped }) {
			close(release)
			return
		}
	}
}

// giveBack lets others take lanes at once that this process drives no more.
func giveBack(ctx context.Context, store state.Shared, lanes []state.Lane) (err error) {
	for _, lane := range lanes {
		err = errors.Join(err, store.GiveBack(context.WithoutCancel(ctx), lane))
	}
	return err
}

// workersAnswer is how long workers may take to look at a new configuration.
const workersAnswer = 5 * time.Second

// Drivable refuses with an *Error a plan whose run is left to workers when no worker
// that is there has the credentials of one of its numbers.
func (a *Apply) Drivable(ctx context.Context, p *plan.Plan) error {
	store, ok := a.Store.(state.Shared)
	if !ok || p.Sends() == 0 {
		return nil
	}
	if err := a.ws.OfferConfig(ctx, store); err != nil {
		return err
	}
	data, err := a.ws.ConfigData()
	if err != nil {
		return err
	}
	for waited := time.Duration(0); ; waited += lookEvery / 4 {
		workers, err := store.Workers(ctx)
		missing := undrivable(workers, p, workspace.ConfigDigest(data))
		switch {
		case err != nil:
			return err
		case len(missing) == 0:
			return nil
		case len(workers) == 0, waited >= workersAnswer:
			return refuse("No worker", "no worker is there that has the credentials of %s, so nothing was sent. Start one (\"handbill worker\"), or leave the run to one that starts later with -wait-for-workers", strings.Join(missing, ", "))
		}
		if err := pace.Sleep(ctx, lookEvery/4); err != nil {
			return err
		}
	}
}

// undrivable lists the numbers of a plan that no worker has the credentials of, under
// a configuration that it has looked at.
func undrivable(workers []state.Worker, p *plan.Plan, config string) (missing []string) {
	for i := range p.Campaigns {
		c := &p.Campaigns[i]
		if c.Counts.Sends() > 0 && !slices.Contains(missing, c.Provider) && !slices.ContainsFunc(workers, func(w state.Worker) bool {
			return w.Config == config && slices.Contains(w.Numbers, c.Provider)
		}) {
			missing = append(missing, c.Provider)
		}
	}
	return missing
}

// sentBefore tells apply.Join whom a campaign was sent to.
func sentBefore(store state.Store) func(context.Context, string, int) (state.SentIndex, error) {
	return func(ctx context.Context, campaign string, revision int) (state.SentIndex, error) {
		snap, err := store.Snapshot(ctx)
		if err != nil {
			return nil, err
		}
		defer snap.Close()
		found, err := snap.Compact(ctx, campaign, revision)
		if err != nil {
			return nil, fmt.Errorf("reading who got %s: %w", campaign, err)
		}
		return found, nil
	}
}

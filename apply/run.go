package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/internal/fp"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

// Running is a run that has begun: a plan, its record in the state, and the
// counts of its campaigns.
type Running struct {
	plan   *plan.Plan
	opt    Options
	lanes  map[string]state.Lane // by number
	counts []*counts             // by campaign
	watch  *watch

	mu     sync.Mutex // guards report, errs and Observe
	report *Report
	errs   []error // of lanes, and of halts that could not be written
	failed bool    // a lane ended with an error
}

// Begin opens a run in the state, settles what a crash left at its numbers, and
// counts what was sent before. It opens the run first, which fences any process that
// still believes it holds one of the numbers, so that the counts cannot change. With
// an error nothing is sent, and the returned value only serves Run's report.
func Begin(ctx context.Context, p *plan.Plan, opt Options) (*Running, error) {
	r := &Running{plan: p, opt: opt, report: &Report{}}
	return r, r.begin(ctx)
}

func (r *Running) begin(ctx context.Context) error {
	if r.opt.Now == nil || r.opt.Recorder == nil {
		panic("apply: Options need Now and Recorder")
	}
	if r.opt.Spacing == 0 {
		r.opt.Spacing = delivery.Spacing
	}
	r.watch = newWatch(&r.opt)
	run := state.Run{Started: r.opt.Now(), Version: r.plan.Version, Plan: r.plan.Digest, Blobs: r.opt.Blobs, Resume: r.opt.Resume, Who: r.opt.Who}
	for i := range r.plan.Campaigns {
		c := &r.plan.Campaigns[i]
		run.Campaigns = append(run.Campaigns, asPlanned(c))
		if _, ok := r.opt.Senders[c.Provider]; !ok && c.Counts.Sends() > 0 {
			return fmt.Errorf("%s sends through %s, for which no sender was given", c.Address, c.Provider)
		}
	}
	run.Lanes = r.numbers()
	begun, err := r.opt.Recorder.Begin(ctx, run, r.opt.Resources)
	if err != nil {
		return fmt.Errorf("opening the run in the state: %w", err)
	}
	fp.Hit("begin-after")
	r.report.Run, r.lanes = begun, map[string]state.Lane{}
	for _, lane := range begun.Lanes {
		r.lanes[lane.Number] = lane
		if _, err = r.opt.Recorder.Recover(ctx, lane.Number); err != nil {
			return fmt.Errorf("settling what an earlier run left open: %w", err)
		}
	}
	for i := range r.plan.Campaigns {
		c := &r.plan.Campaigns[i]
		before, err := r.opt.Recorder.Tally(ctx, c.Address, c.Revision)
		if err != nil {
			return fmt.Errorf("counting what %s sent before: %w", c.Address, err)
		}
		n := newCounts(c, before)
		n.withheld = r.opt.Hold[c.Address]
		r.counts = append(r.counts, n)
	}
	return r.haltedBefore(ctx)
}

// numbers returns the sending numbers of the plan's campaigns. Campaigns with
// nothing to send are included, because their counts must not change either.
func (r *Running) numbers() []state.Lane {
	var out []state.Lane
	for i := range r.plan.Campaigns {
		lane := state.Lane{Number: r.plan.Campaigns[i].Provider}
		if !slices.Contains(out, lane) {
			out = append(out, lane)
		}
	}
	return out
}

// Lanes returns the addresses of the sending numbers that have something to send,
// in the plan's order. Drive each of them once.
func (r *Running) Lanes() []string {
	var out []string
	for i := range r.plan.Campaigns {
		c := &r.plan.Campaigns[i]
		if c.Counts.Sends() > 0 && !slices.Contains(out, c.Provider) {
			out = append(out, c.Provider)
		}
	}
	return out
}

// Drive sends what the plan has for one number, until nothing is left, the
// number is halted, or the run is stopped; lanes may be driven side by side. It
// returns an error only when the state or the plan's stream failed, which Finish
// returns too.
func (r *Running) Drive(ctx context.Context, lane string) error {
	err := newLane(r, lane).run(ctx)
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.failed, r.errs = true, append(r.errs, err)
	}
	return err
}

// Finish checks the arithmetic against the state and closes the run; no lane may
// still be driven. The report is valid together with an error, which includes those
// of the lanes. If the state failed, some of what was planned is not counted
// anywhere: it is pending.
func (r *Running) Finish(ctx context.Context) (*Report, error) {
	var errs, sums []error
	run := &r.report.Run
	run.Campaigns = run.Campaigns[:0]
	for _, n := range r.counts {
		c := n.campaign
		after, err := r.opt.Recorder.Tally(ctx, c.Address, c.Revision)
		if err != nil {
			errs = append(errs, fmt.Errorf("counting what %s sent: %w", c.Address, err))
		}
		rep := n.close(after)
		if r.failed {
			rep.Pending += max(rep.Planned-added(&rep.CampaignRun), 0)
		}
		r.report.Campaigns = append(r.report.Campaigns, rep)
		run.Campaigns = append(run.Campaigns, rep.CampaignRun)
		if rep.Halt != nil && run.Halted == "" {
			run.Halted = rep.Halt.Reason
		}
		if err == nil && !r.failed {
			sums = append(sums, checkArithmetic(&rep.CampaignRun))
		}
	}
	run.Ended = r.opt.Now()
	fp.Hit("finish-before")
	err := r.opt.Recorder.Finish(ctx, *run)
	fp.Hit("finish-after")
	if err != nil { // the state's counts may include those of another run, which fenced us
		return r.report, errors.Join(append(append(r.errs, errs...), fmt.Errorf("closing the run in the state: %w", err))...)
	}
	return r.report, errors.Join(append(append(r.errs, errs...), sums...)...)
}

// observe passes ev on, one at a time.
func (r *Running) observe(ev Event) {
	if r.opt.Observe == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opt.Observe(ev)
}

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

	mu     sync.Mutex // guards what follows, and Observe
	report *Report
	ended  []*CampaignReport // by campaign; nil for those that are not summed up yet
	errs   []error           // of lanes, and of halts that could not be written
	failed bool              // a lane ended with an error
	joined bool              // the run was begun by another process, or by an earlier call
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
	r.prepare()
	run := Record(r.plan, r.opt.Carried)
	run.Started, run.Blobs, run.Resume, run.Who = r.opt.Now(), r.opt.Blobs, r.opt.Resume, r.opt.Who
	for i := range r.plan.Campaigns {
		c := &r.plan.Campaigns[i]
		if _, ok := r.opt.Senders[c.Provider]; !ok && c.Counts.Sends() > 0 && (run.Carried == nil || !run.Carried.Detach) {
			return fmt.Errorf("%s sends through %s, for which no sender was given", c.Address, c.Provider)
		}
	}
	if err := r.linkable(); err != nil {
		return err
	}
	begun, err := r.opt.Recorder.Begin(ctx, run, r.opt.Resources)
	if err != nil {
		return fmt.Errorf("opening the run in the state: %w", err)
	}
	fp.Hit("begin-after")
	r.report.Run = begun
	for _, lane := range begun.Lanes {
		r.lanes[lane.Number] = lane
		if _, err = r.opt.Recorder.Recover(ctx, lane.Number); err != nil {
			return fmt.Errorf("settling what an earlier run left open: %w", err)
		}
	}
	return r.count(ctx)
}

// Record returns the run of a plan as it begins. If others can carry it on, it takes
// the numbers that have something to send. Otherwise it takes those of all campaigns,
// because their counts must not change either.
func Record(p *plan.Plan, carried *state.Carried) state.Run {
	run := state.Run{Version: p.Version, Plan: p.Digest, Carried: carried}
	for i := range p.Campaigns {
		c := &p.Campaigns[i]
		planned := asPlanned(c)
		planned.Open = carried != nil && (c.Counts.Sends() > 0 || c.NewlyHeldOut() > 0)
		run.Campaigns = append(run.Campaigns, planned)
		lane := state.Lane{Number: c.Provider}
		if (carried == nil || planned.Open) && !slices.Contains(run.Lanes, lane) {
			run.Lanes = append(run.Lanes, lane)
		}
	}
	return run
}

// Join takes part in a run that was begun before, with lanes that were taken over:
// run.Lanes. The plan is the one that the run was begun with. Drive and Finish do for
// those lanes what they do after Begin for all of them.
func Join(ctx context.Context, p *plan.Plan, run state.Run, opt Options) (*Running, error) {
	r := &Running{plan: p, opt: opt, report: &Report{Run: run}, joined: true}
	r.prepare()
	for _, lane := range run.Lanes {
		r.lanes[lane.Number] = lane
	}
	if err := r.linkable(); err != nil {
		return r, err
	}
	return r, r.count(ctx)
}

func (r *Running) prepare() {
	if r.opt.Now == nil || r.opt.Recorder == nil {
		panic("apply: Options need Now and Recorder")
	}
	if r.opt.Spacing == 0 {
		r.opt.Spacing = delivery.Spacing
	}
	r.watch, r.lanes = newWatch(&r.opt), map[string]state.Lane{}
}

// count makes the books of the campaigns from what the state holds now.
func (r *Running) count(ctx context.Context) (err error) {
	for i := range r.plan.Campaigns {
		c := &r.plan.Campaigns[i]
		before, err := r.opt.Recorder.Tally(ctx, c.Address, c.Revision)
		if err != nil {
			return fmt.Errorf("counting what %s sent before: %w", c.Address, err)
		}
		n := newCounts(c, before)
		n.withheld, n.await = r.opt.Hold[c.Address], r.opt.Await
		if _, ours := r.lanes[c.Provider]; r.joined && ours && c.Counts.Sends() > 0 {
			if n.sentBefore, err = r.opt.Sent(ctx, c.Address, c.Revision); err != nil {
				return fmt.Errorf("reading whom %s was sent to before: %w", c.Address, err)
			}
			if err = r.goOn(ctx, n); err != nil {
				return fmt.Errorf("reading how far %s is: %w", c.Address, err)
			}
		}
		r.counts = append(r.counts, n)
	}
	r.ended = make([]*CampaignReport, len(r.counts))
	return r.haltedBefore(ctx)
}

// goOn has a campaign's canary and stop_if go on from where the owner before had them.
func (r *Running) goOn(ctx context.Context, n *counts) error {
	c, first := n.campaign, 0
	if c.Canary != nil {
		first = c.Canary.Count
	}
	if r.opt.SoFar == nil || first == 0 && c.StopIf.Over <= 0 {
		return nil
	}
	far, err := r.opt.SoFar(ctx, r.report.Run.ID, c.Address, c.Revision, first, max(c.StopIf.Over, 0))
	if err != nil {
		return err
	}
	for _, failed := range far.Last {
		n.recent(failed, c.StopIf.Over)
	}
	if n.canaryAt, n.canaryOver = far.First, far.Answers > first; !n.canaryOver {
		n.before.Failed -= far.Failed // the canary's, which its end counts
	}
	return nil
}

// Lanes returns the addresses of the sending numbers that have something to send, or
// to record about who is held out, in the plan's order. Drive each of them once.
func (r *Running) Lanes() []string {
	var out []string
	for i := range r.plan.Campaigns {
		c := &r.plan.Campaigns[i]
		if (c.Counts.Sends() > 0 || c.NewlyHeldOut() > 0) && !slices.Contains(out, c.Provider) {
			out = append(out, c.Provider)
		}
	}
	return out
}

// Drive sends what the plan has for one number, until nothing is left, the
// number is halted, the run is stopped, or the lane is released or taken over; lanes
// may be driven side by side. A lane with a limit is closed in the state when it is
// driven to its end. Drive returns an error only when the state or the plan's stream
// failed, which Finish returns too.
func (r *Running) Drive(ctx context.Context, lane string) error {
	l := newLane(r, lane)
	err := l.run(ctx)
	if err == nil && l.lane.Limit > 0 && !l.lost && !l.released {
		if err = r.closeLane(context.WithoutCancel(ctx), l.lane); errors.Is(err, state.ErrFenced) {
			l.lost, err = true, nil
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil:
		r.failed, r.errs = true, append(r.errs, err)
		if l.lane.Limit > 0 {
			r.report.Left = append(r.report.Left, l.lane)
		}
	case l.lost:
		r.report.Lost = append(r.report.Lost, l.lane)
	case l.released:
		r.report.Left = append(r.report.Left, l.lane)
	}
	return err
}

// closeLane closes a lane of a run that others can carry on, with the counts of its
// campaigns; the state closes the run with the last one.
func (r *Running) closeLane(ctx context.Context, lane state.Lane) error {
	part := r.report.Run
	part.Lanes, part.Ended = []state.Lane{lane}, r.opt.Now()
	unread, err := r.sumUp(ctx, &part, func(c *plan.Campaign) bool { return c.Provider == lane.Number })
	if unread != nil {
		return unread
	}
	fp.Hit("finish-before")
	if closed := r.opt.Recorder.Finish(ctx, part); closed != nil {
		return fmt.Errorf("closing %s of the run in the state: %w", lane.Number, closed)
	}
	fp.Hit("finish-after")
	return err
}

// Finish checks the arithmetic against the state and closes the run; no lane may
// still be driven. The report is valid together with an error, which includes those
// of the lanes. If the state failed, some of what was planned is not counted
// anywhere: it is pending.
func (r *Running) Finish(ctx context.Context) (*Report, error) {
	run, shared := &r.report.Run, r.shared()
	run.Ended = r.opt.Now()
	open := func(c *plan.Campaign) bool {
		_, laned := r.lanes[c.Provider]
		return !shared || !laned && !r.joined
	}
	unread, sums := r.sumUp(ctx, run, open)
	if shared && len(run.Lanes) > 0 { // its lanes are closed one by one
		_, _ = r.sumUp(ctx, &state.Run{}, func(c *plan.Campaign) bool { _, laned := r.lanes[c.Provider]; return laned })
	} else {
		fp.Hit("finish-before")
		err := r.opt.Recorder.Finish(ctx, *run)
		fp.Hit("finish-after")
		if err != nil { // the state's counts may include those of another run, which fenced us
			r.errs, sums = append(r.errs, fmt.Errorf("closing the run in the state: %w", err)), nil
		}
	}
	run.Campaigns = nil
	for _, rep := range r.ended {
		if rep != nil {
			r.report.Campaigns = append(r.report.Campaigns, *rep)
			run.Campaigns = append(run.Campaigns, rep.CampaignRun)
		}
	}
	return r.report, errors.Join(append(r.errs, unread, sums)...)
}

// shared reports whether others can carry the run on.
func (r *Running) shared() bool { return r.joined || r.opt.Carried != nil }

// sumUp makes the reports of the campaigns that of accepts, but for those that have
// one, and lists them in run. unread is why the state's counts could not be read, sums
// that they do not add up.
func (r *Running) sumUp(ctx context.Context, run *state.Run, of func(*plan.Campaign) bool) (unread, sums error) {
	run.Campaigns = nil
	for i, n := range r.counts {
		c := n.campaign
		if !of(c) || r.ended[i] != nil {
			continue
		}
		after, err := n.before, error(nil)
		if !r.shared() || c.Counts.Sends() > 0 { // else another run may send some of it
			after, err = r.opt.Recorder.Tally(ctx, c.Address, c.Revision)
		}
		rep := n.close(after)
		if err != nil {
			unread = errors.Join(unread, fmt.Errorf("counting what %s sent: %w", c.Address, err))
		}
		r.mu.Lock()
		part := r.failed || slices.ContainsFunc(append(slices.Clone(r.report.Left), r.report.Lost...), func(l state.Lane) bool { return l.Number == c.Provider })
		if part {
			rep.Pending += max(rep.Planned-added(&rep.CampaignRun), 0)
		}
		r.ended[i] = &rep
		r.mu.Unlock()
		run.Campaigns = append(run.Campaigns, rep.CampaignRun)
		if rep.Halt != nil && run.Halted == "" {
			run.Halted = rep.Halt.Reason
		}
		if err == nil && !part {
			sums = errors.Join(sums, checkArithmetic(&rep.CampaignRun))
		}
	}
	return unread, sums
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

// Package apply carries out a plan: it paces, sends once, records intents
// before and outcomes after, holds, halts and drains. It evaluates nothing,
// reads no HCL, and speaks no HTTP.
//
// Every sending number has one lane: a single goroutine that owns the number's
// pace, its retries and its breaker. Sends themselves run beside it, at most
// Parallelism at a time, which is also the most that a crash can leave in
// doubt.
package apply

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/handbill/handbill/internal/fp"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// Options are what Run needs beside the plan.
type Options struct {
	// Recorder is the state; required.
	Recorder Recorder
	// Senders are the sending numbers by provider address; one for every
	// campaign of the plan that sends.
	Senders map[string]providers.Sender
	// Resources are recorded as applied when the run begins.
	Resources []state.Resource
	// Blobs are written with the run's beginning, in one transaction with it:
	// what the next plan compares with and what serve answers by. A nil value
	// removes its name.
	Blobs map[string][]byte
	// Resume are the campaigns whose halts this run lifts, and Who says so.
	Resume []string
	Who    string
	// Now is the wall clock; required.
	Now func() time.Time
	// Monotonic is the time since any moment on a clock that nobody sets. When
	// Now goes apart from it by more than two minutes nothing more is sent; nil
	// takes Now at its word.
	Monotonic func() time.Duration
	// Held reports whether the state's lock is still ours; asked at most once a
	// second before something is sent. Nil for no lock.
	Held func() bool
	// Parallelism is the most sends in flight per number; 0 adapts it to the
	// provider's latency, from 8 up to 256.
	Parallelism int
	// Stop, when closed, ends the run cleanly: nothing new is sent, what is in
	// flight is waited for. Cancelling the context instead abandons what is in
	// flight, in doubt.
	Stop <-chan struct{}
	// Observe is told what happens, from several goroutines one at a time;
	// nil for nobody. It must not block.
	Observe func(Event)
	// Seed makes the jitter of waits reproducible.
	Seed uint64
}

// Report is how a run ended.
type Report struct {
	Run       state.Run
	Campaigns []CampaignReport
	Stopped   bool // by Stop or by a cancelled context
}

// CampaignReport is how one campaign fared in a run. The counts of Run are
// those of the revision as a whole; Sent counts what this run brought about.
type CampaignReport struct {
	state.CampaignRun
	Sent     int            // accepted in this run
	Refused  map[string]int // by "code title", in this run
	Unsent   map[string]int // tried in this run and left pending, by "code title"
	Gates    map[string]int // cancelled in this run, by gate
	Halt     *Halt          // why the campaign stopped early; nil when it did not
	Existing int            // planned, but found in the state already
	// DoubtsBefore is how many of InDoubt were there before this run.
	DoubtsBefore int
}

// ErrArithmetic is wrapped by the error of a run whose counts do not add up:
// planned = accepted + rejected + cancelled + held + pending + in_doubt.
var ErrArithmetic = errors.New("the counts do not add up")

// UnrecordedError says that the state could not be written: sends that were in
// flight have outcomes that it does not know, so they are in doubt.
type UnrecordedError struct {
	Outcomes int // how many outcomes could not be written
	Err      error
}

// Error implements error.
func (e *UnrecordedError) Error() string {
	if e.Outcomes == 0 {
		return fmt.Sprintf("the state could not be written, so nothing more was sent: %v", e.Err)
	}
	return fmt.Sprintf("the state could not be written, so nothing more was sent; %d outcomes are not recorded and those sends are in doubt: %v", e.Outcomes, e.Err)
}

// Unwrap gives the cause.
func (e *UnrecordedError) Unwrap() error { return e.Err }

// Run carries p out. The report is valid together with an error: it says what
// was done before. Errors are about the state or the plan; what providers
// answer is in the report.
func Run(ctx context.Context, p *plan.Plan, opt Options) (*Report, error) {
	r := &runner{plan: p, opt: opt, report: &Report{}}
	if err := r.begin(ctx); err != nil {
		return r.report, err
	}
	err := r.lanes(ctx)
	return r.report, errors.Join(append(r.unkept, err, r.finish(context.WithoutCancel(ctx), err != nil))...)
}

// runner is one Run.
type runner struct {
	plan   *plan.Plan
	opt    Options
	id     int64
	counts []*counts // by campaign
	watch  *watch

	mu     sync.Mutex // guards report, unkept and Observe
	report *Report
	unkept []error // of halts that could not be written
}

// begin opens the run, settles what a crash left, and takes the counts that the
// arithmetic at the end starts from. Opening comes first: it fences whoever
// still believes to hold the lock, so that the counts stand still.
func (r *runner) begin(ctx context.Context) error {
	if r.opt.Now == nil || r.opt.Recorder == nil {
		panic("apply: Options need Now and Recorder")
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
	var err error
	if r.id, err = r.opt.Recorder.Begin(ctx, run, r.opt.Resources); err != nil {
		return fmt.Errorf("opening the run in the state: %w", err)
	}
	fp.Hit("begin-after")
	run.ID = r.id
	r.report.Run = run
	if _, err = r.opt.Recorder.Recover(ctx); err != nil {
		return fmt.Errorf("settling what an earlier run left open: %w", err)
	}
	for i := range r.plan.Campaigns {
		c := &r.plan.Campaigns[i]
		before, err := r.opt.Recorder.Tally(ctx, c.Address, c.Revision)
		if err != nil {
			return fmt.Errorf("counting what %s sent before: %w", c.Address, err)
		}
		r.counts = append(r.counts, newCounts(c, before))
	}
	return r.haltedBefore(ctx)
}

// lanes drives every sending number until all are done.
func (r *runner) lanes(ctx context.Context) error {
	var wg sync.WaitGroup
	errs := make([]error, 0, len(r.opt.Senders))
	var mu sync.Mutex
	for _, address := range r.numbers() {
		l := newLane(r, address)
		wg.Go(func() {
			if err := l.run(ctx); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// numbers are the addresses of the providers that have something to send, in
// the plan's order.
func (r *runner) numbers() []string {
	var out []string
	seen := map[string]bool{}
	for i := range r.plan.Campaigns {
		c := &r.plan.Campaigns[i]
		if c.Counts.Sends() > 0 && !seen[c.Provider] {
			seen[c.Provider] = true
			out = append(out, c.Provider)
		}
	}
	return out
}

// finish checks the arithmetic against the state and closes the run. Where the
// state failed, some of what was planned is booked nowhere: it is pending.
func (r *runner) finish(ctx context.Context, failed bool) error {
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
		if failed {
			rep.Pending += max(rep.Planned-added(&rep.CampaignRun), 0)
		}
		r.report.Campaigns = append(r.report.Campaigns, rep)
		run.Campaigns = append(run.Campaigns, rep.CampaignRun)
		if rep.Halt != nil && run.Halted == "" {
			run.Halted = rep.Halt.Reason
		}
		if err == nil && !failed {
			sums = append(sums, checkArithmetic(&rep.CampaignRun))
		}
	}
	run.Ended = r.opt.Now()
	fp.Hit("finish-before")
	err := r.opt.Recorder.Finish(ctx, *run)
	fp.Hit("finish-after")
	if err != nil { // the state's counts may be another run's too, which fenced us
		return errors.Join(append(errs, fmt.Errorf("closing the run in the state: %w", err))...)
	}
	return errors.Join(append(errs, sums...)...)
}

// observe passes ev on, one at a time.
func (r *runner) observe(ev Event) {
	if r.opt.Observe == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opt.Observe(ev)
}

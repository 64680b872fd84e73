// Package apply carries out a plan: it paces, sends once, records intents
// before and outcomes after, holds, halts and drains. It evaluates nothing,
// reads no HCL, and speaks no HTTP.
//
// A run is Begin, Drive for each lane, and Finish; Run is all three in this
// process. A lane is the loop of one sending number: a single goroutine that
// owns the number's pace, its retries and its breaker. Sends themselves run
// concurrently, at most Parallelism at a time, which is also the most that a crash
// can leave in doubt. A lane has three parts:
//
//   - admission decides about the next entry of the plan: send it now, later,
//     or not in this run
//   - flow says how many may be sent now: rate, spacing, concurrency, breaker
//     and pauses
//   - a turn writes outcomes and intents in one commit, and lets the messages go
package apply

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state"
)

// Options are what a run needs besides the plan.
type Options struct {
	// Recorder is the state; required.
	Recorder Recorder
	// Senders are the sending numbers by provider address; one for every
	// campaign of the plan that sends.
	Senders map[string]providers.Sender
	// Resources are recorded as applied when the run begins.
	Resources []state.Resource
	// Blobs are written in the transaction that begins the run: what the next plan
	// compares with, and what serve needs for its answers. A nil value removes its
	// name.
	Blobs map[string][]byte
	// Hold are campaigns whose templates are not sent in this run, and why.
	Hold map[string]delivery.Reason
	// Await holds campaigns back until their templates are approved; nil for none.
	Await *Await
	// Told returns, by campaign, what was reported about templates since the plan was
	// made; asked at most once a second. Nil for nothing.
	Told func() map[string]Told
	// Resume are the campaigns whose halts this run lifts, and Who is the person
	// who asked for that.
	Resume []string
	Who    string
	// Now is the wall clock; required.
	Now func() time.Time
	// Monotonic is the time since any fixed moment on a clock that nobody sets. If
	// Now deviates from it by more than two minutes, nothing more is sent; nil
	// trusts Now.
	Monotonic func() time.Duration
	// Held reports whether the state's lock is still ours; asked at most once a
	// second before something is sent. Nil for no lock.
	Held func() bool
	// LinkKey is the secret key with which the tokens of links are made; needed if a
	// message has one.
	LinkKey []byte
	// Parallelism is the most sends in flight per number; 0 adapts it to the
	// provider's latency, from 8 up to 256.
	Parallelism int
	// Spacing is the least time between two messages to one person; 0 for
	// delivery.Spacing, negative for none.
	Spacing time.Duration
	// Stop, when closed, ends the run cleanly: nothing new is sent, what is in
	// flight is waited for. Cancelling the context instead abandons what is in
	// flight, in doubt.
	Stop <-chan struct{}
	// Release, when closed, ends the driving of lanes without ending them: nothing new
	// is sent, what is in flight is waited for, and the rest is left to whoever takes
	// the lane next. It wins over Stop and a cancelled context. After Join a cancelled
	// context does the same, but for what is in flight.
	Release <-chan struct{}
	// Carried is given to the state with the run, so that others can carry it on; nil
	// for a run of this process alone.
	Carried *state.Carried
	// Begun is called by Run when the run is in the state; nil for nothing.
	Begun func(state.Run)
	// Sent returns what became of everybody in one revision of a campaign. Join needs
	// it, to leave out those who were sent to already.
	Sent func(ctx context.Context, campaign string, revision int) (state.SentIndex, error)
	// SoFar returns what the run came to in a campaign, of which the first and the last
	// answers are asked for. After Join, the wait of a canary and the answers that
	// stop_if looks at go on from there; nil begins them anew.
	SoFar func(ctx context.Context, run int64, campaign string, revision, first, last int) (state.SoFar, error)
	// Observe is called for each event, from several goroutines but one call at a
	// time; nil for none. It must not block.
	Observe func(Event)
	// Seed makes the jitter of waits reproducible.
	Seed uint64
}

// Report is how a run ended.
type Report struct {
	Run       state.Run
	Campaigns []CampaignReport
	Stopped   bool // by Stop or by a cancelled context
	// Lost are the lanes that another process has taken over, and Left those that were
	// released or ended with an error: their campaigns are not over, and the counts are
	// those of this process.
	Lost, Left []state.Lane
}

// CampaignReport is the result of a run for one campaign. The counts of
// CampaignRun cover the revision as a whole; the others cover this run.
type CampaignReport struct {
	state.CampaignRun
	Sent     int                     // accepted in this run
	Refused  map[string]int          // by "code title", in this run
	Unsent   map[string]int          // tried in this run and left pending, by "code title"
	Gates    map[delivery.Reason]int // cancelled in this run, by gate
	Halt     *Halt                   // why the campaign stopped early; nil when it did not
	Existing int                     // planned, but found in the state already
	// DoubtsBefore is how many of InDoubt were there before this run.
	DoubtsBefore int
}

// ErrArithmetic is wrapped by the error of a run whose counts do not add up:
// planned = accepted + rejected + cancelled + held + held_out + pending + in_doubt.
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

// Unwrap returns the cause.
func (e *UnrecordedError) Unwrap() error { return e.Err }

// Run carries p out: it begins a run, drives all its lanes until they are done,
// and finishes it; a run that is detached it leaves to others. The report is valid together with an error: it says what was
// done before. Errors are about the state or the plan; what providers answer is
// in the report.
func Run(ctx context.Context, p *plan.Plan, opt Options) (*Report, error) {
	r, err := Begin(ctx, p, opt)
	if err != nil {
		return r.report, err
	}
	if opt.Begun != nil {
		opt.Begun(r.report.Run)
	}
	if c := opt.Carried; c != nil && c.Detach && len(r.Lanes()) > 0 {
		return r.report, nil
	}
	var all sync.WaitGroup
	for _, lane := range r.Lanes() {
		all.Go(func() { _ = r.Drive(ctx, lane) }) // Finish returns its error
	}
	all.Wait()
	return r.Finish(context.WithoutCancel(ctx))
}

package operation

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/plan/planfile"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// Apply holds the state of a workspace open and locked, to carry out one plan:
// BackUp, Prepare, Run. Between BeginApply and BackUp the plan is made on Store,
// checked and approved; only Run sends.
type Apply struct {
	Store state.Store
	// Recovered counts the sends that an earlier run left open; they are now in
	// doubt.
	Recovered int

	ws     *workspace.Workspace
	held   workspace.Locked // nil if the lock is off, or given back since
	free   func()           // gives the lock back, once
	opened os.FileInfo      // the state's file; nil if it has none

	// made by Prepare
	plan      *plan.Plan
	numbers   *workspace.Senders
	resources []state.Resource
	kept      map[string][]byte
	linkKey   []byte
	detach    bool
}

// BeginApply opens the state, takes the lock, and marks what an earlier run left
// open as in doubt. It refuses a halted state and, before anything else, a
// campaign's number whose secrets are not set: unless the run is detached, for which
// workers have them. The caller closes the result.
func BeginApply(ctx context.Context, ws *workspace.Workspace, lock Lock, detach bool) (*Apply, error) {
	switch {
	case detach && !ws.Shared():
		return nil, &Error{"State not shared", workspace.ErrNotShared}
	case !detach:
		if err := withSecrets(ws, nil); err != nil {
			return nil, err
		}
	}
	store, _, err := ws.OpenState(ctx)
	if err != nil {
		return nil, err
	}
	a := &Apply{ws: ws, Store: store, free: func() {}, detach: detach}
	if err := a.begin(ctx, lock); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

func (a *Apply) begin(ctx context.Context, lock Lock) error {
	held, free, err := lock.take(ctx, a.ws, "apply")
	if err != nil {
		return err
	}
	a.held, a.free = held, sync.OnceFunc(free)
	if a.opened, err = a.ws.StateFile(); err != nil {
		return err
	}
	if err := state.Sendable(ctx, a.Store, a.ws.Now()); err != nil {
		return err
	}
	if shared, ok := a.Store.(state.Shared); ok {
		if err := sameTime(ctx, a.ws, shared, "nothing was sent. Set the clock right (NTP), and run the command again"); err != nil {
			return &Error{"Clock differs from the database's", err}
		}
	}
	a.Recovered, err = state.RecoverAll(ctx, a.Store)
	return err
}

// Close releases the lock, and closes the state and what Prepare opened.
func (a *Apply) Close() {
	if a.numbers != nil {
		a.numbers.Close()
	}
	a.free()
	a.Store.Close()
}

// Fresh refuses with an *Error a saved plan that no longer fits the state or this
// build.
func (a *Apply) Fresh(ctx context.Context, p *plan.Plan, by planfile.Maker) error {
	meta, err := a.Store.Meta(ctx)
	if err != nil {
		return err
	}
	runs, err := a.Store.Runs(ctx)
	if err != nil {
		return err
	}
	if err := planfile.Stale(p, meta, runs, a.ws.Now(), by); err != nil {
		return &Error{"Saved plan is stale", err}
	}
	return nil
}

// SameTemplates refuses with an *Error a plan whose templates have changed in the
// account or cannot be read. If they have changed, the error wraps a
// *plan.ChangedError.
func (a *Apply) SameTemplates(ctx context.Context, p *plan.Plan) error {
	err := a.ws.SameTemplates(ctx, p)
	var changed *plan.ChangedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &changed):
		return &Error{"Plan is stale", err}
	}
	return &Error{"Templates not readable", err}
}

// Resumable refuses with an *Error to resume campaigns that are not halted: a job
// that always passes -resume would make halts useless.
func (a *Apply) Resumable(ctx context.Context, p *plan.Plan, campaigns []string) error {
	halts, err := a.Store.Halts(ctx)
	if err != nil {
		return err
	}
	for _, address := range campaigns {
		before := address
		for _, c := range p.Moved() {
			if c.Address == address {
				before = c.From
			}
		}
		if !slices.ContainsFunc(halts, func(h state.Halt) bool { return h.Campaign == address || h.Campaign == before }) {
			return refuse("Nothing to resume", "%s is not halted, so nothing was sent; leave -resume out", message.SafeText(address))
		}
		if !slices.ContainsFunc(p.Campaigns, func(c plan.Campaign) bool { return c.Address == address }) {
			return refuse("Nothing to resume", "%s is not part of this plan, so nothing was sent; leave -resume out, or plan it too", message.SafeText(address))
		}
	}
	return nil
}

// BackUp copies the state and returns the copy's path; "" if no copy was needed. It
// refuses a disk that may be too small for the outcomes of the plan: the *Error
// wraps a *workspace.SpaceError.
func (a *Apply) BackUp(ctx context.Context, p *plan.Plan) (file string, err error) {
	if err := a.ws.RoomFor(p.Sends()); err != nil {
		return "", &Error{"Too little space on the disk", err}
	}
	if file, err = backUp(ctx, a.Store, "apply"); err != nil {
		return "", refuse("State not backed up", "nothing was sent: %w", err)
	}
	return file, nil
}

// Prepare prepares everything that sending the plan needs, and renames in the state
// what moved blocks rename.
func (a *Apply) Prepare(ctx context.Context, p *plan.Plan) (err error) {
	a.plan, a.numbers = p, &workspace.Senders{}
	if !a.detach {
		if a.numbers, err = a.ws.Senders(p); err != nil {
			return &Error{"Provider not usable", err}
		}
	}
	if a.resources, err = p.StateResources(); err != nil {
		return &Error{"Plan not usable", err}
	}
	// Skip what an earlier run of a saved plan has already moved.
	for _, c := range p.Moved() {
		if err := a.Store.Move(ctx, c.From, c.Address); err != nil && !errors.Is(err, state.ErrUnknown) {
			return err
		}
	}
	if a.kept, err = a.ws.Kept(p); err != nil {
		return &Error{"Plan not usable", err}
	}
	return a.keepLinks(ctx, p)
}

// Applied is how a run ended.
type Applied struct {
	Report *apply.Report
	// Detached says that the run was left to workers, and nothing was sent here.
	Detached bool
	Took     time.Duration
	Err      error // that ended the run; the report holds up to there
	// Later is an error after the run; it concerns no message.
	Later error
	// Moved says that the file at the state's path is gone or another one.
	Moved error
}

// Run sends what the prepared plan says, and finishes what Templates has left. The
// caller sets Resume, Parallelism, Spacing, Stop and Observe in opt; Run sets the
// rest. With a state that machines share, the run can be carried on by workers: see
// drive.
func (a *Apply) Run(ctx context.Context, opt apply.Options, templates *TemplatesDone) *Applied {
	started := a.ws.Now()
	opt.Hold = maps.Clone(templates.Hold)
	opt.Recorder, opt.Senders, opt.Resources, opt.Blobs = a.Store, a.numbers.ByProvider, a.resources, a.kept
	opt.LinkKey = a.linkKey
	opt.Now, opt.Who, opt.Seed = a.ws.Now, a.ws.Who(), uint64(started.UnixNano())
	opt.Monotonic = func() time.Duration { return a.ws.Now().Sub(started) }
	if a.held != nil {
		opt.Held = a.held.Held
	}
	done := &Applied{Report: &apply.Report{}}
	if opt.Told, done.Err = toldTemplates(ctx, a.Store, a.plan); done.Err != nil {
		return done
	}
	var waited func(failed error)
	opt.Await, waited = templates.begin(ctx)
	if shared, ok := a.Store.(state.Shared); ok {
		done.Report, done.Err = a.drive(ctx, shared, opt)
		done.Detached = a.detach && done.Err == nil && a.plan.Sends() > 0
	} else {
		done.Report, done.Err = apply.Run(ctx, a.plan, opt)
	}
	waited(done.Err)
	a.begun()
	done.Later = a.numbers.Conclude(ctx, a.Store, a.plan)
	done.Took = a.ws.Now().Sub(started)
	done.Moved = a.ws.SameState(a.opened)
	return done
}

package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/state"
)

func (a *app) runFollowCommand() *cobra.Command {
	var f runFlags
	var detailed bool
	cmd := &cobra.Command{
		Use: "follow [flags] [ID]", Short: "show how far a run is, until it is over", Args: cobra.MaximumNArgs(1),
		Long: `Shows on stderr how far a run is, and when it is over or stopped, what became of
it. The ID can be left out while one run is open.

The exit code is that of an apply: 1 when some of its campaigns' messages were
refused, are in doubt, or a campaign was halted; 130 when the run is stopped. An
interrupt ends the following and not the run.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			id := int64(0)
			if len(args) > 0 {
				var err error
				if id, err = runID(args[0]); err != nil {
					return a.failState(err, false)
				}
			}
			return a.follow(cmd.Context(), &f, id, detailed)
		},
	}
	f.in.bindVars(cmd.Flags())
	bindJSON(cmd, &f.json)
	cmd.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit 3 when some were refused or a campaign was halted, 4 when some are in doubt")
	return cmd
}

// follow follows a run; the open one if id is 0.
func (a *app) follow(ctx context.Context, f *runFlags, id int64, detailed bool) error {
	p, store, err := a.openShared(ctx, &f.in)
	if err != nil {
		return err
	}
	defer p.Close()
	defer store.Close()
	if id == 0 {
		if id, err = operation.TheRun(ctx, store); err != nil {
			return a.failState(err, detailed)
		}
	}
	r, code, err := a.untilOver(ctx, store, id)
	if err != nil {
		return a.failState(err, detailed)
	}
	if err := a.show(&view.RunReport{OpenRun: runReport(r)}, a.style(), f.json); err != nil {
		return a.failState(err, false)
	}
	switch {
	case code != exitDone:
		return code
	case r.Stopped:
		return exit(exitInterrupted)
	}
	if r.Ended.IsZero() {
		return a.fail("Run was replaced", fmt.Errorf("another run took the place of run %d before it was done", r.ID))
	}
	return endOfRun(r).code(exitDone, detailed)
}

// untilOver shows how far a run is until it is over or stopped, or somebody
// interrupts.
func (a *app) untilOver(ctx context.Context, store state.Shared, id int64) (*operation.RunStatus, exit, error) {
	bar := a.progress()
	defer bar.done()
	for {
		r, err := operation.ReadRun(ctx, store, id)
		if err != nil || !r.Open || r.Stopped && !r.Owned() {
			return r, exitDone, err
		}
		report := runReport(r)
		bar.run(report.Line())
		select {
		case <-a.sys.Interrupts:
			return r, exitInterrupted, nil
		case <-ctx.Done():
			return r, exitInterrupted, nil
		case <-time.After(time.Second):
		}
	}
}

// endOfRun says what became of a run, for the exit code.
func endOfRun(r *operation.RunStatus) *sent {
	end := &sent{}
	for i := range r.Campaigns {
		c := &r.Campaigns[i]
		end.failed = end.failed || c.Rejected > 0 || c.Halted != ""
		end.doubts += c.InDoubt
	}
	end.fresh = end.doubts
	return end
}

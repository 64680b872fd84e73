package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// openShared opens a state that machines share, for commands that need no campaigns.
func (a *app) openShared(ctx context.Context, f *inputFlags) (*project, state.Shared, error) {
	dir := a.dir()
	ws, diags, err := workspace.LoadState(ctx, a.hostOf(f), dir, f.vars)
	if err != nil {
		return nil, nil, a.fail("Unreadable directory", fmt.Errorf("opening %s: %w", a.display(dir), err))
	}
	p := &project{Workspace: ws, diags: view.FromHCL(diags, ws.Config.Files)}
	if view.Errors(p.diags) {
		a.diagnose(p.diags)
		p.Close()
		return nil, nil, exit(exitError)
	}
	store, err := p.OpenShared(ctx)
	if err != nil {
		p.Close()
		return nil, nil, a.failState(err, false)
	}
	return p, store, nil
}

// runFlags are the flags of the commands about runs.
type runFlags struct {
	in   inputFlags
	json bool
}

// withRuns opens the state, and shows what work reports.
func (a *app) withRuns(ctx context.Context, f *runFlags, work func(*project, state.Shared) (view.Report, error)) error {
	p, store, err := a.openShared(ctx, &f.in)
	if err != nil {
		return err
	}
	defer p.Close()
	defer store.Close()
	r, err := work(p, store)
	if err != nil {
		return a.failState(err, false)
	}
	return a.show(r, a.style(), f.json)
}

// runID reads the id of a run.
func runID(arg string) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || id < 1 {
		return 0, &operation.Error{Summary: "Invalid run", Err: fmt.Errorf("%q is not the id of a run, such as 3; \"handbill run list\" shows them", message.SafeText(arg))}
	}
	return id, nil
}

// runChange is a command that stops a run or resumes it.
func (a *app) runChange(name, short, long string, stop bool, note string) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use: name + " [flags] ID", Short: short, Long: long, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withRuns(cmd.Context(), &f, func(p *project, store state.Shared) (view.Report, error) {
				id, err := runID(args[0])
				if err != nil {
					return nil, err
				}
				r, err := operation.StopRun(cmd.Context(), store, id, stop, p.Who())
				if err != nil {
					return nil, err
				}
				return &view.RunReport{OpenRun: runReport(r), Note: fmt.Sprintf(note, id)}, nil
			})
		},
	}
	f.in.bindVars(cmd.Flags())
	bindJSON(cmd, &f.json)
	return cmd
}

func runReport(r *operation.RunStatus) view.OpenRun {
	out := view.NewOpenRun(&r.OpenRun, r.Open)
	for i := range r.Campaigns {
		out.Add(&r.Campaigns[i].CampaignRun, r.Campaigns[i].InFlight)
	}
	return out
}

package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/workspace"
)

func (a *app) initCommand() *cobra.Command {
	var in inputFlags
	var asJSON bool
	var module string
	cmd := &cobra.Command{
		Use: "init [flags]", Short: "start a campaign here, or prepare the state", Args: cobra.NoArgs,
		Long: `In an empty directory, writes a small campaign that is ready to plan and apply
against the sandbox. In a directory with configuration, checks it with all modules
that it calls, and makes or migrates the state.

With -from-module=DIR, copies that directory into this one, which must be empty, and
does no more: a module is used by a module block of another directory.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if module != "" {
				return a.copyModule(module, asJSON)
			}
			return a.init(cmd.Context(), &in, asJSON)
		},
	}
	cmd.Flags().StringVar(&module, "from-module", "", "copy the module in this directory into this empty one")
	in.bind(cmd.Flags())
	bindJSON(cmd, &asJSON)
	return cmd
}

func (a *app) copyModule(from string, asJSON bool) error {
	names, err := operation.CopyModule(a.path(from), a.dir())
	if err != nil {
		return a.failState(err, false)
	}
	return a.show(&view.CopyReport{From: from, Wrote: names}, a.style(), asJSON)
}

func (a *app) init(ctx context.Context, in *inputFlags, asJSON bool) error {
	dir := a.dir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return a.fail("Directory not usable", fmt.Errorf("%s: %w", a.display(dir), workspace.PathCause(err)))
	}
	wrote, err := operation.WriteStarter(dir)
	if err != nil {
		return a.failState(err, false)
	}
	r := &view.InitReport{Wrote: wrote, Hints: !a.automation()}
	p, err := a.load(ctx, in)
	if err != nil {
		return err
	}
	defer p.Close()
	a.diagnose(p.diags)
	store, created, err := p.InitState(ctx)
	if err != nil {
		return a.failState(err, false)
	}
	defer store.Close()
	if err := a.warnStanding(ctx, p, store); err != nil {
		return err
	}
	r.State, r.Created = a.stateName(p), created
	return a.show(r, a.style(), asJSON)
}

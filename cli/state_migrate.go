package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/operation"
)

// migrateOptions are the flags of "state migrate".
type migrateOptions struct {
	stateFlags
	to, schema string
}

func (a *app) stateMigrateCommand() *cobra.Command {
	var opt migrateOptions
	cmd := &cobra.Command{
		Use: "migrate -to=PATH|URL", Short: "move the state from a file to a database, or back", Args: cobra.NoArgs,
		Long: `Copies everything from the state that the configuration names to a new place, compares,
and seals the state, so that nobody sends from both. The new one has the same lineage
and serial: saved plans and references of messages that are on their way stay valid.
Afterwards, name the new place in the configuration.

  handbill state migrate -to=env:HANDBILL_STATE_URL     # a file to PostgreSQL
  handbill state migrate -to=handbill.state             # and back

-to is the path of a file, a url that begins with postgres:// and holds no password, or
env:NAME for an environment variable that holds one of these. There must be no state at
the new place. Stop serve first. A move that is cut short leaves the state as it was and
the new place unusable: run the command again.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.stateMigrate(cmd.Context(), &opt) },
	}
	opt.bindRead(cmd)
	cmd.Flags().StringVar(&opt.to, "to", "", "where to: a path, a postgres:// url without a password, or env:NAME; required")
	cmd.Flags().StringVar(&opt.schema, "schema", "", "schema of the database; handbill by default")
	cmd.Flags().DurationVar(&opt.lock.timeout, "lock-timeout", 0, "wait this long for the lock")
	opt.lock.lock = true
	return cmd
}

func (a *app) stateMigrate(ctx context.Context, opt *migrateOptions) error {
	p, err := a.load(ctx, &opt.in)
	if err != nil {
		return err
	}
	defer p.Close()
	if opt.to == "" {
		return a.fail("Missing option", errors.New("say with -to where the state is moved to: a path, a postgres:// url without a password, or env:NAME"))
	}
	to, err := p.Target(opt.to, opt.schema)
	if err != nil {
		return a.fail("Invalid option", err)
	}
	switch there, err := p.HasState(ctx); {
	case err != nil:
		return a.failState(err, false)
	case !there:
		return a.fail("No state", noState(a, p))
	}
	move := operation.Migrate{To: to, Lock: a.lockOptions(&opt.lock)}
	c, err := move.Run(ctx, p.Workspace)
	var served *operation.ServedError
	if errors.As(err, &served) {
		return a.fail("Not moved", fmt.Errorf("%s, and what it records now would not be moved. Stop it first", servedBy(served.Held)))
	}
	r := &view.MigrateReport{From: a.stateName(p), To: to.Name, Attempts: c.Attempts, People: c.People, Erased: c.Erased, Runs: c.Runs, Events: c.Events}
	return a.showWork(&opt.stateFlags, r, err)
}

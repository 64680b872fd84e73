package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/state"
)

func (a *app) stateRestoreCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "put a backup in the state's place", Args: cobra.ExactArgs(1),
		Long: `Puts a backup in the state's place, and keeps the state that was there beside it.
The backup does not know what was sent after it was made, so those people would get
their messages again. Apply therefore refuses until you have said why it is right to
go on, here with -acknowledge or later with "handbill state acknowledge".`,
	}
	var acknowledge, lineage string
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.stateRestore(cmd.Context(), &f, args[0], acknowledge, lineage)
	}
	f.bindChange(cmd)
	cmd.Flags().StringVar(&lineage, "lineage", "", "lineage of a backup of another state, to take it all the same")
	cmd.Flags().StringVar(&acknowledge, "acknowledge", "", "why nothing was sent since the backup, or why sending again is right")
	return cmd
}

func (a *app) stateRestore(ctx context.Context, f *stateFlags, backup, acknowledge, lineage string) error {
	p, err := a.load(ctx, &f.in)
	if err != nil {
		return err
	}
	defer p.Close()
	restore := operation.Restore{Backup: a.path(backup), Lineage: lineage, Acknowledge: acknowledge, Lock: a.lockOptions(&f.lock)}
	err = restore.Run(ctx, p.Workspace)
	var served *operation.ServedError
	var refused *operation.BackupError
	switch {
	case errors.As(err, &served):
		return a.failServed(served.Held)
	case errors.As(err, &refused):
		return a.failRestore(refused.Err, backup)
	case err != nil:
		return a.failState(err, false)
	}
	return a.show(&view.RestoreReport{Backup: backup, Acknowledged: acknowledge != ""}, a.style(), f.json)
}

// failServed says that the state is not replaced while serve has it open.
func (a *app) failServed(held *state.LockedError) error {
	return a.fail("Not restored", fmt.Errorf("%s, and what it records now would be lost with the file that is replaced. Stop it, restore, and start it again. The state was not changed", servedBy(held)))
}

// failRestore says that the backup cannot replace the state.
func (a *app) failRestore(err error, backup string) error {
	name := message.SafeText(backup)
	var other *state.OtherStateError
	switch {
	case errors.As(err, &other):
		return a.failCode(state.CodeOther, fmt.Errorf("%w. It does not know what was sent from the state that is there, nor who asked for no more messages. "+
			"Take a backup of this state; its copies lie beside it. To put that other state here all the same, add -lineage=%s. The state was not changed", other, other.Backup))
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("there is no file %s. The copies that handbill made lie beside the state; their names have .backup in them", name)
	case errors.Is(err, state.ErrForeign):
		err = fmt.Errorf("%s is no copy of a handbill state. Take a file that \"handbill state backup\" wrote, or one of the automatic copies beside the state", name)
	default:
		return a.failState(err, false)
	}
	return a.fail("Not restored", fmt.Errorf("%w. The state was not changed", err))
}

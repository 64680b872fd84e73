package cli

import (
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
)

func (a *app) stateUnlockCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "unlock ID", Short: "remove what a lock left behind", Args: cobra.ExactArgs(1),
		Long: `The operating system releases the lock when the process that holds it ends. Use
this only when a file system keeps the lock of a machine that is gone. ID is the
lock id in the message that refused a command.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.load(cmd.Context(), &f.in)
			if err != nil {
				return err
			}
			defer p.Close()
			if err := p.ForceUnlock(cmd.Context(), args[0]); err != nil {
				return a.fail("State not unlocked", err)
			}
			return a.show(view.Unlocked(), a.style(), f.json)
		},
	}
	f.bindRead(cmd)
	return cmd
}

package cli

import (
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/state"
)

func (a *app) stateMoveCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "mv FROM TO", Short: "rename a resource without losing its history", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeState(cmd.Context(), &f, "state mv", func(_ *project, s state.Store) (view.Report, error) {
				return &view.MoveReport{From: args[0], To: args[1]}, s.Move(cmd.Context(), args[0], args[1])
			})
		},
	}
	f.bindChange(cmd)
	return cmd
}

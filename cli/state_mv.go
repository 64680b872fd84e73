package cli

import (
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/state"
)

func (a *app) stateMoveCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "mv FROM TO", Short: "rename a resource without losing its history", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, to := state.Quoted(args[0]), state.Quoted(args[1])
			return a.changeState(cmd.Context(), &f, "state mv", func(_ *project, s state.Store) (view.Report, error) {
				return &view.MoveReport{From: from, To: to}, operation.Move(cmd.Context(), s, from, to)
			})
		},
	}
	f.bindChange(cmd)
	return cmd
}

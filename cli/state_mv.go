package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

func (a *app) stateMoveCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "mv FROM TO", Short: "rename a resource without losing its history", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeState(cmd.Context(), &f, "state mv", func(_ *project, s state.Store) error {
				if err := s.Move(cmd.Context(), args[0], args[1]); err != nil {
					return a.failState(err, false)
				}
				fmt.Fprintf(a.sys.Stdout, "Moved %s to %s.\n", message.SafeText(args[0]), message.SafeText(args[1]))
				return nil
			})
		},
	}
	f.in.bind(cmd.Flags())
	f.lock.bind(cmd.Flags())
	return cmd
}

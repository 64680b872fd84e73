package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

func (a *app) stateRemoveCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "rm ADDRESS...", Short: "forget a resource and its deliveries", Args: cobra.MinimumNArgs(1),
		Long: `Forgets a resource. For a campaign this forgets who was sent it: the next apply
sends to them again.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeState(cmd.Context(), &f, "state rm", func(_ *project, s state.Store) error {
				for _, address := range args {
					n, err := s.Remove(cmd.Context(), address)
					if err != nil {
						return a.failState(err, false)
					}
					fmt.Fprintf(a.sys.Stdout, "Removed %s and %s.\n", message.SafeText(address), deliveries(n))
				}
				return nil
			})
		},
	}
	f.in.bind(cmd.Flags())
	f.lock.bind(cmd.Flags())
	return cmd
}

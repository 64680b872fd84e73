package cli

import (
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/state"
)

func (a *app) stateRemoveCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "rm ADDRESS...", Short: "forget a resource and its deliveries", Args: cobra.MinimumNArgs(1),
		Long: `Forgets a resource. For a campaign, this also forgets who got the message: the
next apply sends to them again. For a template block, or one of its translations,
the account is left as it is.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeState(cmd.Context(), &f, "state rm", func(_ *project, s state.Store) (view.Report, error) {
				removed, err := operation.Remove(cmd.Context(), s, args)
				r := &view.RemoveReport{}
				for _, one := range removed {
					r.Removed = append(r.Removed, view.RemovedResource{Address: one.Address, Deliveries: one.Attempts})
				}
				if err != nil {
					return a.partly(r, len(removed) > 0, &f), err
				}
				return r, nil
			})
		},
	}
	f.bindChange(cmd)
	return cmd
}

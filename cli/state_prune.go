package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/state"
)

func (a *app) statePruneCommand() *cobra.Command {
	var f stateFlags
	var older int
	cmd := &cobra.Command{
		Use: "prune -days=N", Short: "remove old webhooks and settled history", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if older < 45 {
				return a.fail("Invalid option", fmt.Errorf("-days=%d: outcomes may come up to 45 days late, so at least 45 are kept", older))
			}
			return a.changeState(cmd.Context(), &f, "state prune", func(_ *project, s state.Store) (view.Report, error) {
				n, err := s.Prune(cmd.Context(), a.sys.Now().AddDate(0, 0, -older))
				return view.Pruned(n), err
			})
		},
	}
	f.bindChange(cmd)
	cmd.Flags().IntVar(&older, "days", 0, "remove what is older than this many days; at least 45")
	return cmd
}

package cli

import (
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/state/sqlite"
)

func (a *app) stateBackupCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "copy the state while it may be in use", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withFile(cmd.Context(), &f, func(s *sqlite.Store) (view.Report, error) {
				return view.BackedUp(args[0]), s.Backup(cmd.Context(), a.path(args[0]))
			})
		},
	}
	f.bindRead(cmd)
	return cmd
}

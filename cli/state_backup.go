package cli

import (
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

func (a *app) stateBackupCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "copy the state while it may be in use", Args: cobra.ExactArgs(1),
		Long: `Writes the state to a new file, which "handbill state restore" takes. The backup of a
state in a database is a state in a file too; it sends nothing until somebody has
acknowledged it, and "handbill state migrate" moves it into a database.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withState(cmd.Context(), &f, func(p *project, s state.Store) (view.Report, error) {
				if file, ok := s.(*sqlite.Store); ok {
					return view.BackedUp(args[0]), file.Backup(cmd.Context(), a.path(args[0]))
				}
				return view.BackedUp(args[0]), p.BackupState(cmd.Context(), s.(state.Movable), a.path(args[0]))
			})
		},
	}
	f.bindRead(cmd)
	return cmd
}

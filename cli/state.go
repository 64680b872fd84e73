package cli

import (
	"github.com/spf13/cobra"
)

func (a *app) stateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "state", Short: "look at the state, and change it by hand",
		Long: `The state remembers what was sent to whom and what came of it. These commands
read it and, with care, change it. Everything that changes it takes the lock and
makes a backup first.`,
		Args: onlyCommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.stateListCommand(), a.stateShowCommand(), a.statePullCommand(), a.stateRemoveCommand(),
		a.stateMoveCommand(), a.stateUnlockCommand(), a.stateVerifyCommand(), a.stateBackupCommand(),
		a.stateRestoreCommand(), a.stateMigrateCommand(), a.stateAcknowledgeCommand(), a.stateExportCommand(), a.stateEraseCommand(), a.stateGiveBackCommand(), a.statePruneCommand(), a.stateNoticesCommand(),
		a.optoutsCommand())
	return cmd
}

package cli

import (
	"github.com/spf13/cobra"
)

// optoutsCommand is "state optouts".
func (a *app) optoutsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "optouts", Short: "who must not get messages",
		Long: `People who wrote a stop word, tapped "Stop promotions", or were entered here get no
campaign's messages. An opt-out is heeded by the very next send.`,
		Args: onlyCommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.optoutsListCommand(), a.optoutsAddCommand(), a.optoutsRemoveCommand(), a.optoutsImportCommand())
	return cmd
}

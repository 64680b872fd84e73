package cli

import "github.com/spf13/cobra"

func (a *app) runCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "run", Short: "look at runs that are open in a shared state, stop and resume them",
		Long: `A run that began on a state that machines share (state "postgres") is open until
each of its numbers is done, whoever drives it: the apply that began it, or workers.`,
		Args: onlyCommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.runListCommand(), a.runFollowCommand(), a.runStopCommand(), a.runResumeCommand())
	return cmd
}

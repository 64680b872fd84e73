package cli

import (
	"github.com/spf13/cobra"
)

func (a *app) replyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "reply", Short: "try reply rules", Args: onlyCommands, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.replyTestCommand())
	return cmd
}

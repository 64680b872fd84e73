package cli

import "github.com/spf13/cobra"

func (a *app) runResumeCommand() *cobra.Command {
	return a.runChange("resume", "let workers go on with a run that was stopped", `Lets workers go on with a run that "handbill run stop" stopped. What was approved
is sent, and nobody is sent to twice.`,
		false, "Workers go on with it. \"handbill run follow %d\" shows how far it is.")
}

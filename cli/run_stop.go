package cli

import "github.com/spf13/cobra"

func (a *app) runStopCommand() *cobra.Command {
	return a.runChange("stop", "stop a run, wherever it is driven", `Stops an open run: within a second or two, whoever drives its numbers sends nothing
new, waits for what is in flight, records it and gives the numbers back. Nothing is
lost: "handbill run resume" goes on with it, and a new apply takes its place.`,
		true, "It stops within a second or two. \"handbill run resume %d\" lets workers go on with it; a new apply takes its place.")
}

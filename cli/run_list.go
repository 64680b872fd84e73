package cli

import (
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/state"
)

func (a *app) runListCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use: "list [flags]", Short: "list the open runs, and who drives their numbers since when", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withRuns(cmd.Context(), &f, func(_ *project, store state.Shared) (view.Report, error) {
				list, err := operation.Running(cmd.Context(), store)
				r := &view.RunList{}
				for i := range list {
					r.Runs = append(r.Runs, runReport(&list[i]))
				}
				return r, err
			})
		},
	}
	f.in.bindVars(cmd.Flags())
	bindJSON(cmd, &f.json)
	return cmd
}

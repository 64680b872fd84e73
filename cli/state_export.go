package cli

import (
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/state/sqlite"
)

func (a *app) stateExportCommand() *cobra.Command {
	f := stateFlags{current: true}
	var out string
	cmd := &cobra.Command{
		Use: "export -out=FILE", Short: "write the state as JSON lines into a file", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withFile(cmd.Context(), &f, func(s *sqlite.Store) (view.Report, error) {
				if err := operation.Export(cmd.Context(), s, a.path(out), out); err != nil {
					return nil, a.fail("Export not written", err)
				}
				return view.Exported(out), nil
			})
		},
	}
	f.bindRead(cmd)
	cmd.Flags().StringVar(&out, "out", "", "the file; it must not exist")
	if err := cmd.MarkFlagRequired("out"); err != nil {
		panic(err)
	}
	return cmd
}

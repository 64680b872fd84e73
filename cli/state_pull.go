package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/state/sqlite"
)

func (a *app) statePullCommand() *cobra.Command {
	f := stateFlags{current: true}
	cmd := &cobra.Command{
		Use: "pull", Short: "write the state as JSON lines, data as it is", Args: cobra.NoArgs,
		Long: `Writes everything in the state to stdout, one JSON object a line: numbers and
names as they are. It is for programs and backups, not for pull requests.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withFile(cmd.Context(), &f, func(s *sqlite.Store) (view.Report, error) {
				return asText{func(w io.Writer) error { return s.Export(cmd.Context(), w) }}, nil
			})
		},
	}
	f.in.bind(cmd.Flags())
	return cmd
}

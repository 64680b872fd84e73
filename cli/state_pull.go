package cli

import (
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/state/sqlite"
)

func (a *app) statePullCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "pull", Short: "write the state as JSON lines, data as it is", Args: cobra.NoArgs,
		Long: `Writes everything in the state to stdout, one JSON object a line: numbers and
names as they are. It is for programs and backups, not for pull requests.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withFile(cmd.Context(), &f, func(_ *project, s *sqlite.Store) error {
				err := s.Export(cmd.Context(), a.sys.Stdout)
				if err != nil {
					return a.failState(err, false)
				}
				return nil
			})
		},
	}
	f.in.bind(cmd.Flags())
	return cmd
}

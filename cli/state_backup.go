package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/state/sqlite"
)

func (a *app) stateBackupCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "copy the state while it may be in use", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withFile(cmd.Context(), &f, func(_ *project, s *sqlite.Store) error {
				if err := s.Backup(cmd.Context(), a.path(args[0])); err != nil {
					return a.failState(err, false)
				}
				fmt.Fprintf(a.sys.Stdout, "Backed the state up to %s.\n", args[0])
				return nil
			})
		},
	}
	f.in.bind(cmd.Flags())
	return cmd
}

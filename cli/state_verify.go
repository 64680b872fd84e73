package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/state/sqlite"
)

func (a *app) stateVerifyCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "verify", Short: "prove that the state is what was written", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var r *view.VerifyReport
			err := a.withFile(cmd.Context(), &f, func(_ *project, s *sqlite.Store) (view.Report, error) {
				checked, err := s.Verify(cmd.Context())
				if err != nil {
					return nil, err
				}
				r = &view.VerifyReport{Sound: checked.OK(), Rows: checked.Rows}
				for _, p := range checked.Problems {
					r.Problems = append(r.Problems, view.StateProblem{Table: p.Table, Row: p.Row, What: p.What})
				}
				return r, nil
			})
			if err == nil && !r.Sound {
				err = a.fail("State damaged", errors.New(r.Damage()))
			}
			return err
		},
	}
	f.bindRead(cmd)
	return cmd
}

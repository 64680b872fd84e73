package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/state/sqlite"
)

func (a *app) stateVerifyCommand() *cobra.Command {
	f := stateFlags{stands: true}
	cmd := &cobra.Command{
		Use: "verify", Short: "prove that the state is what was written", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var r *view.VerifyReport
			var found []view.Diagnostic
			err := a.withFile(cmd.Context(), &f, func(p *project, s *sqlite.Store) (view.Report, error) {
				checked, err := s.Verify(cmd.Context())
				if err != nil {
					return nil, err
				}
				r = &view.VerifyReport{Sound: checked.OK(), Rows: checked.Rows}
				for _, p := range checked.Problems {
					r.Problems = append(r.Problems, view.StateProblem{Table: p.Table, Row: p.Row, What: p.What})
				}
				found, err = a.standing(cmd.Context(), p, s)
				return r, err
			})
			switch {
			case err != nil:
				return err
			case !r.Sound:
				return a.fail("State damaged", errors.New(r.Damage()))
			}
			return a.showStanding(found)
		},
	}
	f.bindRead(cmd)
	return cmd
}

package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/postgres"
	"github.com/handbill/handbill/state/sqlite"
)

func (a *app) stateVerifyCommand() *cobra.Command {
	f := stateFlags{stands: true}
	cmd := &cobra.Command{
		Use: "verify", Short: "check that the state holds exactly what was written", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var r *view.VerifyReport
			var found []view.Diagnostic
			err := a.withState(cmd.Context(), &f, func(p *project, s state.Store) (view.Report, error) {
				checked, err := verify(cmd.Context(), s)
				if err != nil {
					return nil, err
				}
				r = checked
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

// verify checks the integrity of a state as far as its store can.
func verify(ctx context.Context, s state.Store) (*view.VerifyReport, error) {
	r := &view.VerifyReport{}
	switch s := s.(type) {
	case *sqlite.Store:
		found, err := s.Verify(ctx)
		if err != nil {
			return nil, err
		}
		r.Rows = found.Rows
		for _, p := range found.Problems {
			r.Problems = append(r.Problems, view.StateProblem{Table: p.Table, Row: p.Row, What: p.What})
		}
	case *postgres.Store:
		found, err := s.Verify(ctx)
		if err != nil {
			return nil, err
		}
		r.Rows = found.Rows
		for _, p := range found.Problems {
			r.Problems = append(r.Problems, view.StateProblem{Table: p.Table, What: p.What})
		}
	}
	r.Sound = len(r.Problems) == 0
	return r, nil
}

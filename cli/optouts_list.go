package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/state"
)

func (a *app) optoutsListCommand() *cobra.Command {
	f := stateFlags{current: true}
	asCSV := false
	cmd := &cobra.Command{
		Use: "list", Short: "list opt-outs with their evidence", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asCSV && f.json {
				return a.fail("Invalid option", errors.New("-csv and -json are two forms of the same list; choose one"))
			}
			return a.withState(cmd.Context(), &f, func(_ *project, s state.Store) (view.Report, error) {
				names, err := usernames(cmd.Context(), s)
				if err != nil {
					return nil, err
				}
				r := &view.OptOutList{OptOuts: s.OptOuts(cmd.Context()), Usernames: names}
				if asCSV {
					return asText{r.CSV}, nil
				}
				return r, nil
			})
		},
	}
	f.bindRead(cmd)
	f.bindShow(cmd)
	cmd.Flags().BoolVar(&asCSV, "csv", false, "as CSV, which import reads; with numbers as they are")
	return cmd
}

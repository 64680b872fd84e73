package cli

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

func (a *app) optoutsImportCommand() *cobra.Command {
	var f stateFlags
	region := ""
	cmd := &cobra.Command{
		Use: "import FILE", Short: "take over opt-outs from a CSV file", Args: cobra.ExactArgs(1),
		Long: `Reads a CSV file whose first column is a phone number or user id; further columns
named reason and evidence are kept. A header is recognised by its first cell,
"recipient" or "phone".`,
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := a.readOptouts(args[0], region)
			if err != nil {
				return a.fail("Unreadable file", fmt.Errorf("%s: %w", args[0], err))
			}
			names := slices.Sorted(maps.Keys(rows))
			return a.changeOptouts(cmd.Context(), &f, "optouts import", names, func(s state.Store, r string) error {
				return s.OptOut(cmd.Context(), r, "import", rows[r])
			})
		},
	}
	f.bindChange(cmd)
	cmd.Flags().StringVar(&region, "region", "", "region of numbers in national form, such as DE")
	return cmd
}

// readOptouts reads the opt-outs of a file: by recipient, what the file says about
// each.
func (a *app) readOptouts(name, region string) (map[string]string, error) {
	file, err := os.Open(a.path(name))
	if err != nil {
		return nil, workspace.PathCause(err)
	}
	defer file.Close()
	return audience.ReadOptOuts(file, region)
}

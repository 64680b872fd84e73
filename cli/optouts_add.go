package cli

import (
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/state"
)

func (a *app) optoutsAddCommand() *cobra.Command {
	var f stateFlags
	why := ""
	cmd := &cobra.Command{
		Use: "add RECIPIENT...", Short: "record that people want no more messages", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeOptouts(cmd.Context(), &f, "optouts add", args, func(s state.Store, r string) error {
				return s.OptOut(cmd.Context(), r, "operator", note(a.who(), why))
			})
		},
	}
	f.bindChange(cmd)
	cmd.Flags().StringVar(&why, "why", "", "where the wish is from")
	return cmd
}

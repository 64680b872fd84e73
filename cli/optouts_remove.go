package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/state"
)

func (a *app) optoutsRemoveCommand() *cobra.Command {
	var f stateFlags
	why := ""
	cmd := &cobra.Command{
		Use: "remove -why=EVIDENCE RECIPIENT...", Short: "record that people want messages again", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if why == "" {
				return a.fail("Evidence needed", errors.New("say with -why where and when the person asked for messages again"))
			}
			return a.changeOptouts(cmd.Context(), &f, "optouts remove", args, func(s state.Store, r string) error {
				return s.OptIn(cmd.Context(), r, note(a.who(), why))
			})
		},
	}
	f.bindChange(cmd)
	cmd.Flags().StringVar(&why, "why", "", "where and when the person asked for it; required")
	return cmd
}

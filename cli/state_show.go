package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

func (a *app) stateShowCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "show [flags] ADDRESS", Short: "show one resource of the last apply", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withState(cmd.Context(), &f, func(_ *project, s state.Store) (view.Report, error) {
				return a.stateShow(cmd.Context(), s, args[0])
			})
		},
	}
	f.bindRead(cmd)
	return cmd
}

func (a *app) stateShow(ctx context.Context, s state.Store, address string) (view.Report, error) {
	resources, err := stateResources(ctx, s)
	if err != nil {
		return nil, err
	}
	address = state.Quoted(address)
	for i := range resources {
		if resources[i].Address == address {
			return &resources[i], nil
		}
	}
	return nil, a.fail("No such resource", fmt.Errorf("the state has no resource %s; \"handbill state list\" shows what it has", message.SafeText(address)))
}

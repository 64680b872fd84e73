package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/operation"
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
	address = state.Quoted(address)
	if catalog, id, ok := operation.CutProduct(address); ok {
		return a.stateProduct(ctx, s, catalog, id)
	}
	resources, err := stateResources(ctx, s)
	if err != nil {
		return nil, err
	}
	for i := range resources {
		if resources[i].Address == address {
			return &resources[i], nil
		}
	}
	return nil, a.fail("No such resource", fmt.Errorf("the state has no resource %s; \"handbill state list\" shows what it has", message.SafeText(address)))
}

// stateProduct shows what the state keeps of a product of a managed catalog.
func (a *app) stateProduct(ctx context.Context, s state.Store, catalog, id string) (view.Report, error) {
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	c, err := operation.KeptCatalog(ctx, snap, catalog)
	if err != nil {
		return nil, err
	}
	if c != nil {
		for i := range c.Products {
			if c.Products[i].ID == id {
				return view.KeptProduct(catalog, &c.Products[i]), nil
			}
		}
	}
	return nil, a.fail("No such product", fmt.Errorf("the state has no product %s; \"handbill state list %s\" shows what it has", message.SafeText(state.WithKey(catalog+".products", id)), message.SafeText(catalog)))
}

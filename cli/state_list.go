package cli

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

func (a *app) stateListCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "list [flags] [ADDRESS...]", Short: "list resources, the deliveries of a campaign, or the products of a catalog",
		Long: `Lists the addresses of the resources of the last apply, and for campaigns that are
named on the command line their deliveries; for managed catalogs, their products.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withState(cmd.Context(), &f, func(_ *project, s state.Store) (view.Report, error) {
				if len(args) > 0 && !slices.ContainsFunc(args, func(a string) bool { return message.AddressType(a) != "catalog" }) {
					return a.productList(cmd.Context(), s, args)
				}
				if len(args) > 0 {
					names, err := usernames(cmd.Context(), s)
					return &view.DeliveryList{Deliveries: a.deliveriesOf(cmd.Context(), s, args), Usernames: names}, err
				}
				return resourceList(cmd.Context(), s)
			})
		},
	}
	f.bindRead(cmd)
	f.bindShow(cmd)
	return cmd
}

func resourceList(ctx context.Context, s state.Store) (*view.ResourceList, error) {
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	resources, err := snap.Resources(ctx)
	r := &view.ResourceList{}
	for i := range resources {
		r.Resources = append(r.Resources, resources[i].Address)
	}
	if err != nil {
		return r, err
	}
	managed, err := snap.Managed(ctx)
	for i := range managed {
		if managed[i].Kind != "catalog" { // listed as the block that it is
			r.Resources = append(r.Resources, managed[i].Address)
		}
	}
	slices.Sort(r.Resources)
	return r, err
}

// productList lists what the state keeps of the products of managed catalogs.
func (a *app) productList(ctx context.Context, s state.Store, catalogs []string) (*view.ResourceList, error) {
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	r := &view.ResourceList{}
	for _, address := range catalogs {
		c, err := operation.KeptCatalog(ctx, snap, state.Quoted(address))
		if err != nil {
			return nil, err
		}
		if c == nil {
			return nil, a.fail("No such catalog", fmt.Errorf("the state has no managed catalog %s", message.SafeText(address)))
		}
		for i := range c.Products {
			r.Resources = append(r.Resources, plan.ProductAddress(c.Address, c.Products[i].ID))
		}
	}
	return r, nil
}

// deliveriesOf returns the deliveries of campaigns; a campaign without any is an
// error.
func (a *app) deliveriesOf(ctx context.Context, s state.Store, campaigns []string) iter.Seq2[state.Delivery, error] {
	return func(yield func(state.Delivery, error) bool) {
		snap, err := s.Snapshot(ctx)
		if err != nil {
			yield(state.Delivery{}, err)
			return
		}
		defer snap.Close()
		for _, address := range campaigns {
			found := false
			for d, err := range snap.Deliveries(ctx, address) {
				found = true
				if !yield(d, err) || err != nil {
					return
				}
			}
			if !found {
				yield(state.Delivery{}, a.fail("No such deliveries", fmt.Errorf("the state has no delivery of %s", message.SafeText(address))))
				return
			}
		}
	}
}

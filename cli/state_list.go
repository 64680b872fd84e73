package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

func (a *app) stateListCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "list [flags] [ADDRESS...]", Short: "list resources, or the deliveries of a campaign",
		Long: `Lists the addresses of the resources of the last apply, and for campaigns that are
named on the command line their deliveries.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withState(cmd.Context(), &f, func(_ *project, s state.Store) error { return a.stateList(cmd.Context(), s, &f, args) })
		},
	}
	f.in.bind(cmd.Flags())
	cmd.Flags().BoolVar(&f.show, "show-recipients", false, "show numbers as they are")
	return cmd
}

func (a *app) stateList(ctx context.Context, s state.Store, f *stateFlags, addresses []string) error {
	snap, err := s.Snapshot(ctx)
	if err != nil {
		return a.failState(err, false)
	}
	defer snap.Close()
	if len(addresses) == 0 {
		resources, err := snap.Resources(ctx)
		if err != nil {
			return a.failState(err, false)
		}
		for _, r := range resources {
			fmt.Fprintln(a.sys.Stdout, message.SafeText(r.Address))
		}
		return nil
	}
	style := a.style()
	style.ShowRecipients = f.show
	for _, address := range addresses {
		found := false
		for d, err := range snap.Deliveries(ctx, address) {
			if err != nil {
				return a.failState(err, false)
			}
			found = true
			fmt.Fprintf(a.sys.Stdout, "%s[%q]  %s%s\n", d.Campaign, style.Recipient(d.Recipient), d.Send, style.DeliveryNote(&d))
		}
		if !found {
			return a.fail("No such deliveries", fmt.Errorf("the state has no delivery of %s", message.SafeText(address)))
		}
	}
	return nil
}

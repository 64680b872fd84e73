package cli

import (
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/operation"
)

func (a *app) stateGiveBackCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "giveback RECIPIENT...", Short: "let reply rules answer a person again after a handover", Args: cobra.MinimumNArgs(1),
		Long: `A reply rule with handover = true makes all rules silent for a person, so that
somebody can talk to them. This gives the person back to the rules. It needs no
lock and may run beside serve.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := a.personKeys(args)
			if err != nil {
				return err
			}
			p, err := a.load(cmd.Context(), &f.in)
			if err != nil {
				return err
			}
			defer p.Close()
			store, _, err := p.OpenState(cmd.Context())
			if err != nil {
				return a.failState(err, false)
			}
			defer store.Close()
			if err := a.warnStanding(cmd.Context(), p, store); err != nil {
				return err
			}
			if err := operation.GiveBack(cmd.Context(), store, keys); err != nil {
				return a.failState(err, false)
			}
			return a.show(view.GivenBack(len(args)), a.style(), f.json)
		},
	}
	f.bindRead(cmd)
	return cmd
}

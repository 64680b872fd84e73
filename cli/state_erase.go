package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/state"
)

func (a *app) stateEraseCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "erase RECIPIENT...", Short: "forget a person everywhere, and never send to them again", Args: cobra.MinimumNArgs(1),
		Long: `Removes a person's number, names and messages from the state. Only a keyed hash
is kept, so that nothing is ever sent to that number again. Backups that were
made before still hold the person: delete them.

It takes the lock, so it waits behind a running apply (-lock-timeout). If the
person must not wait, use -lock=false: it then runs beside apply and serve, which
send nothing to the person from then on.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.stateErase(cmd.Context(), &f, args) },
	}
	f.bindChange(cmd)
	return cmd
}

func (a *app) stateErase(ctx context.Context, f *stateFlags, people []string) error {
	keys, err := a.personKeys(people)
	if err != nil {
		return err
	}
	p, err := a.load(ctx, &f.in)
	if err != nil {
		return err
	}
	defer p.Close()
	copies, err := operation.Erase(ctx, p.Workspace, a.lockOptions(&f.lock), keys, func(s state.Store) error { return a.warnStanding(ctx, p, s) })
	if err != nil {
		return a.failState(err, false)
	}
	r := &view.EraseReport{People: len(keys)}
	for _, c := range copies {
		r.Copies = append(r.Copies, a.display(c))
	}
	return a.show(r, a.style(), f.json)
}

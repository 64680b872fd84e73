package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
)

func (a *app) stateEraseCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "erase RECIPIENT...", Short: "forget a person everywhere, and never send to them again", Args: cobra.MinimumNArgs(1),
		Long: `Removes a person's number, names and messages from the state and from its
backups' successors, and keeps only a keyed hash, so as never to send to that
number again. Backups made before still hold the person: delete them.

It takes the lock, so it waits its turn (-lock-timeout) behind an apply. Who asks
to be forgotten need not wait: with -lock=false it runs beside an apply and serve,
which send nothing to the person from then on.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.stateErase(cmd.Context(), &f, args) },
	}
	f.bindChange(cmd)
	return cmd
}

// stateErase makes no backup first: a backup would keep the person.
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
	unlock, err := a.lock(ctx, &f.lock, p, "state erase")
	if err != nil {
		return a.failState(err, false)
	}
	defer unlock()
	store, _, err := p.OpenState(ctx)
	if err != nil {
		return a.failState(err, false)
	}
	defer store.Close()
	for _, key := range keys {
		if err := store.Erase(ctx, key); err != nil {
			return a.failState(err, false)
		}
	}
	r := &view.EraseReport{People: len(keys)}
	for _, c := range copiesOf(p.StatePath()) {
		r.Copies = append(r.Copies, a.display(c))
	}
	return a.show(r, a.style(), f.json)
}

// copiesOf are the files beside a state that handbill copied or put away.
func copiesOf(path string) []string {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil // the state itself was just written there
	}
	var out []string
	for _, e := range entries {
		for _, kind := range []string{".backup", ".replaced", ".restoring"} {
			if strings.HasPrefix(e.Name(), filepath.Base(path)+kind) {
				out = append(out, filepath.Join(filepath.Dir(path), e.Name()))
			}
		}
	}
	return out
}

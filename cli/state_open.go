package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

// stateOptions are the flags that the state commands share.
type stateFlags struct {
	in   inputFlags
	lock lockFlags
	show bool
}

// withState loads the configuration, opens the state for reading, and runs fn.
func (a *app) withState(ctx context.Context, f *stateFlags, fn func(*project, state.Store) error) error {
	return a.withFile(ctx, f, func(p *project, s *sqlite.Store) error { return fn(p, s) })
}

// withFile is withState for what is done with the state's file.
func (a *app) withFile(ctx context.Context, f *stateFlags, fn func(*project, *sqlite.Store) error) error {
	p, err := a.load(ctx, &f.in)
	if err != nil {
		return err
	}
	defer p.close()
	store, err := a.readState(ctx, p)
	if err != nil {
		return a.failState(err, false)
	}
	if store == nil {
		return a.fail("No state", fmt.Errorf("there is no state at %s yet. \"handbill init\" makes it", a.display(p.statePath())))
	}
	defer store.Close()
	return fn(p, store)
}

// changeState loads the configuration, takes the lock, backs the state up, and
// runs fn.
func (a *app) changeState(ctx context.Context, f *stateFlags, operation string, fn func(*project, state.Store) error) error {
	p, err := a.load(ctx, &f.in)
	if err != nil {
		return err
	}
	defer p.close()
	if !sqlite.Exists(p.statePath()) {
		return a.fail("No state", fmt.Errorf("there is no state at %s yet. \"handbill init\" makes it", a.display(p.statePath())))
	}
	unlock, err := a.lock(ctx, &f.lock, p.statePath(), operation)
	if err != nil {
		return a.failState(err, false)
	}
	defer unlock()
	store, _, err := a.openState(ctx, p)
	if err != nil {
		return a.failState(err, false)
	}
	defer store.Close()
	if _, err := store.AutoBackup(ctx, strings.ReplaceAll(operation, " ", "-")); err != nil {
		return a.fail("State not backed up", fmt.Errorf("nothing was changed: %w", err))
	}
	return fn(p, store)
}

func deliveries(n int) string {
	if n == 1 {
		return "1 delivery"
	}
	return view.Count(n) + " deliveries"
}

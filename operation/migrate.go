package operation

import (
	"context"
	"errors"

	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/workspace"
)

// Migrate moves the state to another place, and seals the one that the configuration
// names.
type Migrate struct {
	To   workspace.Target
	Lock Lock
}

// Run moves the state and returns what it holds. Its errors are a *ServedError or
// errors of the state.
func (m *Migrate) Run(ctx context.Context, ws *workspace.Workspace) (c state.Contents, err error) {
	const name = "state migrate"
	_, free, err := m.Lock.take(ctx, ws, name)
	if err != nil {
		return c, err
	}
	defer free()
	// serve would answer 200 for events that are only in the state that was moved.
	served, err := ws.LockServe(ctx, name, m.Lock.Wait)
	if err != nil {
		var held *state.LockedError
		if errors.As(err, &held) {
			return c, &ServedError{held}
		}
		return c, err
	}
	defer served.Unlock()
	store, err := ws.OpenSealed(ctx)
	if err != nil {
		return c, err
	}
	defer store.Close()
	from, ok := store.(state.Movable)
	if !ok {
		return c, errors.New("this kind of state cannot be moved")
	}
	d, done, err := ws.Draft(ctx, m.To, name)
	if err != nil {
		return c, notMoved(err)
	}
	c, err = state.Move(ctx, from, d, m.To.Name, ws.Who())
	return c, notMoved(errors.Join(err, done()))
}

// notMoved gives an error a heading, unless it has one of its own.
func notMoved(err error) error {
	var halt *state.HaltError
	var held *state.LockedError
	if err == nil || errors.As(err, &halt) || errors.As(err, &held) {
		return err
	}
	return &Error{Summary: "State not moved", Err: err}
}

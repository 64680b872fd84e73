package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

// stateFlags are the flags that the state commands share.
type stateFlags struct {
	in   inputFlags
	lock lockFlags
	show bool
	json bool
	// stands says that the command itself shows what keeps apply from sending.
	stands bool
	// sealed says that the command also works on a state that was moved elsewhere.
	sealed bool
	// current says that the command shows what people and providers reported, so
	// pending webhooks are joined into the state first.
	current bool
}

// bindRead binds the flags of a command that reads the state.
func (f *stateFlags) bindRead(cmd *cobra.Command) {
	f.in.bind(cmd.Flags())
	bindJSON(cmd, &f.json)
}

// bindChange binds the flags of a command that changes the state.
func (f *stateFlags) bindChange(cmd *cobra.Command) {
	f.bindRead(cmd)
	f.lock.bind(cmd.Flags())
}

// bindShow binds the flag that shows recipients.
func (f *stateFlags) bindShow(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.show, "show-recipients", false, "show numbers as they are")
}

// stateWork does a command's work on the state and returns its report.
type stateWork func(*project, state.Store) (view.Report, error)

// withState loads the configuration, opens the state for reading, and shows
// what work reports.
func (a *app) withState(ctx context.Context, f *stateFlags, work stateWork) error {
	p, err := a.load(ctx, &f.in)
	if err != nil {
		return err
	}
	defer p.Close()
	open := p.ReadState
	if f.current {
		open = p.CurrentState
	}
	store, err := open(ctx)
	if err != nil {
		return a.failState(err, false)
	}
	if store == nil {
		return a.fail("No state", noState(a, p))
	}
	defer store.Close()
	if err := a.aside(ctx, f, p, store); err != nil {
		return err
	}
	r, err := work(p, store)
	return a.showWork(f, r, err)
}

// withFile is withState for work that needs the state's file.
func (a *app) withFile(ctx context.Context, f *stateFlags, work func(*sqlite.Store) (view.Report, error)) error {
	return a.withState(ctx, f, func(_ *project, s state.Store) (view.Report, error) {
		file, ok := s.(*sqlite.Store)
		if !ok {
			return nil, a.fail("State in a database", errors.New("this is done with a state that is a file. A database has tools of its own: pg_dump copies the schema of the state, and its backups hold it"))
		}
		return work(file)
	})
}

// noState is the error of a command that needs a state where there is none.
func noState(a *app, p *project) error {
	return fmt.Errorf("there is no state at %s yet. \"handbill init\" makes it", a.stateName(p))
}

// stateName says where the state is stored.
func (a *app) stateName(p *project) string {
	if p.Shared() {
		return p.StateName()
	}
	return a.display(p.StatePath())
}

// aside calls warnStanding, unless the command shows the same by itself.
func (a *app) aside(ctx context.Context, f *stateFlags, p *project, store state.Store) error {
	if f.stands {
		return nil
	}
	return a.warnStanding(ctx, p, store)
}

// changeState loads the configuration, takes the lock, backs the state up, and
// shows what work reports.
func (a *app) changeState(ctx context.Context, f *stateFlags, name string, work stateWork) error {
	p, err := a.load(ctx, &f.in)
	if err != nil {
		return err
	}
	defer p.Close()
	switch there, err := p.HasState(ctx); {
	case err != nil:
		return a.failState(err, false)
	case !there:
		return a.fail("No state", noState(a, p))
	}
	var r view.Report
	change := operation.Change{Name: name, Sealed: f.sealed, Lock: a.lockOptions(&f.lock), Look: func(s state.Store) error { return a.aside(ctx, f, p, s) }}
	err = change.Do(ctx, p.Workspace, func(s state.Store) (err error) {
		r, err = work(p, s)
		return err
	})
	return a.showWork(f, r, err)
}

func (a *app) showWork(f *stateFlags, r view.Report, err error) error {
	if err != nil {
		return a.failState(err, false)
	}
	style := a.style()
	style.ShowRecipients = f.show
	if err := a.show(r, style, f.json); err != nil {
		return a.failState(err, false)
	}
	return nil
}

// partly shows what was done before an error. It returns no report.
func (a *app) partly(r view.Report, some bool, f *stateFlags) view.Report {
	if some {
		_ = a.show(r, a.style(), f.json) // the error that is shown next says more
	}
	return nil
}

// servedBy says which serve holds its lock.
func servedBy(held *state.LockedError) string {
	if held.Info.PID > 0 {
		return fmt.Sprintf("handbill serve runs on this state (pid %d on %s)", held.Info.PID, message.SafeText(held.Info.Host))
	}
	return "handbill serve runs on this state"
}

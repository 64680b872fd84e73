package workspace

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
)

// StatePath is where the configuration's state lies: the file itself, also
// where the configuration names a symbolic link to it.
func (w *Workspace) StatePath() string {
	path := w.Config.Settings.State.Path
	if path == "" {
		path = "handbill.state"
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(w.Dir, path)
	}
	return sqlite.RealPath(path)
}

// HasState reports whether there is a state.
func (w *Workspace) HasState() bool { return sqlite.Exists(w.StatePath()) }

// kept says why this version can't keep the state that is declared.
func (w *Workspace) kept() error {
	if t := w.Config.Settings.State.Type; t != "" && t != "sqlite" {
		return fmt.Errorf("a state of type %q is declared, and this version keeps its state in SQLite only; declare state \"sqlite\"", t)
	}
	return nil
}

// options are those of every opening of the state.
func (w *Workspace) options() sqlite.Options {
	return sqlite.Options{Path: w.StatePath(), Clock: w.host.Now, Rand: w.host.Rand, Version: w.host.Version, Wish: w.wish}
}

// wish reads what people say about being written to by the words of the
// configuration, whichever command joins their messages into the state.
func (w *Workspace) wish(ev *message.Event, at time.Time) state.Wish {
	return w.words.Load().Wish(ev, at)
}

// OpenState opens the state for writing, or makes it. Webhooks that were
// accepted and not joined yet are joined first: what people said before the
// command began holds for it, whether or not serve is running.
func (w *Workspace) OpenState(ctx context.Context) (store *sqlite.Store, created bool, err error) {
	if err := w.kept(); err != nil {
		return nil, false, err
	}
	opt := w.options()
	if sqlite.Exists(opt.Path) {
		s, err := sqlite.Open(ctx, opt)
		if err != nil {
			return nil, false, err
		}
		if err := s.FoldAll(ctx); err != nil {
			return nil, false, errors.Join(err, s.Close())
		}
		return s, false, nil
	}
	s, err := sqlite.Create(ctx, opt)
	return s, err == nil, err
}

// ReadState opens the state for reading; nil when there is none yet.
func (w *Workspace) ReadState(ctx context.Context) (*sqlite.Store, error) {
	if err := w.kept(); err != nil {
		return nil, err
	}
	opt := w.options()
	if !sqlite.Exists(opt.Path) {
		return nil, sqlite.Gone(opt.Path)
	}
	opt.ReadOnly = true
	return sqlite.Open(ctx, opt)
}

// PlanState opens the state for planning; nil where there is none. A plan that
// is saved is bound to the state's lineage, so with bind the state is made when
// there is none; a plan that is only shown works without, also in a directory
// that can't be written.
func (w *Workspace) PlanState(ctx context.Context, bind bool) (state.Store, error) {
	if bind {
		s, _, err := w.OpenState(ctx)
		return s, err
	}
	s, err := w.CurrentState(ctx)
	if err != nil || s == nil {
		return nil, err // not s: a nil pointer would be a store that is there
	}
	return s, nil
}

// CurrentState opens the state for those who tell what people chose; nil where
// there is none. People may have asked to stop in webhooks that were accepted and
// wait: these are joined first, for which the state is opened for writing.
func (w *Workspace) CurrentState(ctx context.Context) (*sqlite.Store, error) {
	s, err := w.ReadState(ctx)
	if err != nil || s == nil {
		return nil, err
	}
	waits, err := s.InboxWaits(ctx)
	if err == nil && !waits {
		return s, nil
	}
	if err := errors.Join(err, s.Close()); err != nil {
		return nil, err
	}
	s, _, err = w.OpenState(ctx)
	return s, err
}

// RestoreState puts a backup in the state's place. One of another state is
// refused with a *state.OtherStateError, unless lineage names it.
func (w *Workspace) RestoreState(ctx context.Context, backup, lineage string) error {
	opt := w.options()
	opt.Lineage = lineage
	return sqlite.Restore(ctx, backup, opt)
}

// StateCopies are the files beside the state that handbill copied or put away.
func (w *Workspace) StateCopies() []string {
	path := w.StatePath()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil // there is nothing beside a state that is not there
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

// Lock takes the lock of those who send for an operation, and waits for it as
// long as told. A *state.LockedError says who holds it.
func (w *Workspace) Lock(ctx context.Context, operation string, wait time.Duration) (*sqlite.Locked, error) {
	return w.lock(ctx, w.StatePath(), operation, wait)
}

// LockServe takes the lock that serve holds for as long as it runs. It is not
// that of those who send: an apply may run beside.
func (w *Workspace) LockServe(ctx context.Context, operation string, wait time.Duration) (*sqlite.Locked, error) {
	return w.lock(ctx, w.StatePath()+".serve", operation, wait)
}

func (w *Workspace) lock(ctx context.Context, path, operation string, wait time.Duration) (*sqlite.Locked, error) {
	info := state.LockInfo{ID: rand.Text(), Operation: operation, Who: w.host.Who, Host: hostname(), PID: os.Getpid(),
		Created: w.host.Now().UTC(), Version: w.host.Version}
	return sqlite.Lock(ctx, path, info, wait)
}

// ForceUnlock removes what the lock of another machine left behind.
func (w *Workspace) ForceUnlock(id string) error {
	return sqlite.ForceUnlock(w.StatePath(), id, hostname())
}

func hostname() string {
	host, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return host
}

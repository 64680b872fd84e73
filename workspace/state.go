package workspace

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/postgres"
	"github.com/handbill/handbill/state/sqlite"
)

// Shared reports whether the state is in a database. It then has no file, and
// backups and checks of its location are up to the database.
func (w *Workspace) Shared() bool { return w.Config.Settings.State.Type == "postgres" }

// StateName says where the configuration's state is stored: the path of its file,
// or the schema of the database.
func (w *Workspace) StateName() string {
	if o := w.database(); w.Shared() {
		return o.Name()
	}
	return w.StatePath()
}

// StatePath is the path of a state in a file, with symbolic links in the configured
// path resolved.
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
func (w *Workspace) HasState(ctx context.Context) (bool, error) {
	if w.Shared() {
		return postgres.Exists(ctx, w.database())
	}
	return sqlite.Exists(w.StatePath()), nil
}

// options are the options for every opening of a state in a file.
func (w *Workspace) options() sqlite.Options {
	return sqlite.Options{Path: w.StatePath(), Clock: w.host.Now, Rand: w.host.Rand, Version: w.host.Version, Wish: w.wish}
}

// patience is how long users of a state in a database wait when it goes away: a
// restart takes less.
const patience = 30 * time.Second

// database returns the options for every opening of a state in a database.
func (w *Workspace) database() postgres.Options {
	s := w.Config.Settings.State
	return postgres.Options{URL: s.URL, Schema: s.Schema, Clock: w.host.Now, Rand: w.host.Rand, Wish: w.wish, Patience: patience}
}

// wish reads what people say about being written to, with the stop words of the
// configuration, whichever command joins their messages into the state.
func (w *Workspace) wish(ev *message.Event, at time.Time) state.Wish {
	return w.words.Load().Wish(ev, at)
}

// OpenState opens the state for writing. It creates a missing state in a file, but
// not in a database: an empty one may be the wrong one, so only InitState does
// that. It first joins webhooks that were accepted but not joined yet, so that what
// people said before the command began counts, whether or not serve is running.
func (w *Workspace) OpenState(ctx context.Context) (store state.Store, created bool, err error) {
	opt := w.options()
	switch {
	case w.Shared():
		store, err = opened(postgres.Open(ctx, w.database()))
	case sqlite.Exists(opt.Path):
		store, err = opened(sqlite.Open(ctx, opt))
	default:
		store, err = opened(sqlite.Create(ctx, opt))
		return store, err == nil, err
	}
	if err != nil {
		return nil, false, err
	}
	err = unsealed(ctx, store)
	if err == nil {
		err = store.FoldAll(ctx)
	}
	if err != nil {
		return nil, false, errors.Join(err, store.Close())
	}
	return store, false, nil
}

// unsealed refuses a state that was moved elsewhere with its *state.HaltError: what
// is written to it, nobody reads.
func unsealed(ctx context.Context, s state.Store) error {
	halt, err := s.Halted(ctx)
	if err != nil || halt == nil {
		return err
	}
	if halt.Sealed() {
		return halt
	}
	return nil
}

// OpenSealed is OpenState for a state that is there, and also opens one that was
// moved elsewhere, as it is.
func (w *Workspace) OpenSealed(ctx context.Context) (store state.Store, err error) {
	if w.Shared() {
		store, err = opened(postgres.Open(ctx, w.database()))
	} else {
		store, err = opened(sqlite.Open(ctx, w.options()))
	}
	if err != nil || unsealed(ctx, store) != nil {
		return store, err
	}
	if err := store.FoldAll(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return store, nil
}

// opened keeps a nil pointer from becoming a non-nil store.
func opened[S state.Store](s S, err error) (state.Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// InitState is OpenState for init: it also creates a state in a database, and
// upgrades one of an older handbill.
func (w *Workspace) InitState(ctx context.Context) (store state.Store, created bool, err error) {
	if !w.Shared() {
		return w.OpenState(ctx)
	}
	there, err := postgres.Exists(ctx, w.database())
	if err != nil {
		return nil, false, err
	}
	if !there {
		store, err = opened(postgres.Create(ctx, w.database()))
		return store, err == nil, err
	}
	if err := postgres.Migrate(ctx, w.database()); err != nil {
		return nil, false, err
	}
	return w.OpenState(ctx)
}

// ReadState opens the state for reading; nil if there is none yet.
func (w *Workspace) ReadState(ctx context.Context) (state.Store, error) {
	if w.Shared() {
		return opened(postgres.Open(ctx, w.database()))
	}
	opt := w.options()
	if !sqlite.Exists(opt.Path) {
		return nil, sqlite.Gone(opt.Path)
	}
	opt.ReadOnly = true
	return opened(sqlite.Open(ctx, opt))
}

// PlanState opens the state for planning; nil if there is none. A saved plan is
// bound to the state's lineage, so with bind a missing state is created. A plan
// that is only shown needs no state, and works in a read-only directory.
func (w *Workspace) PlanState(ctx context.Context, bind bool) (state.Store, error) {
	if bind {
		s, _, err := w.OpenState(ctx)
		return s, err
	}
	return w.CurrentState(ctx)
}

// CurrentState opens the state for commands that show people's choices; nil if
// there is none. People may have asked to stop in webhooks that were accepted but
// not joined yet. These are joined first, so the state is opened for writing.
func (w *Workspace) CurrentState(ctx context.Context) (state.Store, error) {
	s, err := w.ReadState(ctx)
	if err != nil || s == nil {
		return nil, err
	}
	waits, err := s.InboxWaits(ctx)
	if err == nil && (!waits || unsealed(ctx, s) != nil) {
		return s, nil
	}
	if err := errors.Join(err, s.Close()); err != nil {
		return nil, err
	}
	s, _, err = w.OpenState(ctx)
	return s, err
}

// RestoreState replaces the state by a backup. It refuses a backup of another state
// with a *state.OtherStateError, unless lineage names that state.
func (w *Workspace) RestoreState(ctx context.Context, backup, lineage string) error {
	if w.Shared() {
		return errors.New("the state lies in a database, which its own tools restore (pg_restore). The next command says that it was, and \"handbill state acknowledge\" continues from it")
	}
	opt := w.options()
	opt.Lineage = lineage
	return sqlite.Restore(ctx, backup, opt)
}

// StateCopies returns the copies and replaced files that handbill left beside the
// state; a state in a database has none.
func (w *Workspace) StateCopies() []string {
	if w.Shared() {
		return nil
	}
	path := w.StatePath()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil // no directory, so no files beside a state
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

// Locked is a lock that was taken.
type Locked interface {
	// Held reports whether it is still held: a forced unlock ends it.
	Held() bool
	Unlock() error
}

// Lock takes the lock that sending commands need, and waits for it up to wait. A
// *state.LockedError says who holds it.
func (w *Workspace) Lock(ctx context.Context, operation string, wait time.Duration) (Locked, error) {
	return w.lock(ctx, "", operation, wait)
}

// LockServe takes the lock that keeps serve away. It is not that of those who send:
// an apply may run beside.
func (w *Workspace) LockServe(ctx context.Context, operation string, wait time.Duration) (Locked, error) {
	return w.lock(ctx, ".serve", operation, wait)
}

// JoinServe takes the lock that serve holds for as long as it runs. On a state in a
// database many may hold it.
func (w *Workspace) JoinServe(ctx context.Context) (Locked, error) {
	if w.Shared() {
		return held(postgres.LockShared(ctx, w.database(), "send.serve", w.lockInfo("serve")))
	}
	return w.LockServe(ctx, "serve", 0)
}

func (w *Workspace) lock(ctx context.Context, which, operation string, wait time.Duration) (Locked, error) {
	info := w.lockInfo(operation)
	if w.Shared() {
		return held(postgres.Lock(ctx, w.database(), "send"+which, info, wait))
	}
	return held(sqlite.Lock(ctx, w.StatePath()+which, info, wait))
}

func (w *Workspace) lockInfo(operation string) state.LockInfo {
	return state.LockInfo{ID: rand.Text(), Operation: operation, Who: w.host.Who, Host: hostname(), PID: os.Getpid(),
		Created: w.host.Now().UTC(), Version: w.host.Version}
}

// held keeps a nil pointer from becoming a non-nil lock.
func held[L Locked](l L, err error) (Locked, error) {
	if err != nil {
		return nil, err
	}
	return l, nil
}

// ForceUnlock removes a lock that another machine left behind.
func (w *Workspace) ForceUnlock(ctx context.Context, id string) error {
	if !w.Shared() {
		return sqlite.ForceUnlock(w.StatePath(), id, hostname())
	}
	s, err := postgres.Open(ctx, w.database())
	if err != nil {
		return err
	}
	defer s.Close()
	return s.ForceUnlock(ctx, id)
}

func hostname() string {
	host, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return host
}

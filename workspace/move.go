package workspace

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/postgres"
	"github.com/handbill/handbill/state/sqlite"
)

// Target is where a state is moved to.
type Target struct {
	Name   string // for people, without a password
	url    string // of a database; "" for a file
	schema string
	path   string
}

// Target reads where a state is moved to: a connection string of PostgreSQL, the
// path of a file, or env:NAME for an environment variable that holds one of these.
// A password in the argument itself is refused, since other users of the machine see
// the arguments of commands.
func (w *Workspace) Target(to, schema string) (t Target, err error) {
	name, named := strings.CutPrefix(to, "env:")
	if named {
		if to, _ = w.host.Env(name); to == "" {
			return t, fmt.Errorf("the environment variable %s, which -to names, is not set", message.SafeText(name))
		}
	}
	database := strings.HasPrefix(to, "postgres://") || strings.HasPrefix(to, "postgresql://")
	switch {
	case !database && (strings.Contains(to, "://") || strings.Contains(to, "=")):
		return t, errors.New("-to is a path, or a url that begins with postgres://")
	case !database && schema != "":
		return t, errors.New("-schema is for a database, and -to names a file")
	case !database:
		return w.targetFile(to), nil
	case !named && lang.HoldsPassword(to):
		return t, errors.New("the url holds a password, which other users of this machine can see in its list of processes. Put the url into an environment variable and name that, -to=env:HANDBILL_STATE_URL, or give the password alone in PGPASSWORD or a .pgpass file")
	case schema != "" && !lang.SchemaName(schema):
		return t, errors.New("-schema is a name of up to 63 lowercase letters, digits and underscores that begins with a letter, and not with pg_")
	}
	t = Target{url: to, schema: schema}
	o := w.databaseAt(t)
	t.Name, err = o.Place()
	return t, err
}

func (w *Workspace) targetFile(to string) Target {
	t := Target{Name: filepath.Clean(to), path: filepath.Clean(to)}
	if !filepath.IsAbs(t.path) {
		t.path = filepath.Join(w.Dir, t.path)
	}
	t.path = sqlite.RealPath(t.path)
	return t
}

func (w *Workspace) databaseAt(t Target) postgres.Options {
	return postgres.Options{URL: t.url, Schema: t.schema, Clock: w.host.Now, Rand: w.host.Rand, Wish: w.wish, Patience: patience}
}

// Draft begins a state at a target, where there must be none. free gives up what was
// not published, and the lock of the place.
func (w *Workspace) Draft(ctx context.Context, t Target, operation string) (d state.Draft, free func() error, err error) {
	if t.url != "" {
		d, err := postgres.NewDraft(ctx, w.databaseAt(t), rand.Text())
		if err != nil {
			return nil, nil, err
		}
		return d, d.Close, nil
	}
	if sqlite.Exists(t.path) {
		return nil, nil, fmt.Errorf("there is something at %s already. Name another path, or remove it", message.SafeText(t.Name))
	}
	lock, err := sqlite.Lock(ctx, t.path, w.lockInfo(operation), 0)
	if err != nil {
		return nil, nil, err
	}
	o := w.options()
	o.Path = t.path
	file, err := sqlite.NewDraft(ctx, o, "")
	if err != nil {
		return nil, nil, errors.Join(err, lock.Unlock())
	}
	return file, func() error { return errors.Join(file.Close(), lock.Unlock()) }, nil
}

// BackupState writes a copy of a state in a database to a file: a state that sends
// nothing until somebody acknowledges it.
func (w *Workspace) BackupState(ctx context.Context, s state.Movable, path string) error {
	o := w.options()
	o.Path = path
	d, err := sqlite.NewDraft(ctx, o, "it is a backup of a state in a database, and does not know what was sent after it was made")
	if err != nil {
		return err
	}
	if _, err = state.Copy(ctx, s.Items(ctx), d); err == nil {
		err = d.Publish(ctx)
	}
	return errors.Join(err, d.Close())
}

// FollowMove uses the state that the directory's configuration names now, where the
// one of a saved plan was moved since. Whether it is the same state, the plan itself
// knows by the lineage. A state that cannot be read is left to whoever opens it.
func (w *Workspace) FollowMove(ctx context.Context, vars []lang.VarInput) {
	s, err := w.ReadState(ctx)
	if err != nil || s == nil {
		return
	}
	sealed := unsealed(ctx, s)
	if s.Close() != nil || sealed == nil {
		return
	}
	now, diags, err := Load(ctx, w.host, w.Dir, vars)
	if err != nil {
		return
	}
	if !diags.HasErrors() && len(now.Config.Files) > 0 {
		w.Config.Settings.State = now.Config.Settings.State
	}
	_ = now.Close() // only files were read
}

package workspace

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/plan/planfile"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/state"
)

// ErrNotShared is returned where something needs a state that machines share.
var ErrNotShared = errors.New(`the state is a file, which belongs to this machine alone, so no other process can carry a run on. Keep the state in a database with state "postgres" in the handbill block; see docs/shared-state.md`)

// keptConfig is the name under which the state keeps the configuration of the last
// run, so that workers know its sending numbers. It holds no secrets.
const keptConfig = "config"

// LoadState is Load for commands that need the state and no campaigns. In a
// directory without a configuration the state is that of HANDBILL_STATE_URL and
// HANDBILL_STATE_SCHEMA.
func LoadState(ctx context.Context, host *Host, dir string, vars []lang.VarInput) (*Workspace, hcl.Diagnostics, error) {
	url, _ := host.Env("HANDBILL_STATE_URL")
	if found, err := filepath.Glob(filepath.Join(dir, "*.hcl*")); err != nil || len(found) > 0 || url == "" {
		return Load(ctx, host, dir, vars)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, PathCause(err)
	}
	cfg := &lang.Config{}
	cfg.Settings.State = lang.StateSettings{Type: "postgres", URL: url}
	cfg.Settings.State.Schema, _ = host.Env("HANDBILL_STATE_SCHEMA")
	w := &Workspace{Dir: dir, Root: root, host: host}
	w.configure(cfg)
	return w, nil, nil
}

// OpenShared opens a state that machines share; ErrNotShared says that it is not one.
// It joins no webhooks, which it may not have the stop words for; see Drivable.
func (w *Workspace) OpenShared(ctx context.Context) (state.Shared, error) {
	if !w.Shared() {
		return nil, ErrNotShared
	}
	store, err := w.ReadState(ctx)
	if err != nil {
		return nil, err
	}
	return store.(state.Shared), nil // a database's always is
}

// Owner describes this process as one that drives lanes.
func (w *Workspace) Owner(kind string) state.Owner {
	return state.Owner{ID: rand.Text(), Kind: kind, Who: w.host.Who, Host: hostname(), PID: os.Getpid(), Version: w.host.Version}
}

// Carry returns what writes a plan with its configuration into the state, so that
// another process can carry it out. As in a saved plan, there are no secrets in it.
func (w *Workspace) Carry(p *plan.Plan) (func(io.Writer) error, error) {
	snapshot, err := planfile.SnapshotOf(w.Config)
	if err != nil {
		return nil, err
	}
	return func(to io.Writer) error { return planfile.Write(to, p, snapshot) }, nil
}

// OpenCarried reads the plan of an open run. It fails for a plan of another build
// than this one, which could make other messages of it.
func (w *Workspace) OpenCarried(ctx context.Context, store state.Shared, run int64) (*SavedPlan, error) {
	file, err := os.CreateTemp("", "handbill-run-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("making a temporary file for the plan: %w", PathCause(err))
	}
	_ = os.Remove(file.Name()) // where an open file cannot be removed, Close leaves it to the system
	saved := &SavedPlan{file: file}
	if err := store.Carried(ctx, run, file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err == nil {
		saved.Plan, saved.Config, err = planfile.Read(file, size)
	}
	if err != nil {
		return nil, errors.Join(PathCause(err), file.Close())
	}
	here, made := planfile.Maker{Version: w.host.Version, Build: w.host.Build()}, planfile.Maker{Version: saved.Plan.Version, Build: saved.Plan.Build}
	if here != made || here.Build == "" {
		return nil, errors.Join(fmt.Errorf("handbill %s began it and this is %s; start a worker of the one that began it", made, here), saved.Close())
	}
	return saved, nil
}

// LoadCarried reads the configuration that came with the plan of an open run.
func (w *Workspace) LoadCarried(ctx context.Context, saved *SavedPlan, vars []lang.VarInput) (*Workspace, error) {
	of, diags, err := LoadSaved(ctx, w.host, w.Dir, saved, vars)
	if err != nil {
		return nil, err
	}
	if diags.HasErrors() {
		of.Close()
		return nil, fmt.Errorf("the configuration of the run does not load: %w", firstError(diags))
	}
	return of, nil
}

// ConfigData returns the configuration as the state keeps it for workers.
func (w *Workspace) ConfigData() ([]byte, error) {
	snapshot, err := planfile.SnapshotOf(w.Config)
	if err != nil {
		return nil, err
	}
	return json.Marshal(snapshot)
}

// OfferConfig keeps the configuration in the state, for workers to look at.
func (w *Workspace) OfferConfig(ctx context.Context, store state.Shared) error {
	data, err := w.ConfigData()
	if err != nil {
		return err
	}
	return store.Put(ctx, keptConfig, data)
}

// ConfigDigest identifies a configuration in the form of ConfigData.
func ConfigDigest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Drivable is which sending numbers a process can drive under a configuration.
type Drivable struct {
	Config  string      // its digest
	Numbers []string    // in the order of their declaration
	Not     []NotDriven // the others
}

// NotDriven is a sending number that a process cannot drive, and why.
type NotDriven struct {
	Number string
	Err    error
}

// Drivable looks at the sending numbers of the configuration that the state keeps, or
// of the directory's own if it keeps none; nil if that is the known one, by its
// digest. It sends nothing. The configuration's stop words are used from then on.
func (w *Workspace) Drivable(ctx context.Context, store state.Shared, vars []lang.VarInput, known string) (*Drivable, error) {
	data, err := store.Get(ctx, keptConfig)
	if err != nil {
		return nil, err
	}
	of, kept := w, data != nil
	if !kept {
		if data, err = w.ConfigData(); err != nil {
			return nil, err
		}
	}
	d := &Drivable{Config: ConfigDigest(data)}
	if d.Config == known {
		return nil, nil
	}
	if kept {
		saved := &SavedPlan{Config: &planfile.ConfigSnapshot{}}
		if err := json.Unmarshal(data, saved.Config); err != nil {
			return nil, fmt.Errorf("%w: the configuration: %w", state.ErrDamaged, err)
		}
		if of, err = w.LoadCarried(ctx, saved, vars); err != nil {
			return nil, err
		}
		defer of.Close()
	}
	w.words.Store(reply.NewWords(of.Config.StopWords))
	for _, p := range of.Config.Providers {
		number, err := of.Sender(p.Address())
		if err != nil {
			d.Not = append(d.Not, NotDriven{p.Address(), err})
			continue
		}
		number.Close()
		d.Numbers = append(d.Numbers, p.Address())
	}
	return d, nil
}

// Number is a sending number that a process drives for others.
type Number struct {
	providers.Sender
	of providers.Provider
}

// Sender makes the sending number at an address of the configuration for a process
// that drives runs of others. A network that ends with its process is refused.
func (w *Workspace) Sender(address string) (*Number, error) {
	made, err := w.Provider(address)
	if err != nil {
		return nil, err
	}
	if o, ok := made.(interface{ Embedded() bool }); ok && o.Embedded() {
		CloseProvider(made)
		return nil, fmt.Errorf("%s: the sandbox inside of handbill ends with the process that sends; name one with url (\"handbill sandbox\")", address)
	}
	return &Number{providers.NewSender(made), made}, nil
}

// Close closes what the number keeps open.
func (n *Number) Close() { CloseProvider(n.of) }

// Package workspace opens what a command works on: the configuration of a directory
// with its variables, the state with its lock, the sending numbers, and saved
// plans. It knows no flags and prints nothing: problems are errors or diagnostics,
// which the command line words.
//
//	ws, diags, err := workspace.Load(ctx, host, dir, vars)
//	store, created, err := ws.OpenState(ctx)
//	lock, err := ws.Lock(ctx, "apply", 0)
//	number, err := ws.Provider("provider.cloud.main")
package workspace

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/audience"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/state"
)

// Host is what a workspace gets from the process: environment, clock, randomness.
type Host struct {
	Environ []string // as "NAME=value"
	Env     func(name string) (string, bool)
	Now     func() time.Time
	Rand    io.Reader // randomness for the identity of a new state, and the key of links
	// Version is handbill's version. Release is the version that required_version
	// compares, "" if the build has none. UserAgent is the User-Agent of requests.
	// Build identifies the build, to which saved plans are bound.
	Version, Release, UserAgent string
	// AllowHosts are "HOST:PORT" on this machine or in a private network that audiences
	// may be read from.
	AllowHosts []string
	Build      func() string
	// Who is the person at the command line, for the record.
	Who string
	// ModuleDirs are directories outside of a configuration's in which modules may lie.
	ModuleDirs []string
	// FreeSpace returns how many bytes can be written on the disk of path; nil asks
	// the file system.
	FreeSpace func(path string) (int64, error)
	// StateTime returns the time by the clock of a state that machines share; nil asks
	// the state.
	StateTime func(context.Context, state.Shared) (time.Time, error)
}

// Workspace is a directory with a configuration.
type Workspace struct {
	Dir    string
	Root   *os.Root // of Dir: nothing outside of it is reached through it
	Config *lang.Config

	// Undeclared lets the next Reload take import blocks whose template block is not
	// written yet.
	Undeclared bool

	host  *Host
	words atomic.Pointer[reply.Words] // by which people stop
}

// loadTime bounds loading, so that files from others cannot hang a pipeline. A
// configuration of thousands of products loads in a second.
const loadTime = 30 * time.Second

// Load reads the configuration of a directory. If the diagnostics contain errors,
// the workspace may only be inspected. The caller closes it.
func Load(ctx context.Context, host *Host, dir string, vars []lang.VarInput) (*Workspace, hcl.Diagnostics, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, PathCause(err)
	}
	w := &Workspace{Dir: dir, Root: root, host: host}
	return w, w.Reload(ctx, vars), nil
}

// Reload reads the configuration again, with other values of variables.
func (w *Workspace) Reload(ctx context.Context, vars []lang.VarInput) hcl.Diagnostics {
	ctx, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()
	opt := w.host.LangOptions(w.Dir, vars)
	opt.Undeclared = w.Undeclared
	cfg, diags := lang.Load(ctx, w.Dir, opt)
	w.configure(cfg)
	return diags
}

// LoadSaved reads the configuration that a saved plan contains, whatever the
// directory holds now. The plan does not contain values of sensitive variables;
// vars must provide them.
func LoadSaved(ctx context.Context, host *Host, dir string, saved *SavedPlan, vars []lang.VarInput) (*Workspace, hcl.Diagnostics, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, PathCause(err)
	}
	values, err := savedVariables(saved.Config.Variables)
	if err != nil {
		return nil, nil, errors.Join(err, root.Close())
	}
	ctx, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()
	cfg, diags := lang.LoadFiles(ctx, saved.Config.Files, root, host.LangOptions(dir, append(values, vars...)))
	w := &Workspace{Dir: dir, Root: root, host: host}
	w.configure(cfg)
	return w, diags, nil
}

func (w *Workspace) configure(cfg *lang.Config) {
	w.Config = cfg
	w.words.Store(reply.NewWords(cfg.StopWords))
}

// LangOptions returns the options for loading a configuration in dir.
func (h *Host) LangOptions(dir string, vars []lang.VarInput) lang.Options {
	vars = slices.Clone(vars)
	for i := range vars {
		if vars[i].File != "" {
			vars[i].Path = Path(dir, vars[i].File)
		}
	}
	return lang.Options{
		Vars: vars, ModuleDirs: h.ModuleDirs, Environ: h.Environ, Env: h.Env, Schemas: Schemas(), Version: h.Release,
		Limits: Limits, Phone: audience.NewNumbers().Parse, StopWords: reply.CheckWords,
	}
}

// Now is the time by the host's clock.
func (w *Workspace) Now() time.Time { return w.host.Now() }

// StateTime is the time by the clock of a state that machines share.
func (w *Workspace) StateTime(ctx context.Context, s state.Shared) (time.Time, error) {
	if w.host.StateTime != nil {
		return w.host.StateTime(ctx, s)
	}
	return s.Now(ctx)
}

// Rand is the source of randomness for keys.
func (w *Workspace) Rand() io.Reader { return w.host.Rand }

// Who is the person at the command line, for the record.
func (w *Workspace) Who() string { return w.host.Who }

// Close closes the directory.
func (w *Workspace) Close() error { return w.Root.Close() }

// Path resolves a path that a person wrote, relative to dir.
func Path(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// PathCause returns the cause of a file system error without the path, which the
// caller names in the form that people see.
func PathCause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/pflag"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/postgres"
	"github.com/handbill/handbill/state/sqlite"
	"github.com/handbill/handbill/workspace"
)

// inputFlags are the flags of commands that load a configuration.
type inputFlags struct {
	vars    []lang.VarInput
	modules []string
	allow   []string
	input   bool
}

func (f *inputFlags) bind(flags *pflag.FlagSet) {
	f.bindVars(flags)
	flags.BoolVar(&f.input, "input", true, "ask for variables that have no value")
}

// bindVars binds the flags of commands that ask for nothing.
func (f *inputFlags) bindVars(flags *pflag.FlagSet) {
	flags.Var(varFlag{&f.vars, false}, "var", "set a variable: name=value; may be repeated")
	flags.Var(varFlag{&f.vars, true}, "var-file", "read variables from this file; may be repeated")
	flags.StringArrayVar(&f.modules, "module-dir", nil, "a directory outside of this one in which modules may lie; may be repeated")
}

// bindHosts binds the flag of commands that read audiences.
func (f *inputFlags) bindHosts(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.allow, "allow-host", nil, "HOST:PORT on this machine or in a private network that audiences may be read from; may be repeated")
}

// varFlag keeps -var and -var-file in the order of the command line, since later
// values win.
type varFlag struct {
	to   *[]lang.VarInput
	file bool
}

func (v varFlag) String() string { return "" }
func (v varFlag) Type() string {
	if v.file {
		return "file"
	}
	return "name=value"
}

func (v varFlag) Set(s string) error {
	if v.file {
		*v.to = append(*v.to, lang.VarInput{File: s})
		return nil
	}
	name, raw, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return errors.New("expected name=value")
	}
	*v.to = append(*v.to, lang.VarInput{Name: strings.TrimSpace(name), Raw: raw})
	return nil
}

// project is a workspace with the diagnostics of its configuration.
type project struct {
	*workspace.Workspace
	diags []view.Diagnostic
	vars  []lang.VarInput // with those that a person was asked for
}

// reload reads the configuration again.
func (p *project) reload(ctx context.Context) {
	p.diags = view.FromHCL(p.Reload(ctx, p.vars), p.Config.Files)
}

// hostOf is host with the directories of modules.
func (a *app) hostOf(f *inputFlags) *workspace.Host {
	h := a.host()
	for _, dir := range f.modules {
		h.ModuleDirs = append(h.ModuleDirs, a.path(dir))
	}
	h.AllowHosts = f.allow
	return h
}

// host is what this process provides to workspaces.
func (a *app) host() *workspace.Host {
	b := &a.sys.Build
	return &workspace.Host{Environ: a.sys.Environ, Env: a.sys.Env, Now: a.sys.Now, Rand: a.sys.Rand, Who: a.who(), FreeSpace: a.sys.FreeSpace, StateTime: a.sys.StateTime,
		Version: b.Version, Release: b.Release(), UserAgent: b.userAgent(), Build: b.ID}
}

// load reads the configuration of the current directory. When it has errors
// they are shown, and the error ends the command.
func (a *app) load(ctx context.Context, f *inputFlags) (*project, error) {
	p, err := a.tryLoad(ctx, f)
	if err != nil {
		return nil, err
	}
	if view.Errors(p.diags) {
		a.diagnose(p.diags)
		p.Close()
		return nil, exit(exitError)
	}
	return p, nil
}

// tryLoad reads the configuration and returns its diagnostics without showing them.
func (a *app) tryLoad(ctx context.Context, f *inputFlags) (*project, error) {
	dir := a.dir()
	ws, diags, err := workspace.Load(ctx, a.hostOf(f), dir, f.vars)
	if err != nil {
		return nil, a.fail("Unreadable directory", fmt.Errorf("opening %s: %w", a.display(dir), err))
	}
	vars := slices.Clone(f.vars)
	if missing := ws.Config.Missing(); len(missing) > 0 && f.input && a.sys.StdinTerminal {
		asked, err := a.ask(ws.Config, missing)
		if err != nil {
			ws.Close()
			return nil, a.fail("No value for variable", err)
		}
		vars = append(vars, asked...)
		diags = ws.Reload(ctx, vars)
	}
	p := &project{Workspace: ws, diags: view.FromHCL(diags, ws.Config.Files), vars: vars}
	if len(ws.Config.Files) == 0 && !view.Errors(p.diags) {
		ws.Close()
		return nil, a.fail("No configuration", fmt.Errorf("%s holds no *.hcl file. Run \"handbill init\" in an empty directory for a campaign to start from", a.display(dir)))
	}
	return p, nil
}

// ask reads missing variables from the terminal.
func (a *app) ask(cfg *lang.Config, names []string) ([]lang.VarInput, error) {
	prompt := a.prompt()
	var out []lang.VarInput
	for _, name := range names {
		question := "var." + name + "\n"
		for _, v := range cfg.Variables {
			if v.Name == name && v.Description != "" {
				question += "  " + message.SafeText(v.Description) + "\n"
			}
		}
		answer, ok, err := prompt.ask(question)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("nothing was entered for var.%s", name)
		}
		out = append(out, lang.VarInput{Name: name, Raw: answer})
	}
	return out, nil
}

// lockFlags are the flags of commands that take the state's lock.
type lockFlags struct {
	lock    bool
	timeout time.Duration
}

func (f *lockFlags) bind(flags *pflag.FlagSet) {
	flags.BoolVar(&f.lock, "lock", true, "take the state's lock; use false only when nobody else can be sending")
	flags.DurationVar(&f.timeout, "lock-timeout", 0, "wait this long for the lock")
}

// lockOptions converts the flags for operations.
func (a *app) lockOptions(f *lockFlags) operation.Lock {
	return operation.Lock{Off: !f.lock, Wait: f.timeout, Waiting: func() {
		a.notice("Acquiring the state's lock. This may take a few moments...")
	}}
}

// failState shows an error of the state with the code that belongs to it.
func (a *app) failState(err error, detailed bool) error {
	var said exit
	var refused *operation.Error
	var held *state.LockedError
	var halt *state.HaltError
	var clock *state.ClockError
	var open *state.OpenRunError
	switch {
	case errors.As(err, &said):
		return said
	case errors.As(err, &open):
		err := a.fail("Run is open", open)
		if detailed {
			return exit(exitLocked)
		}
		return err
	case errors.Is(err, workspace.ErrNotShared):
		return a.fail("State not shared", workspace.ErrNotShared)
	case errors.As(err, &refused):
		return a.fail(refused.Summary, refused.Err)
	case errors.As(err, &halt):
		a.diagnose([]view.Diagnostic{haltDiagnostic(halt)})
		return exit(exitError)
	case errors.As(err, &clock):
		return a.failCode(state.CodeClockBehind, clock)
	case errors.As(err, &held):
		a.showLocked(held)
		if detailed {
			return exit(exitLocked)
		}
		return exit(exitError)
	case errors.Is(err, fs.ErrPermission):
		return a.fail("State not writable", workspace.PathCause(err))
	}
	if errors.Is(err, postgres.ErrNone) {
		return a.fail("No state", err)
	}
	for _, known := range stateCodes {
		if errors.Is(err, known.err) {
			return a.failCode(known.code, err)
		}
	}
	return a.fail("State not usable", err)
}

// stateCodes are the errors of a state that have a code to explain.
var stateCodes = []struct {
	err  error
	code string
}{
	{sqlite.ErrJournal, state.CodeJournal}, {sqlite.ErrMoved, state.CodeMoved}, {sqlite.ErrNames, state.CodeNames}, {state.ErrGone, state.CodeGone},
}

// showLocked says who holds the lock, in Terraform's form.
func (a *app) showLocked(held *state.LockedError) {
	i := held.Info
	detail := "Another process holds the state's lock, so nothing was planned or sent.\n\n"
	if i.ID != "" {
		detail += fmt.Sprintf("Lock Info:\n  ID:        %s\n  Path:      %s\n  Operation: %s\n  Who:       %s@%s (pid %d)\n  Version:   %s\n  Created:   %s\n\n",
			i.ID, a.display(held.Path), i.Operation, i.Who, i.Host, i.PID, i.Version, i.Created.UTC().Format(time.RFC3339))
	}
	detail += "handbill locks the state so that two runs never send at the same time. Wait for the other run, or use -lock-timeout=5m. The lock is released when that process ends, however it ends."
	a.diagnose([]view.Diagnostic{{Severity: "error", Summary: "State locked", Detail: detail}})
}

// hclDiags shows diagnostics and reports whether one is an error.
func (a *app) hclDiags(diags hcl.Diagnostics, files map[string][]byte) bool {
	list := view.FromHCL(diags, files)
	a.diagnose(list)
	return view.Errors(list)
}

package workspace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/plan/planfile"
	"github.com/handbill/handbill/state"
)

// PlanOptions are the choices for one plan.
type PlanOptions struct {
	plan.Options
	At          time.Time // the moment that the plan is for; zero for now
	Prices      string    // path of a price file, or of Meta's rates with, after a comma, that of their volume tiers; "" for none
	Parallelism int
	Progress    func(plan.Progress)
	// Unread asks no account about templates, catalogs and numbers, for plans that are not sent.
	Unread bool
	// Unrefreshed asks no account either, and plans with what the state keeps of its
	// templates.
	Unrefreshed bool
	// Advice returns a provider's advice about a halt; nil leaves it out.
	Advice func(string) string
}

// Inputs returns what planning needs from the table of providers.
func Inputs() plan.Inputs {
	return plan.Inputs{Supports: Supports(), Limits: Limits, Throughput: Throughput}
}

// Plan plans the configuration on a state; nil stands for an empty one. If the
// diagnostics contain errors, the plan shows what it would have been. The caller
// closes the plan.
func (w *Workspace) Plan(ctx context.Context, store state.Store, opt PlanOptions) (*plan.Plan, hcl.Diagnostics, error) {
	in := Inputs()
	in.Version, in.Build = w.host.Version, w.host.Build()
	in.At, in.Root, in.Parallelism, in.Options, in.Progress = opt.At, w.Root, opt.Parallelism, opt.Options, opt.Progress
	in.Web = w.host.Web()
	in.Spool = planfile.NewSpool("")
	if in.At.IsZero() {
		in.At = w.host.Now()
	}
	in.At = in.At.UTC()
	in.Outdated = Outdated(in.At)
	closed, err := w.openPrices(opt.Prices, &in.Options)
	defer closed()
	if err != nil {
		return nil, nil, err
	}
	var snap state.Snapshot
	if store != nil {
		if snap, err = store.Snapshot(ctx); err != nil {
			return nil, nil, err
		}
		defer snap.Close()
		if err := past(ctx, snap, &in, opt.Advice); err != nil {
			return nil, nil, err
		}
	}
	switch in.Templates.Unread = opt.Unread; {
	case opt.Unread:
	case opt.Unrefreshed:
		var told []state.ToldTemplate
		if store != nil {
			var err error
			if told, err = state.ToldTemplates(ctx, store); err != nil {
				return nil, nil, err
			}
		}
		in.Templates = w.remembered(in.Managed, told)
		in.Catalogs = w.catalogs(snap)
		in.Catalogs.Unrefreshed = true
		in.Singletons = w.Singletons()
		in.Singletons.Unrefreshed = true
	default:
		in.Templates = w.templates(ctx, in.Managed)
		in.Catalogs = w.catalogs(snap)
		in.Singletons = w.Singletons()
	}
	if in.Messaging, err = w.messagingLimits(ctx, snap); err != nil {
		return nil, nil, err
	}
	built, diags := plan.Build(ctx, w.Config, in)
	return built, diags, nil
}

// openPrices opens the files that -prices names. The caller closes them, also after an
// error.
func (w *Workspace) openPrices(names string, into *plan.Options) (closed func(), err error) {
	var files []io.Closer
	closed = func() {
		for _, f := range files {
			_ = f.Close() // it was read
		}
	}
	if names == "" {
		return closed, nil
	}
	to := []*io.Reader{&into.Prices, &into.Tiers}
	for i, name := range strings.Split(names, ",") {
		if i == len(to) {
			return closed, &PricesError{name, errors.New("it is a third file; rates and volume tiers are two")}
		}
		if name == "" {
			return closed, &PricesError{names, errors.New("a comma stands between two files, and there is one")}
		}
		file, err := os.Open(Path(w.Dir, name))
		if err != nil {
			return closed, &PricesError{name, PathCause(err)}
		}
		files = append(files, file)
		if about, err := file.Stat(); err == nil && about.IsDir() {
			return closed, &PricesError{name, errors.New("it is a directory")}
		}
		*to[i] = file
	}
	return closed, nil
}

// PricesError says that the price file cannot be read.
type PricesError struct {
	File string
	Err  error
}

// Error names the file.
func (e *PricesError) Error() string {
	return fmt.Sprintf("reading the prices in %s: %v", e.File, e.Err)
}

// Unwrap is the cause.
func (e *PricesError) Unwrap() error { return e.Err }

// past copies what the state knows into the inputs of a plan.
func past(ctx context.Context, snap state.Snapshot, in *plan.Inputs, advice func(string) string) error {
	in.State = snap
	outputs, err := Outputs(ctx, snap)
	if err != nil {
		return err
	}
	in.Outputs = outputs.Values()
	if in.Halts, err = snap.Halts(ctx); err != nil {
		return err
	}
	if in.Managed, err = snap.Managed(ctx); err != nil {
		return err
	}
	for i := range in.Halts {
		if advice != nil {
			in.Halts[i].Advice = advice(in.Halts[i].Advice)
		}
	}
	return nil
}

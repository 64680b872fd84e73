package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/plan/planfile"
	"github.com/handbill/handbill/state"
)

// planFlags are the choices that plan and apply share.
type planFlags struct {
	in     inputFlags
	lock   lockFlags
	target []string
	except []string
	again  []string
	resume []string
	retry  string
	at     string
	expect string
	prices string

	parallelism    int
	json           bool
	format         string
	showRecipients bool
	deliveries     bool
}

func (f *planFlags) bind(flags *pflag.FlagSet) {
	f.in.bind(flags)
	f.lock.bind(flags)
	flags.StringArrayVar(&f.target, "target", nil, "only this resource and what it needs; may be repeated")
	flags.StringArrayVar(&f.except, "exclude", nil, "everything but this resource; may be repeated")
	flags.StringArrayVar(&f.again, "replace", nil, `send again: campaign.spring, or campaign.spring["+49…"]; may be repeated`)
	flags.StringVar(&f.retry, "retry", "", `plan refused recipients again: "failed", or one code of the provider`)
	flags.StringVar(&f.expect, "expect", "", "refuse when the plan's digest is another than this (sha256:…)")
	flags.StringVar(&f.prices, "prices", "", "estimate the cost with this price file (CSV: prefix, category, price, currency)")
	flags.BoolVar(&f.json, "json", false, "one JSON object a line")
	flags.BoolVar(&f.showRecipients, "show-recipients", false, "show numbers and names as they are")
	flags.BoolVar(&f.deliveries, "deliveries", false, "list every recipient and not only counts")
}

// planOptions are the flags of plan alone.
type planOptions struct {
	planFlags
	out      string
	encrypt  []string
	detailed bool
}

func (a *app) planCommand() *cobra.Command {
	var opt planOptions
	cmd := &cobra.Command{
		Use: "plan [flags]", Short: "show what apply would send", Args: cobra.NoArgs,
		Long: `Reads the contacts, renders and checks every message for every recipient,
compares with the state, and shows what apply would do. Nothing is sent.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.plan(cmd.Context(), &opt) },
	}
	opt.bind(cmd.Flags())
	cmd.Flags().StringVar(&opt.at, "at", "", "plan for this moment (RFC 3339) instead of now")
	cmd.Flags().StringVar(&opt.out, "out", "", "save the plan to this file, for apply")
	cmd.Flags().StringArrayVar(&opt.encrypt, "encrypt", nil, encryptHelp)
	cmd.Flags().StringVar(&opt.format, "format", "text", "text, json, markdown or html")
	cmd.Flags().BoolVar(&opt.detailed, "detailed-exitcode", false, "exit 0 when there is nothing to do, 2 when there is, 1 on errors")
	return cmd
}

func (a *app) plan(ctx context.Context, opt *planOptions) error {
	readers, err := recipientsOf(opt.encrypt)
	if err == nil && len(readers) > 0 && opt.out == "" {
		err = errors.New("-encrypt needs -out=FILE: it is the saved plan that is encrypted")
	}
	if err != nil {
		return a.fail("Invalid option", err)
	}
	p, err := a.tryLoad(ctx, &opt.in)
	if err != nil {
		return err
	}
	defer p.close()
	if view.Errors(p.diags) {
		return a.unplannable(p, &opt.planFlags)
	}
	store, err := a.planState(ctx, p, opt.out != "")
	if err != nil {
		return a.failState(err, false)
	}
	if store != nil {
		defer store.Close()
	}
	report, err := a.build(ctx, p, store, &opt.planFlags)
	if err != nil {
		return err
	}
	defer report.Plan.Close()
	if err := a.expect(report, opt.expect, false); err != nil {
		return err
	}
	if opt.out != "" && !report.Failed {
		if err := a.savePlan(p, report, opt.out, readers); err != nil {
			return a.fail("Plan not saved", err)
		}
	}
	if err := a.showPlan(report, &opt.planFlags); err != nil {
		return err
	}
	switch {
	case report.Failed:
		return exit(exitError)
	case opt.detailed && report.Changes():
		return exit(exitChanges)
	}
	return nil
}

// unplannable reports a configuration with errors in the format asked for, so
// that a pipeline's comment says what is wrong.
func (a *app) unplannable(p *project, f *planFlags) error {
	if f.json || f.format != "text" {
		none := func() iter.Seq2[plan.Entry, error] { return func(func(plan.Entry, error) bool) {} }
		report := &view.PlanReport{Plan: &plan.Plan{Version: a.sys.Build.Version, Build: a.sys.Build.ID(), At: a.sys.Now().UTC(), Entries: none}, Diagnostics: p.diags, Failed: true}
		if err := a.showPlan(report, f); err != nil {
			return err
		}
		return exit(exitError)
	}
	view.Diagnostics(a.sys.Stderr, a.style(), p.diags)
	return exit(exitError)
}

// planState opens the state for planning. A plan that is saved is bound to the
// state's lineage, so the state is made when there is none; a plan that is only
// shown works without, also in a directory that can't be written.
func (a *app) planState(ctx context.Context, p *project, bind bool) (state.Store, error) {
	if bind {
		s, _, err := a.openState(ctx, p)
		return s, err
	}
	s, err := a.readState(ctx, p)
	if err != nil || s == nil {
		return nil, err // not s: a nil pointer would be a store that is there
	}
	waits, err := s.InboxWaits(ctx)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if !waits {
		return s, nil
	}
	// People may have asked to stop in what waits: it is joined first.
	if err := s.Close(); err != nil {
		return nil, err
	}
	s, _, err = a.openState(ctx, p)
	return s, err
}

// build makes the plan and its report. Errors of the plan itself are in the
// report, since a reader wants to see what the plan would have been.
func (a *app) build(ctx context.Context, p *project, store state.Store, f *planFlags) (*view.PlanReport, error) {
	in, err := a.planInputs(p, f)
	if err != nil {
		return nil, a.fail("Invalid option", err)
	}
	defer in.close()
	if store != nil {
		snap, err := store.Snapshot(ctx)
		if err != nil {
			return nil, a.failState(err, false)
		}
		defer snap.Close()
		in.State = snap
		if in.Outputs, err = lastOutputs(ctx, snap); err != nil {
			return nil, a.failState(err, false)
		}
		if in.Halts, err = snap.Halts(ctx); err != nil {
			return nil, a.failState(err, false)
		}
		worded(in.Halts)
	}
	bar := a.progress()
	in.Progress = bar.plan
	started := a.sys.Now()
	built, diags := plan.Build(ctx, p.config, in.Inputs)
	bar.done()
	a.log.Info("planned", "digest", built.Digest, "messages", built.Sends(), "took", a.sys.Now().Sub(started))
	report := &view.PlanReport{Plan: built, Deliveries: f.deliveries, Hints: !a.automation()}
	report.Diagnostics = append(p.diags, view.FromHCL(diags, p.config.Files)...)
	report.Failed = view.Errors(report.Diagnostics)
	return report, nil
}

// planInputs are the inputs of plan.Build that the flags decide.
type planInputs struct {
	plan.Inputs
	prices *os.File
}

func (in *planInputs) close() {
	if in.prices != nil {
		in.prices.Close()
	}
}

func (a *app) planInputs(p *project, f *planFlags) (*planInputs, error) {
	at := a.sys.Now()
	if f.at != "" {
		t, err := time.Parse(time.RFC3339, f.at)
		if err != nil {
			return nil, fmt.Errorf("-at=%s is not a time such as 2026-03-01T09:00:00+01:00", message.SafeText(f.at))
		}
		at = t
	}
	in := &planInputs{Inputs: plan.Inputs{
		At: at.UTC(), Version: a.sys.Build.Version, Build: a.sys.Build.ID(), Root: p.root, Parallelism: f.parallelism,
		Limits:       func(t string) message.Limits { return providerLimits(t) },
		Capabilities: providerSupport, Outdated: outdated(at),
		Throughput: func(pr *lang.Provider) float64 { return providerThroughput(pr) },
		Spool:      planfile.NewSpool(""),
		Options:    plan.Options{Target: f.target, Exclude: f.except, Replace: f.again, Retry: f.retry, Resume: f.resume},
	}}
	if f.prices != "" {
		file, err := os.Open(a.path(f.prices))
		if err != nil {
			return nil, fmt.Errorf("reading the prices in %s: %w", f.prices, plainPathError(err))
		}
		in.prices, in.Options.Prices = file, file
	}
	return in, nil
}

// path is a file named on the command line, relative to where handbill runs.
func (a *app) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(a.dir(), name)
}

// expect refuses a plan whose digest is not the one that was approved.
func (a *app) expect(r *view.PlanReport, want string, detailed bool) error {
	if want == "" || r.Failed || r.Plan.Digest == want {
		return nil
	}
	err := a.fail("Plan differs", fmt.Errorf("the plan's digest is %s, and %s was expected: files, contacts or the state have changed since it was approved. Nothing was sent. Review the new plan with \"handbill plan\"", r.Plan.Digest, message.SafeText(want)))
	if detailed {
		return exit(exitStale)
	}
	return err
}

// savePlan writes the plan file beside and renames it.
func (a *app) savePlan(p *project, r *view.PlanReport, name string, readers []age.Recipient) error {
	path := a.path(name)
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("%s: %w", name, plainPathError(err))
	}
	defer os.Remove(tmp.Name())
	snapshot, err := planfile.SnapshotOf(p.config)
	if err == nil {
		err = writePlan(tmp, r.Plan, snapshot, readers)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return fmt.Errorf("%s: %w", name, plainPathError(err))
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("%s: %w", name, plainPathError(err))
	}
	r.SavedAs = name
	r.ApplyCommand = a.applyCommandFor(name)
	if len(readers) > 0 {
		r.ApplyCommand += " -identity=FILE"
	}
	return nil
}

// applyCommandFor is what carries out the plan in a file.
func (a *app) applyCommandFor(name string) string {
	if a.chdir != "" {
		return "handbill -chdir=" + shellQuote(a.chdir) + " apply " + shellQuote(name)
	}
	return "handbill apply " + shellQuote(name)
}

func shellQuote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("./-_=:", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// showPlan renders the plan in the format asked for.
func (a *app) showPlan(r *view.PlanReport, f *planFlags) error {
	s := a.style()
	s.ShowRecipients = f.showRecipients
	format := f.format
	if f.json {
		format = "stream"
	}
	var render func(io.Writer, view.Style) error
	switch format {
	case "text", "":
		if err := r.Text(a.sys.Stdout, s); err != nil {
			return err
		}
		view.Diagnostics(a.sys.Stderr, s, r.Diagnostics)
		return nil
	case "stream":
		render = func(w io.Writer, s view.Style) error { return r.Stream(w, s, a.sys.Now, a.sys.Build.Version) }
	case "json":
		render = r.JSON
	case "markdown":
		render = r.Markdown
	case "html":
		render = r.HTML
	default:
		return a.fail("Invalid option", fmt.Errorf("-format=%s is not one of text, json, markdown, html", message.SafeText(format)))
	}
	if err := render(a.sys.Stdout, s); err != nil {
		return err
	}
	if format != "stream" {
		view.Diagnostics(a.sys.Stderr, s, r.Diagnostics)
	}
	return nil
}

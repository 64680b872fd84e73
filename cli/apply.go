package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/internal/fp"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/plan/planfile"
	"github.com/handbill/handbill/state"
	"github.com/handbill/handbill/state/sqlite"
	"github.com/handbill/handbill/workspace"
)

// applyOptions are the flags of apply.
type applyOptions struct {
	planFlags
	approve  bool
	detailed bool
	detach   bool
	wait     bool // with detach: for a worker that starts later
	watch    time.Duration
	file     string // PLANFILE
	identity string // file with the key of an encrypted one

	metricsFile string
	metrics     *applyMetrics // nil for none
}

func (a *app) applyCommand() *cobra.Command {
	var opt applyOptions
	cmd := &cobra.Command{
		Use: "apply [flags] [PLANFILE]", Short: "send what is planned", Args: cobra.MaximumNArgs(1),
		Long: `Plans, shows the plan, asks, and sends exactly that. With a PLANFILE that
"handbill plan -out" saved, applies that plan without asking.

The first interrupt stops cleanly: apply sends nothing new, waits for what is in
flight, and records it. A second interrupt ends at once and leaves what was in
flight in doubt. Run apply again to continue where it stopped.

A campaign stays halted, also for later applies, when its canary failed, when
stop_if stopped it, or when its account or the provider's answers need a person.
-resume=campaign.NAME lifts the halt.

With -watch=15m it plans and applies again and again, until an interrupt: for follow-ups
and local times, each at its time. Each round is a run of its own, in which every guard
holds; one that fails sends nothing and is followed by the next. Nobody is asked, so it
needs -auto-approve; -expect-config=sha256:… binds it to the configuration that was
reviewed.

With a state that machines share (state "postgres"), workers carry the run on when
this process dies. With -detach they send all of it, and apply ends as soon as the
run has begun.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				opt.file = args[0]
			}
			once := func() error {
				return a.measured(opt.metricsFile, func(m *applyMetrics) error {
					opt.metrics = m
					return a.apply(cmd.Context(), &opt)
				})
			}
			if cmd.Flags().Changed("watch") {
				if err := a.checkWatch(&opt); err != nil {
					return err
				}
				return a.rounds(cmd.Context(), opt.watch, once)
			}
			return once()
		},
	}
	opt.bind(cmd.Flags())
	cmd.Flags().BoolVar(&opt.approve, "auto-approve", false, "do not ask; declared guards still hold")
	cmd.Flags().DurationVar(&opt.watch, "watch", 0, "plan and apply again this long after each beginning, until an interrupt")
	cmd.Flags().IntVar(&opt.parallelism, "parallelism", 0, "most sends in flight per number; 0 adapts to the provider's latency")
	cmd.Flags().StringArrayVar(&opt.resume, "resume", nil, "lift the halt of this campaign (campaign.spring) and go on with it; may be repeated")
	cmd.Flags().StringVar(&opt.identity, "identity", "", identityHelp)
	cmd.Flags().StringVar(&opt.metricsFile, "metrics-file", "", "write what this apply did to this file, for the textfile collector of Prometheus's node_exporter")
	cmd.Flags().BoolVar(&opt.detach, "detach", false, "begin the run and leave it to workers (\"handbill worker\"); needs a state that machines share")
	cmd.Flags().BoolVar(&opt.wait, "wait-for-workers", false, "with -detach: also where no worker is there that has a number's credentials")
	cmd.Flags().BoolVar(&opt.detailed, "detailed-exitcode", false, "exit 3 when some failed, 4 some are in doubt, 5 a guard refused, 6 the plan is stale, 7 locked, 8 declined, 9 a template is not approved yet")
	return cmd
}

// shortestWatch bounds how often -watch plans.
const shortestWatch = time.Second

// checkWatch refuses options that -watch would repeat although they were meant once, and
// those that can only hold for one round.
func (a *app) checkWatch(opt *applyOptions) error {
	if opt.watch < shortestWatch {
		return a.fail("Invalid option", fmt.Errorf("-watch is a length of time of at least %s, such as 15m", shortestWatch))
	}
	for _, once := range []struct {
		given bool
		name  string
		why   string
	}{
		{opt.file != "", "a saved plan", "what it says is done once"},
		{opt.detach, "-detach", "a run that was left to workers would still be open in the next round"},
		{len(opt.again) > 0, "-replace", "each round would send again"},
		{opt.retry != "", "-retry", "each round would send again to who refuses"},
		{len(opt.resume) > 0, "-resume", "a halt is lifted by a person who has looked, once"},
		{opt.expect != "", "-expect", "each round has other recipients; -expect-config binds it to the configuration"},
		{opt.forceDelete, "-force-delete-templates", "each round would delete"},
	} {
		if once.given {
			return a.fail("Invalid option", fmt.Errorf("-watch does not go with %s: %s", once.name, once.why))
		}
	}
	if !opt.approve {
		return a.fail("Approval needed", errors.New("nobody is asked between the rounds of -watch. Approve them with -auto-approve, and bind them to what was reviewed with -expect-config=sha256:…, which \"handbill plan\" prints"))
	}
	return nil
}

// applyProject returns the configuration that apply works on: that of the
// directory, or with a saved plan the one inside the plan, whatever the directory
// holds now.
func (a *app) applyProject(ctx context.Context, opt *applyOptions) (*project, *view.PlanReport, error) {
	if opt.file == "" {
		p, err := a.load(ctx, &opt.in)
		return p, nil, err
	}
	if err := a.checkSaved(&opt.planFlags); err != nil {
		return nil, nil, err
	}
	saved, err := a.openPlan(opt.file, opt.identity)
	if err != nil {
		return nil, nil, err
	}
	p, err := a.savedProject(ctx, saved, &opt.in)
	if err != nil {
		saved.Close()
		return nil, nil, err
	}
	return p, &view.PlanReport{Plan: saved.Plan, Hints: !a.automation()}, nil
}

func (a *app) apply(ctx context.Context, opt *applyOptions) error {
	p, saved, err := a.applyProject(ctx, opt)
	if err != nil {
		return err
	}
	defer p.Close()
	if err := a.expectConfig(p.Config, opt.config, opt.detailed); err != nil {
		return err
	}
	if opt.wait && !opt.detach {
		return a.fail("Invalid option", errors.New("-wait-for-workers goes with -detach"))
	}
	run, err := operation.BeginApply(ctx, p.Workspace, a.lockOptions(&opt.lock), opt.detach)
	if err != nil {
		return a.failState(err, opt.detailed)
	}
	defer run.Close()
	if run.Recovered > 0 {
		a.notice("An earlier run was interrupted: %s may or may not have been sent.\nThey are in doubt and are not sent again automatically; see \"handbill status\".\n", view.Plural(run.Recovered, "message"))
	}
	report, err := a.planApart(ctx, p, run, saved, opt)
	if err != nil {
		return err
	}
	defer report.Plan.Close()
	if err := run.Resumable(ctx, report.Plan, opt.resume); err != nil {
		return a.failState(err, opt.detailed)
	}
	if err := a.approved(ctx, run, report, opt); err != nil {
		return err
	}
	if !report.Changes() || opt.watch > 0 && report.Plan.Idle() {
		return nil
	}
	if err := a.sameTemplates(ctx, run, report.Plan, opt.detailed); err != nil {
		return err
	}
	return a.runPlan(ctx, opt, p, run, report)
}

// planApart makes the plan, unless there is a saved one, and refuses it while another
// process drives a run with a number or a campaign of it. For as long as
// -lock-timeout says it waits for that run, and plans again what that did not send.
func (a *app) planApart(ctx context.Context, p *project, run *operation.Apply, saved *view.PlanReport, opt *applyOptions) (*view.PlanReport, error) {
	for wait := opt.lock.timeout; ; {
		report, err := saved, error(nil)
		if report == nil {
			if report, err = a.build(ctx, p, run.Store, &opt.planFlags); err != nil {
				return nil, err
			}
		}
		waited, err := run.Apart(ctx, report.Plan, wait)
		if err == nil && (waited == 0 || saved != nil) {
			return report, nil
		}
		report.Plan.Close()
		if err != nil {
			return nil, a.failState(err, opt.detailed)
		}
		wait -= waited
	}
}

// approved shows the plan, checks that it may be applied, and asks.
func (a *app) approved(ctx context.Context, run *operation.Apply, report *view.PlanReport, opt *applyOptions) error {
	if opt.file != "" {
		err := run.Fresh(ctx, report.Plan, planfile.Maker{Version: a.sys.Build.Version, Build: a.sys.Build.ID()})
		var stale *operation.Error
		if errors.As(err, &stale) && opt.detailed {
			_ = a.fail(stale.Summary, stale.Err) // the exit code shows which error it was
			return exit(exitStale)
		}
		if err != nil {
			return a.failState(err, opt.detailed)
		}
	} else {
		report.Hints = false // what to type next is clear: the answer
		show := a.showPlan
		if opt.watch > 0 {
			show = a.showRound
		}
		if err := show(report, &opt.planFlags); err != nil {
			return err
		}
		report.Hints = !a.automation()
	}
	if report.Failed {
		if opt.detailed {
			return exit(exitGuard)
		}
		return exit(exitError)
	}
	if err := a.expect(report, opt.expect, opt.detailed); err != nil {
		return err
	}
	if opt.file != "" || opt.approve || !report.Changes() {
		return nil
	}
	return a.confirm(report, opt)
}

// sameTemplates refuses a plan if its templates have changed since it was made.
func (a *app) sameTemplates(ctx context.Context, run *operation.Apply, p *plan.Plan, detailed bool) error {
	err := run.SameTemplates(ctx, p)
	if err == nil {
		return nil
	}
	told := a.failState(err, detailed)
	var changed *plan.ChangedError
	if detailed && errors.As(err, &changed) {
		return exit(exitStale)
	}
	return told
}

// confirm asks for the number of messages, so that nobody approves a plan without
// having read how many it sends.
func (a *app) confirm(r *view.PlanReport, opt *applyOptions) error {
	want, question := "yes", "Do you want to record these changes? Nothing is sent."
	if n := r.SingletonWrites(); n > 0 {
		question = fmt.Sprintf("Do you want to change %s of a number or account? No message is sent.", view.Plural(n, "setting"))
	}
	if n := r.TemplateWrites(); n > 0 {
		question = fmt.Sprintf("Do you want to hand in %s for review? No message is sent.", view.Plural(n, "template"))
	}
	if n := r.CatalogWrites(); n > 0 {
		question = fmt.Sprintf("Do you want to change %s in catalogs? No message is sent.", view.Plural(n, "product"))
	}
	if n := r.Sends(); n > 0 {
		want = fmt.Sprintf("send %d", n)
		question = fmt.Sprintf("Do you want to send %s?", view.Plural(n, "message"))
	}
	if names := r.TemplateDeletions(); len(names) > 0 {
		if r.Sends() == 0 {
			want = ""
		} else {
			want += " "
		}
		want += "delete " + strings.Join(names, " ")
		question += "\n  Templates that are deleted or archived in the account: " + strings.Join(names, ", ") + "."
	}
	if n := r.CatalogDeletions(); n > 0 {
		question += fmt.Sprintf("\n  Products that are deleted in catalogs: %s.", view.Count(n))
	}
	if !opt.in.input || opt.json {
		return a.fail("Approval needed", fmt.Errorf("nothing was sent. Approve with -auto-approve, or save the plan with \"handbill plan -out=FILE\" and apply the file"))
	}
	answer, _, err := a.prompt().ask(fmt.Sprintf("\n%s\n  Only %q is accepted.\n", question, want))
	if err != nil {
		return err
	}
	if strings.Join(strings.Fields(strings.ReplaceAll(answer, ",", "")), " ") != want {
		if err := a.show(view.Line("Declined. Nothing was sent."), a.style(), false); err != nil {
			return err
		}
		if opt.detailed {
			return exit(exitDeclined)
		}
		return exit(exitError)
	}
	return nil
}

// runPlan sends what the approved plan says and reports the result.
func (a *app) runPlan(ctx context.Context, opt *applyOptions, p *project, run *operation.Apply, report *view.PlanReport) error {
	if opt.detach && !opt.wait {
		if err := run.Drivable(ctx, report.Plan); err != nil {
			return a.failState(err, opt.detailed)
		}
	}
	backup, err := run.BackUp(ctx, report.Plan)
	if err != nil {
		return a.failState(a.spaceError(p, err), opt.detailed)
	}
	if backup != "" && a.sys.StderrTerminal {
		a.notice("The state is backed up to %s.", a.display(backup))
	}
	if err := run.Prepare(ctx, report.Plan); err != nil {
		return a.failState(err, opt.detailed)
	}
	ctx, stop, release := a.interruptible(ctx)
	defer release()
	bar := a.progress()
	observe := bar.apply
	var stream *view.ApplyStream
	if opt.json {
		bar.quiet = true
		stream = a.applyStream(a.applyStyle(opt), a.sys.Now)
		stream.Start(report)
		observe = func(ev apply.Event) { stream.Delivery(applyDelivery(ev)) }
	}
	managed, err := a.managed(ctx, run, opt.detailed, stop, bar, stream)
	if err != nil {
		bar.done()
		return err
	}
	templates := managed.templates
	done := run.Run(ctx, apply.Options{Resume: opt.resume, Parallelism: opt.parallelism, Spacing: cmp.Or(a.sys.Spacing, fp.Spacing()), Stop: stop,
		Observe: func(ev apply.Event) {
			a.logEvent(ev)
			observe(ev)
		}}, templates)
	bar.done()
	if done.Detached {
		return a.detached(done, report, stream)
	}
	r := applyReport(done, report)
	managed.report(r)
	opt.metrics.report(r)
	if stream != nil {
		stream.Complete(r)
	} else if err := a.show(r, a.applyStyle(opt), false); err != nil {
		a.log.Warn("the report was not written", "error", err) // Main reports the lost output; the log has the cause
	}
	if done.Err == nil && templates.Err != nil && ctx.Err() == nil {
		return a.fail("Templates not applied", templates.Err)
	}
	return a.applyResult(done, r, managed.end(opt.detailed), opt)
}

// detached reports that a run was left to workers.
func (a *app) detached(done *operation.Applied, planned *view.PlanReport, stream *view.ApplyStream) error {
	r := &view.DetachedRun{Run: done.Report.Run.ID, Messages: planned.Sends()}
	for _, l := range done.Report.Run.Lanes {
		r.Numbers = append(r.Numbers, l.Number)
	}
	if stream != nil {
		stream.Detached(r)
		return nil
	}
	return a.show(r, a.style(), false)
}

func (a *app) applyStyle(opt *applyOptions) view.Style {
	s := a.style()
	s.ShowRecipients = opt.showRecipients
	return s
}

// applyResult says what went wrong and chooses the exit code.
func (a *app) applyResult(done *operation.Applied, r *view.ApplyReport, templates exit, opt *applyOptions) error {
	switch {
	case done.Moved != nil && (done.Err == nil && done.Later == nil || errors.Is(done.Err, sqlite.ErrMoved)):
		return a.fail("State moved away", done.Moved)
	case done.Err != nil:
		return a.failApply(done.Err, opt)
	case len(done.Report.Lost) > 0:
		return a.fail("Run taken over", fmt.Errorf("another process drives %s of run %d now, since this one was not heard of for %s. \"handbill run follow %d\" shows how far it is",
			done.Report.Lost[0].Number, done.Report.Run.ID, state.LaneLimit, done.Report.Run.ID))
	case len(done.Report.Left) > 0:
		a.notice("Run %d was stopped by \"handbill run stop\". \"handbill run resume %d\" lets workers go on with it; a new apply takes its place.", done.Report.Run.ID, done.Report.Run.ID)
		return exit(exitInterrupted)
	case done.Later != nil:
		return a.failState(done.Later, opt.detailed)
	case done.Report.Stopped:
		return exit(exitInterrupted)
	}
	end := &sent{failed: r.Failed(), doubts: r.InDoubt(), fresh: r.NewDoubts()}
	return end.code(templates, opt.detailed)
}

// failApply says why the state failed an apply.
func (a *app) failApply(err error, opt *applyOptions) error {
	var open *state.OpenRunError // since the plan was made
	if errors.As(err, &open) {
		return a.failState(err, opt.detailed)
	}
	var unrecorded *apply.UnrecordedError
	lost := errors.As(err, &unrecorded)
	switch moved := errors.Is(err, sqlite.ErrMoved); {
	case moved && lost: // both errors have the same cause
		err = a.failCode(state.CodeMoved, unrecorded)
	case moved:
		err = a.failCode(state.CodeMoved, err)
	default:
		err = a.fail("Apply did not complete", err)
	}
	if lost && opt.detailed {
		return exit(exitSomeInDoubt)
	}
	return err
}

// spaceError rewords a *workspace.SpaceError with the state's path as people see
// it.
func (a *app) spaceError(p *project, err error) error {
	var refused *operation.Error
	var space *workspace.SpaceError
	if !errors.As(err, &refused) || !errors.As(err, &space) {
		return err
	}
	return &operation.Error{Summary: refused.Summary, Err: fmt.Errorf("there are %s free where the state %s lies, and %s need %s, so that the outcome of each is surely recorded. "+
		"Nothing was sent. Make room, or move the state", workspace.Size(space.Free), a.stateName(p), view.Plural(space.Sends, "message"), workspace.Size(space.Need))}
}

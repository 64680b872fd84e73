package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/apply"
	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/internal/fp"
	"github.com/handbill/handbill/message"
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
	file     string // PLANFILE
	identity string // file with the key of an encrypted one
}

func (a *app) applyCommand() *cobra.Command {
	var opt applyOptions
	cmd := &cobra.Command{
		Use: "apply [flags] [PLANFILE]", Short: "send what is planned", Args: cobra.MaximumNArgs(1),
		Long: `Plans, shows the plan, asks, and sends exactly that. With a PLANFILE that
"handbill plan -out" saved, carries that plan out without asking.

The first interrupt stops cleanly: nothing new is sent, what is in flight is
waited for and recorded. A second one ends at once and leaves what was in flight
in doubt. Running apply again goes on where it stopped.

A campaign whose canary failed, that stop_if stopped, or whose account or answers
need a person stays halted, also for later applies, until -resume=campaign.NAME
lifts that.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				opt.file = args[0]
			}
			return a.apply(cmd.Context(), &opt)
		},
	}
	opt.bind(cmd.Flags())
	cmd.Flags().BoolVar(&opt.approve, "auto-approve", false, "do not ask; declared guards hold all the same")
	cmd.Flags().IntVar(&opt.parallelism, "parallelism", 0, "most sends in flight per number; 0 adapts to the provider's latency")
	cmd.Flags().StringArrayVar(&opt.resume, "resume", nil, "lift the halt of this campaign (campaign.spring) and go on with it; may be repeated")
	cmd.Flags().StringVar(&opt.identity, "identity", "", identityHelp)
	cmd.Flags().BoolVar(&opt.detailed, "detailed-exitcode", false, "exit 3 when some failed, 4 some are in doubt, 5 a guard refused, 6 the plan is stale, 7 locked, 8 declined")
	return cmd
}

// applyProject is what apply works on: the configuration of the directory, or
// that of the saved plan, whatever the directory holds now.
func (a *app) applyProject(ctx context.Context, opt *applyOptions) (*project, *view.PlanReport, error) {
	if opt.file == "" {
		p, err := a.load(ctx, &opt.in)
		return p, nil, err
	}
	saved, err := a.openPlan(opt.file, opt.identity)
	if err != nil {
		return nil, nil, err
	}
	p, err := a.savedProject(ctx, saved, opt.in.vars)
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
	store, _, err := p.OpenState(ctx)
	if err != nil {
		return a.failState(err, opt.detailed)
	}
	defer store.Close()
	locked, unlock, err := a.takeLock(ctx, &opt.lock, p, "apply")
	if err != nil {
		return a.failState(err, opt.detailed)
	}
	defer unlock()
	opened, err := os.Stat(p.StatePath())
	if err == nil {
		err = state.Sendable(ctx, store, a.sys.Now())
	}
	if err != nil {
		return a.failState(err, opt.detailed)
	}
	recovered, err := store.Recover(ctx)
	if err != nil {
		return a.failState(err, opt.detailed)
	}
	if recovered > 0 {
		fmt.Fprintf(a.sys.Stderr, "An earlier run was ended in the middle: %s may or may not have been sent.\nThey are in doubt and are not sent again by themselves; see \"handbill status\".\n\n", view.Plural(recovered, "message"))
	}
	report := saved
	if report == nil {
		if report, err = a.build(ctx, p, store, &opt.planFlags); err != nil {
			return err
		}
	}
	defer report.Plan.Close()
	if err := a.resumable(ctx, store, report.Plan, opt.resume, opt.detailed); err != nil {
		return err
	}
	if err := a.approved(ctx, store, report, opt); err != nil {
		return err
	}
	if !report.Changes() {
		return nil
	}
	return a.carryOut(ctx, opt, &carriage{project: p, store: store, report: report, opened: opened, held: locked})
}

// carriage is what a run works on.
type carriage struct {
	project *project
	store   *sqlite.Store
	report  *view.PlanReport
	opened  os.FileInfo    // of the state, when it was opened
	held    *sqlite.Locked // nil with -lock=false
}

// approved shows the plan, checks that it may be applied, and asks.
func (a *app) approved(ctx context.Context, store state.Store, report *view.PlanReport, opt *applyOptions) error {
	if opt.file != "" {
		meta, err := store.Meta(ctx)
		if err != nil {
			return a.failState(err, opt.detailed)
		}
		runs, err := store.Runs(ctx)
		if err != nil {
			return a.failState(err, opt.detailed)
		}
		by := planfile.Maker{Version: a.sys.Build.Version, Build: a.sys.Build.ID()}
		if err := planfile.Stale(report.Plan, meta, runs, a.sys.Now(), by); err != nil {
			err := a.fail("Saved plan is stale", err)
			if opt.detailed {
				return exit(exitStale)
			}
			return err
		}
	} else {
		report.Hints = false // what to type next is clear: the answer
		if err := a.showPlan(report, &opt.planFlags); err != nil {
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

// confirm asks for the count, so that nobody approves a plan without having
// read how many it sends to.
func (a *app) confirm(r *view.PlanReport, opt *applyOptions) error {
	want, question := "yes", "Do you want to record these changes? Nothing is sent."
	if n := r.Sends(); n > 0 {
		want = fmt.Sprintf("send %d", n)
		question = fmt.Sprintf("Do you want to send %s?", view.Plural(n, "message"))
	}
	if !opt.in.input || opt.json {
		return a.fail("Approval needed", fmt.Errorf("nothing was sent. Approve with -auto-approve, or save the plan with \"handbill plan -out=FILE\" and apply the file"))
	}
	if _, err := fmt.Fprintf(a.sys.Stdout, "\n%s\n  Only %q is accepted.\n\n  Enter a value: ", question, want); err != nil {
		return err // what was typed answers a question that nobody saw
	}
	in := bufio.NewScanner(a.sys.Stdin)
	in.Scan()
	fmt.Fprintln(a.sys.Stdout)
	if strings.Join(strings.Fields(strings.ReplaceAll(in.Text(), ",", "")), " ") != want {
		fmt.Fprintln(a.sys.Stdout, "Declined. Nothing was sent.")
		if opt.detailed {
			return exit(exitDeclined)
		}
		return exit(exitError)
	}
	return nil
}

// carryOut runs the plan and reports.
func (a *app) carryOut(ctx context.Context, opt *applyOptions, run *carriage) error {
	p, store, report := run.project, run.store, run.report
	if err := p.RoomFor(report.Sends()); err != nil {
		return a.fail("Too little space on the disk", a.spaceError(p, err))
	}
	if backup, err := store.AutoBackup(ctx, "apply"); err != nil {
		return a.fail("State not backed up", fmt.Errorf("nothing was sent: %w", err))
	} else if backup != "" && a.sys.StderrTerminal {
		fmt.Fprintf(a.sys.Stderr, "The state is backed up to %s.\n", a.display(backup))
	}
	numbers, err := p.Senders(report.Plan)
	if err != nil {
		return a.fail("Provider not usable", err)
	}
	defer numbers.Close()
	resources, err := report.Plan.StateResources()
	if err != nil {
		return a.fail("Plan not usable", err)
	}
	if err := move(ctx, store, report.Plan); err != nil {
		return a.failState(err, opt.detailed)
	}
	kept, err := p.Kept(report.Plan)
	if err != nil {
		return a.fail("Plan not usable", err)
	}
	ctx, stop, release := a.interruptible(ctx)
	defer release()
	bar := a.progress()
	observe := bar.apply
	var stream *view.ApplyStream
	if opt.json {
		bar.quiet = true
		stream = view.NewApplyStream(a.sys.Stdout, a.applyStyle(opt), a.sys.Now)
		stream.Start(report)
		observe = func(ev apply.Event) { stream.Delivery(applyDelivery(ev)) }
	}
	watch := func(ev apply.Event) {
		a.logEvent(ev)
		observe(ev)
	}
	started := a.sys.Now()
	options := apply.Options{
		Recorder: store, Senders: numbers.ByProvider, Resources: resources, Blobs: kept, Now: a.sys.Now,
		Monotonic: func() time.Duration { return a.sys.Now().Sub(started) },
		Resume:    opt.resume, Who: a.who(), Parallelism: opt.parallelism, Spacing: cmp.Or(a.sys.Spacing, fp.Spacing()), Stop: stop, Observe: watch, Seed: uint64(started.UnixNano()),
	}
	if run.held != nil {
		options.Held = run.held.Held
	}
	rep, runErr := apply.Run(ctx, report.Plan, options)
	bar.done()
	ended := numbers.Conclude(ctx, store, report.Plan)
	return a.concluded(ctx, store, opt, &applied{report: report, rep: rep, err: runErr, ended: ended, stream: stream, took: a.sys.Now().Sub(started), run: run})
}

// move gives what moved blocks rename its new address, before the run counts
// what was sent under it. What an earlier run of a saved plan moved is there
// already.
func move(ctx context.Context, store state.Store, p *plan.Plan) error {
	for _, c := range p.Moved() {
		if err := store.Move(ctx, c.From, c.Address); err != nil && !errors.Is(err, state.ErrUnknown) {
			return err
		}
	}
	return nil
}

func (a *app) applyStyle(opt *applyOptions) view.Style {
	s := a.style()
	s.ShowRecipients = opt.showRecipients
	return s
}

// applied is what a run left to tell.
type applied struct {
	report *view.PlanReport
	rep    *apply.Report
	err    error
	ended  error // of what follows the run: it does not keep the report from being shown
	stream *view.ApplyStream
	took   time.Duration
	run    *carriage
}

// concluded shows how it ended and chooses the exit code.
func (a *app) concluded(ctx context.Context, store state.Store, opt *applyOptions, done *applied) error {
	r := applyReport(done)
	if done.stream != nil {
		done.stream.Complete(r)
	} else {
		fmt.Fprint(a.sys.Stdout, r.Text(a.applyStyle(opt)))
	}
	if errors.Is(done.err, sqlite.ErrMoved) {
		if err := done.run.project.SameState(done.run.opened); err != nil {
			return a.fail("State moved away", err)
		}
	}
	if done.err != nil {
		err := a.fail("Apply did not complete", done.err)
		var unrecorded *apply.UnrecordedError
		if errors.As(done.err, &unrecorded) && opt.detailed {
			return exit(exitSomeInDoubt)
		}
		return err
	}
	if done.ended != nil {
		return a.failState(done.ended, opt.detailed)
	}
	if err := done.run.project.SameState(done.run.opened); err != nil {
		return a.fail("State moved away", err)
	}
	switch {
	case done.rep.Stopped:
		return exit(exitInterrupted)
	case r.InDoubt() > 0 && opt.detailed:
		return exit(exitSomeInDoubt)
	case r.Failed() && opt.detailed:
		return exit(exitSomeFailed)
	case r.Failed() || r.NewDoubts() > 0:
		return exit(exitError)
	}
	return nil
}

// interruptible gives a context for the second interrupt and a channel that
// closes at the first.
func (a *app) interruptible(ctx context.Context) (context.Context, <-chan struct{}, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop, over := make(chan struct{}), make(chan struct{})
	go func() {
		select {
		case <-a.sys.Interrupts:
		case <-over:
			return
		}
		fmt.Fprintln(a.sys.Stderr, "\nInterrupted: nothing new is sent; waiting for what is in flight.\nInterrupt again to end at once and leave it in doubt.")
		close(stop)
		select {
		case <-a.sys.Interrupts:
			fmt.Fprintln(a.sys.Stderr, "\nInterrupted again: what is in flight is left in doubt.")
			cancel()
		case <-over:
		}
	}()
	return ctx, stop, func() { close(over); cancel() }
}

// applyDelivery is an apply event as views take it.
func applyDelivery(ev apply.Event) view.Delivery {
	d := view.Delivery{Kind: string(ev.Kind), Campaign: ev.Campaign, Provider: ev.Provider, Recipient: ev.Recipient,
		Attempt: ev.Attempt, Again: ev.Again, Reason: string(ev.Reason), Until: ev.Until, Done: ev.Done, Total: ev.Total}
	if ev.Kind == apply.EventAnswered {
		d.Outcome, d.MessageID, d.Code, d.Title = ev.Answer.Class.String(), ev.Answer.ID, ev.Answer.Code, message.SafeText(ev.Answer.Title)
	}
	if ev.Halt != nil {
		d.Reason, d.Code, d.Title = string(ev.Halt.Reason), ev.Halt.Code, ev.Halt.Title
	}
	return d
}

// providerOf is the number that a campaign of the plan sends from.
func providerOf(p *plan.Plan, campaign string) string {
	for i := range p.Campaigns {
		if p.Campaigns[i].Address == campaign {
			return p.Campaigns[i].Provider
		}
	}
	return ""
}

// applyReport is a run as views take it.
func applyReport(done *applied) *view.ApplyReport {
	r := &view.ApplyReport{Took: done.took, Stopped: done.rep.Stopped, Hints: done.report.Hints, Outputs: outputsOf(done.report.Plan)}
	for i := range done.rep.Campaigns {
		c := &done.rep.Campaigns[i]
		v := view.AppliedCampaign{CampaignRun: c.CampaignRun, Sent: c.Sent, Refused: c.Refused, Unsent: c.Unsent, Gates: c.Gates, Provider: providerOf(done.report.Plan, c.Campaign),
			Existing: c.Existing, DoubtsBefore: c.DoubtsBefore, Advice: adviceFor(c.Refused)}
		if c.Halt != nil {
			h := view.Halt{Reason: c.Halt.Reason, Code: c.Halt.Code, Title: c.Halt.Title, Advice: sentence(errors.New(c.Halt.Advice)), Since: c.Halt.Since}
			v.Halt = view.NewHalt(c.Campaign, h, c.Halt.Stays)
		}
		r.Campaigns = append(r.Campaigns, v)
	}
	return r
}

// adviceFor is what to do about causes, which begin with a provider's code.
func adviceFor(causes map[string]int) map[string]string {
	out := map[string]string{}
	for cause := range causes {
		code, _, _ := strings.Cut(cause, " ")
		if len(code) <= 3 {
			continue // perhaps a status of HTTP, which means something else
		}
		if advice := workspace.Advice(code); advice != "" {
			out[cause] = sentence(errors.New(advice))
		}
	}
	return out
}

// outputsOf are the outputs that a run leaves.
func outputsOf(p *plan.Plan) []view.Output {
	var list []view.Output
	for _, o := range p.Outputs {
		if o.Change != plan.Delete {
			list = append(list, view.Output{Name: o.Name, Value: o.Value, Sensitive: o.Sensitive})
		}
	}
	return list
}

// spaceError names the state's path as people see it.
func (a *app) spaceError(p *project, err error) error {
	var space *workspace.SpaceError
	if !errors.As(err, &space) {
		return err
	}
	return fmt.Errorf("there are %s free where the state %s lies, and %s need %s, so that the outcome of each is surely recorded. "+
		"Nothing was sent. Make room, or move the state", workspace.Size(space.Free), a.display(p.StatePath()), view.Plural(space.Sends, "message"), workspace.Size(space.Need))
}

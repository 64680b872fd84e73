package cli

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/workspace"
)

// planOptions are the flags that only plan has.
type planOptions struct {
	planFlags
	out      string
	generate string
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
	cmd.Flags().StringVar(&opt.generate, "generate-config-out", "", "write template and catalog blocks for import blocks that have none to this new .hcl file")
	cmd.Flags().StringArrayVar(&opt.encrypt, "encrypt", nil, encryptHelp)
	cmd.Flags().StringVar(&opt.format, "format", "text", "text, json, markdown or html")
	cmd.Flags().BoolVar(&opt.detailed, "detailed-exitcode", false, "exit 0 when there is nothing to do, 2 when there is, 1 on errors")
	return cmd
}

func (a *app) plan(ctx context.Context, opt *planOptions) error {
	readers, err := workspace.Readers(opt.encrypt)
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
	defer p.Close()
	if opt.generate != "" {
		if err := a.generate(ctx, p, opt.generate); err != nil {
			return err
		}
	}
	if view.Errors(p.diags) {
		return a.unplannable(p, &opt.planFlags)
	}
	if err := a.expectConfig(p.Config, opt.config, false); err != nil {
		return err
	}
	store, err := p.PlanState(ctx, opt.out != "")
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
	if store != nil {
		found, err := a.standing(ctx, p, store)
		if err != nil {
			return a.failState(err, false)
		}
		report.Diagnostics = append(found, report.Diagnostics...)
		report.Failed = report.Failed || view.Errors(found)
	}
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

// generate writes template blocks for import blocks that have none, and reads the
// configuration with them. What is wrong is left in the project's diagnostics; an
// error is that of the file.
func (a *app) generate(ctx context.Context, p *project, name string) error {
	p.Undeclared = true
	p.reload(ctx)
	if view.Errors(p.diags) {
		return nil
	}
	diags, err := operation.Generate(ctx, p.Workspace, name, a.path(name))
	if err != nil {
		return a.fail("Configuration not generated", err)
	}
	found := view.FromHCL(diags, p.Config.Files)
	if p.Undeclared = false; !diags.HasErrors() {
		p.reload(ctx)
	}
	p.diags = append(found, p.diags...)
	return nil
}

// unplannable reports a configuration with errors in the requested format, so that
// a pipeline's comment says what is wrong.
func (a *app) unplannable(p *project, f *planFlags) error {
	if f.json || f.format != "text" {
		none := func() iter.Seq2[plan.Entry, error] { return func(func(plan.Entry, error) bool) {} }
		report := &view.PlanReport{Plan: &plan.Plan{Version: a.sys.Build.Version, Build: a.sys.Build.ID(), At: a.sys.Now().UTC(), Entries: none}, Diagnostics: p.diags, Failed: true}
		if err := a.showPlan(report, f); err != nil {
			return err
		}
		return exit(exitError)
	}
	a.diagnose(p.diags)
	return exit(exitError)
}

// savePlan saves the plan and adds to the report the command that applies it.
func (a *app) savePlan(p *project, r *view.PlanReport, name string, readers []age.Recipient) error {
	if err := p.SavePlan(r.Plan, a.path(name), readers); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r.SavedAs = name
	r.ApplyCommand = a.applyCommandFor(name)
	if len(readers) > 0 {
		r.ApplyCommand += " -identity=FILE"
	}
	return nil
}

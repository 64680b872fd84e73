package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/plan/planfile"
)

func (a *app) showCommand() *cobra.Command {
	var f planFlags
	var identity string
	cmd := &cobra.Command{
		Use: "show [flags] [PLANFILE]", Short: "show a saved plan, or the state", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.showState(cmd.Context(), &f)
			}
			return a.showSaved(args[0], identity, &f)
		},
	}
	f.in.bind(cmd.Flags())
	cmd.Flags().BoolVar(&f.json, "json", false, "one JSON document; the same as -format=json")
	cmd.Flags().StringVar(&f.format, "format", "text", "text, json, markdown or html")
	cmd.Flags().BoolVar(&f.showRecipients, "show-recipients", false, "show numbers and names as they are")
	cmd.Flags().BoolVar(&f.deliveries, "deliveries", false, "list every recipient and not only counts")
	cmd.Flags().StringVar(&identity, "identity", "", identityHelp)
	return cmd
}

// showSaved renders a saved plan.
func (a *app) showSaved(name, identity string, f *planFlags) error {
	saved, err := a.openPlan(name, identity)
	if err != nil {
		return a.fail("Plan not readable", err)
	}
	defer saved.close()
	report := &view.PlanReport{Plan: saved.plan, Deliveries: f.deliveries, SavedAs: name, ApplyCommand: a.applyCommandFor(name)}
	for _, d := range saved.plan.Diagnostics {
		report.Diagnostics = append(report.Diagnostics, view.PlanDiagnostic(d))
	}
	if f.json {
		f.json, f.format = false, "json"
	}
	return a.showPlan(report, f)
}

// showState lists what the state knows, as state show does for one resource.
func (a *app) showState(ctx context.Context, f *planFlags) error {
	p, err := a.load(ctx, &f.in)
	if err != nil {
		return err
	}
	defer p.close()
	store, err := a.readState(ctx, p)
	if err != nil {
		return a.failState(err, false)
	}
	if store == nil {
		return a.show(&view.StateReport{}, a.style(), f.json || f.format == "json")
	}
	defer store.Close()
	meta, err := store.Meta(ctx)
	if err != nil {
		return a.failState(err, false)
	}
	r := &view.StateReport{Lineage: meta.Lineage, Serial: meta.Serial}
	if r.Resources, err = stateResources(ctx, store); err != nil {
		return a.failState(err, false)
	}
	return a.show(r, a.style(), f.json || f.format == "json")
}

// savedPlan is an open plan file.
type savedPlan struct {
	plan   *plan.Plan
	config *planfile.ConfigSnapshot
	file   *os.File
}

func (s *savedPlan) close() {
	s.plan.Close()
	s.file.Close()
}

func (a *app) openPlan(name, identity string) (*savedPlan, error) {
	file, err := os.Open(a.path(name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, plainPathError(err))
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", name, plainPathError(err))
	}
	p, config, err := a.readPlan(file, info.Size(), identity)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &savedPlan{plan: p, config: config, file: file}, nil
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
		return nil, nil, a.fail("Plan not readable", err)
	}
	p, err := a.savedProject(ctx, saved, opt.in.vars)
	if err != nil {
		saved.close()
		return nil, nil, err
	}
	return p, &view.PlanReport{Plan: saved.plan, Hints: !a.automation()}, nil
}

// savedProject loads the configuration that a saved plan carries.
func (a *app) savedProject(ctx context.Context, saved *savedPlan, vars []lang.VarInput) (*project, error) {
	root, err := a.openRoot()
	if err != nil {
		return nil, a.fail("Unreadable directory", plainPathError(err))
	}
	values, err := savedVariables(saved.config.Variables)
	if err != nil {
		root.Close()
		return nil, a.fail("Plan not readable", err)
	}
	ctx, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()
	cfg, diags := lang.LoadFiles(ctx, saved.config.Files, root, a.langOptions(append(values, vars...)))
	if a.hclDiags(diags, cfg.Files) {
		root.Close()
		return nil, exit(exitError)
	}
	return &project{dir: a.dir(), root: root, config: cfg}, nil
}

// savedVariables are a saved plan's variables as -var takes them: a string as
// it is, everything else as JSON, which the language reads.
func savedVariables(saved map[string]json.RawMessage) ([]lang.VarInput, error) {
	var out []lang.VarInput
	for name, data := range saved {
		v, err := ctyjson.Unmarshal(data, cty.DynamicPseudoType)
		if err != nil {
			return nil, fmt.Errorf("var.%s: %w", name, err)
		}
		if v.IsNull() {
			continue
		}
		in := lang.VarInput{Name: name}
		if v.Type() == cty.String {
			in.Raw = v.AsString()
		} else {
			raw, err := ctyjson.Marshal(v, v.Type())
			if err != nil {
				return nil, fmt.Errorf("var.%s: %w", name, err)
			}
			in.Raw = string(raw)
		}
		out = append(out, in)
	}
	return out, nil
}

package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
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
		return err
	}
	defer saved.Close()
	report := &view.PlanReport{Plan: saved.Plan, Deliveries: f.deliveries, SavedAs: name, ApplyCommand: a.applyCommandFor(name)}
	for _, d := range saved.Plan.Diagnostics {
		report.Diagnostics = append(report.Diagnostics, view.PlanDiagnostic(d))
	}
	if f.json {
		f.json, f.format = false, "json"
	}
	return a.showPlan(report, f)
}

// showState lists the resources of the state, each as state show prints it.
func (a *app) showState(ctx context.Context, f *planFlags) error {
	p, err := a.load(ctx, &f.in)
	if err != nil {
		return err
	}
	defer p.Close()
	store, err := p.ReadState(ctx)
	if err != nil {
		return a.failState(err, false)
	}
	if store == nil {
		return a.show(&view.StateReport{}, a.style(), f.json || f.format == "json")
	}
	defer store.Close()
	if err := a.warnStanding(ctx, p, store); err != nil {
		return err
	}
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

package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/workspace"
)

func (a *app) validateCommand() *cobra.Command {
	var (
		asJSON bool
		in     inputFlags
	)
	cmd := &cobra.Command{
		Use: "validate [flags]", Short: "check the configuration without state and contacts", Args: cobra.NoArgs,
		Long: `Checks everything that can be known without the state and without reading
contacts: syntax, references, types, names of attributes, limits of constant
texts, and what the provider can carry.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.validate(cmd.Context(), &in, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON document")
	in.bind(cmd.Flags())
	return cmd
}

func (a *app) validate(ctx context.Context, in *inputFlags, asJSON bool) error {
	p, err := a.tryLoad(ctx, in)
	if err != nil {
		return err
	}
	defer p.Close()
	if !view.Errors(p.diags) {
		p.diags = append(p.diags, view.FromHCL(plan.Outdated(p.Config, workspace.Outdated(a.sys.Now())), p.Config.Files)...)
		p.diags = append(p.diags, view.FromHCL(plan.Carried(p.Config, workspace.Supports()), p.Config.Files)...)
	}
	p.diags = view.Unique(p.diags)
	r := &view.ValidateReport{Diagnostics: p.diags}
	if !asJSON {
		a.diagnose(p.diags)
	}
	if err := a.show(r, a.style(), asJSON); err != nil {
		return err
	}
	if view.Errors(p.diags) {
		return exit(exitError)
	}
	return nil
}

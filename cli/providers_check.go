package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
)

func (a *app) providersCheckCommand() *cobra.Command {
	var in inputFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use: "check [ADDRESS...]", Short: "ask the providers how the numbers are, without sending",
		Long: `Reads health, quality, throughput and messaging limit where the provider tells
them, compares with the configuration, and sends nothing. Exits 1 when a number
can't send.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.checkProviders(cmd.Context(), &in, args, asJSON)
		},
	}
	in.bind(cmd.Flags())
	bindJSON(cmd, &asJSON)
	return cmd
}

func (a *app) checkProviders(ctx context.Context, in *inputFlags, addresses []string, asJSON bool) error {
	p, err := a.load(ctx, in)
	if err != nil {
		return err
	}
	defer p.close()
	if len(addresses) == 0 {
		for _, pr := range p.config.Providers {
			addresses = append(addresses, pr.Address())
		}
	}
	r := &view.CheckReport{}
	for _, address := range addresses {
		number, err := a.checkProvider(ctx, p, address)
		if err != nil {
			return a.fail("Provider not usable", err)
		}
		r.Numbers = append(r.Numbers, *number)
	}
	if err := a.show(r, a.style(), asJSON); err != nil {
		return err
	}
	if !r.OK() {
		return exit(exitError)
	}
	return nil
}

func (a *app) checkProvider(ctx context.Context, p *project, address string) (*view.NumberHealth, error) {
	pr, err := a.provider(p.config, address)
	if err != nil {
		return nil, err
	}
	if c, ok := pr.(interface{ Close() error }); ok {
		defer c.Close()
	}
	checker, ok := pr.(providers.Checker)
	if !ok {
		return &view.NumberHealth{Address: address, Reached: true, Problem: pr.Profile().Title + " tells nothing about the number."}, nil
	}
	health, err := checker.Check(ctx)
	if err != nil {
		return &view.NumberHealth{Address: address, Problem: "not reachable: " + message.SafeText(err.Error())}, nil
	}
	n := &view.NumberHealth{Address: address, Checked: true, Reached: true, Status: health.Status, Quality: health.Quality, Tier: health.Tier,
		Throughput: health.Throughput, Name: health.Name, Paced: pr.Profile().Throughput.Value}
	for _, f := range health.Findings {
		n.Findings = append(n.Findings, view.HealthFinding{Severe: f.Severe, Text: f.Text, Advice: f.Advice})
	}
	return n, nil
}

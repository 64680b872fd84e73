package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
)

func (a *app) providersCommand() *cobra.Command {
	var (
		in     inputFlags
		asJSON bool
	)
	cmd := &cobra.Command{
		Use: "providers", Short: "show the sending numbers, and what each type of provider carries", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listProviders(cmd.Context(), &in, asJSON) },
	}
	in.bind(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON document")
	cmd.AddCommand(a.providersCheckCommand())
	return cmd
}

func (a *app) listProviders(ctx context.Context, in *inputFlags, asJSON bool) error {
	p, err := a.load(ctx, in)
	if err != nil {
		return err
	}
	defer p.close()
	r := view.ProvidersReport{}
	for _, pr := range p.config.Providers {
		t, ok := findProviderType(pr.Type)
		if !ok {
			continue
		}
		profile := t.profile(arguments(pr.Arguments))
		r.Providers = append(r.Providers, view.ProviderNumber{Address: pr.Address(), Type: pr.Type, Title: profile.Title,
			Throughput: providerThroughput(pr), Echo: profile.Echo, Polls: profile.Polls, Campaigns: campaignsOf(p.config, pr),
			Carries: kinds(profile, providers.Yes), Doubted: kinds(profile, providers.Doubted), Not: kinds(profile, providers.No)})
	}
	if asJSON {
		return r.JSON(a.sys.Stdout)
	}
	return r.Text(a.sys.Stdout, a.style())
}

func campaignsOf(cfg *lang.Config, pr *lang.Provider) []string {
	var out []string
	for _, c := range cfg.Campaigns {
		if c.Provider == pr {
			out = append(out, c.Address())
		}
	}
	return out
}

// kinds are the kinds of message that a profile supports in a degree.
func kinds(p providers.Profile, s providers.Support) []string {
	var out []string
	for _, k := range message.Kinds() {
		if p.Kinds[k].Support == s {
			out = append(out, string(k))
		}
	}
	return out
}

func (a *app) providersCheckCommand() *cobra.Command {
	var in inputFlags
	cmd := &cobra.Command{
		Use: "check [ADDRESS...]", Short: "ask the providers how the numbers are, without sending",
		Long: `Reads health, quality, throughput and messaging limit where the provider tells
them, compares with the configuration, and sends nothing. Exits 1 when a number
can't send.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.checkProviders(cmd.Context(), &in, args) },
	}
	in.bind(cmd.Flags())
	return cmd
}

func (a *app) checkProviders(ctx context.Context, in *inputFlags, addresses []string) error {
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
	bad := false
	for _, address := range addresses {
		ok, err := a.checkProvider(ctx, p, address)
		if err != nil {
			return a.fail("Provider not usable", err)
		}
		bad = bad || !ok
	}
	if bad {
		return exit(exitError)
	}
	return nil
}

func (a *app) checkProvider(ctx context.Context, p *project, address string) (bool, error) {
	pr, err := a.provider(p.config, address)
	if err != nil {
		return false, err
	}
	if c, ok := pr.(interface{ Close() error }); ok {
		defer c.Close()
	}
	checker, ok := pr.(providers.Checker)
	if !ok {
		fmt.Fprintf(a.sys.Stdout, "%s: %s tells nothing about the number.\n", address, pr.Profile().Title)
		return true, nil
	}
	health, err := checker.Check(ctx)
	if err != nil {
		fmt.Fprintf(a.sys.Stdout, "%s: not reachable: %s\n", address, message.SafeText(err.Error()))
		return false, nil
	}
	r := view.HealthReport{Address: address, Status: health.Status, Quality: health.Quality, Tier: health.Tier,
		Throughput: health.Throughput, Name: health.Name, Paced: pr.Profile().Throughput.Value}
	for _, f := range health.Findings {
		r.Findings = append(r.Findings, view.HealthFinding{Severe: f.Severe, Text: f.Text, Advice: f.Advice})
	}
	return r.OK(), r.Text(a.sys.Stdout, a.style())
}

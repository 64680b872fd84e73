package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/workspace"
)

func (a *app) providersCommand() *cobra.Command {
	var (
		in     inputFlags
		asJSON bool
	)
	cmd := &cobra.Command{
		Use: "providers", Short: "show the sending numbers, and what each type of provider can send", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listProviders(cmd.Context(), &in, asJSON) },
	}
	in.bind(cmd.Flags())
	bindJSON(cmd, &asJSON)
	cmd.AddCommand(a.providersCheckCommand())
	return cmd
}

func (a *app) listProviders(ctx context.Context, in *inputFlags, asJSON bool) error {
	p, err := a.load(ctx, in)
	if err != nil {
		return err
	}
	defer p.Close()
	proxy := a.host().Proxy()
	r := view.ProvidersReport{Proxy: proxy.HTTPS, NoProxy: proxy.Except}
	for _, pr := range p.Config.Providers {
		profile, ok := workspace.Profile(pr)
		if !ok {
			continue
		}
		r.Providers = append(r.Providers, view.ProviderNumber{Address: pr.Address(), Type: pr.Type, Title: profile.Title,
			Throughput: workspace.Throughput(pr), Echo: profile.Echo, Polls: profile.Polls, Campaigns: campaignsOf(p.Config, pr),
			Carries: kinds(profile, message.Yes), Doubted: kinds(profile, message.Doubted), Not: kinds(profile, message.No)})
	}
	return a.show(r, a.style(), asJSON)
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

// kinds lists the kinds of message that a profile supports to the given degree.
func kinds(p providers.Profile, s message.Support) []string {
	var out []string
	for _, k := range message.Kinds() {
		if p.Kinds[k].Support == s {
			out = append(out, string(k))
		}
	}
	return out
}

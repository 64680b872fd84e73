package cli

import (
	"context"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state/sqlite"
	"github.com/handbill/handbill/workspace"
)

func (a *app) providersCheckCommand() *cobra.Command {
	var in inputFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use: "check [ADDRESS...]", Short: "ask the providers how the numbers are, without sending",
		Long: `Reads health, quality, throughput and messaging limit where the provider tells
them, and where it posts events and which; compares with the configuration, and
sends nothing. The messaging limit is kept in the state, for the next plan.
Exits 1 when a number can't send, or is set up to hear people's stops and would
not.`,
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
	defer p.Close()
	if len(addresses) == 0 {
		for _, pr := range p.Config.Providers {
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
	pr, err := p.Provider(address)
	if err != nil {
		return nil, err
	}
	defer workspace.CloseProvider(pr)
	checker, ok := pr.(providers.Checker)
	if !ok {
		return &view.NumberHealth{Address: address, Reached: true,
			Problem: pr.Profile().Title + " tells nothing about the number, nor where it posts events: compare that with docs/webhooks.md."}, nil
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
	if s, ok := pr.(providers.Subscriber); ok {
		subscription(ctx, p.Config, address, s, n)
	}
	if pr.Profile().Type == "sandbox" { // its limit is nobody's
		return n, nil
	}
	if err := p.KeepMessagingLimit(ctx, address, health.Limit); err != nil {
		n.Findings = append(n.Findings, view.HealthFinding{Text: "its messaging limit can't be kept for the next plan: " + err.Error(), Advice: sqlite.DiskAdvice(err)})
	}
	return n, nil
}

// subscription adds where the provider posts the number's events, and which.
func subscription(ctx context.Context, cfg *lang.Config, address string, from providers.Subscriber, n *view.NumberHealth) {
	s, err := from.Subscription(ctx)
	if err != nil {
		n.Findings = append(n.Findings, view.HealthFinding{Text: "where its events go can't be read: " + err.Error(), Advice: "compare the provider's settings with docs/webhooks.md"})
		return
	}
	n.Webhook = &view.WebhookHealth{}
	here := false
	for _, raw := range s.URLs {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" {
			continue
		}
		n.Webhook.Hosts = append(n.Webhook.Hosts, u.Scheme+"://"+u.Host)
		here = here || workspace.LeadsHere(cfg, address, u.Path)
	}
	for _, m := range s.Missing {
		n.Webhook.Missing = append(n.Webhook.Missing, view.MissingEvent{Name: m.Name, Lost: m.Lost, Severe: m.Severe})
	}
	for _, f := range s.Findings {
		n.Findings = append(n.Findings, view.HealthFinding{Severe: f.Severe, Text: f.Text, Advice: f.Advice})
	}
	if len(n.Webhook.Hosts) > 0 && !here {
		n.Findings = append(n.Findings, view.HealthFinding{Text: "its events go to a path that handbill serve does not have",
			Advice: "register https://HOST" + workspace.WebhookPath(cfg, address) + ", or let your proxy lead there"})
	}
}

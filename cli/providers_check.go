package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/state/sqlite"
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
		checked, err := operation.CheckNumber(ctx, p.Workspace, address)
		if err != nil {
			return a.failState(err, false)
		}
		r.Numbers = append(r.Numbers, numberHealth(checked))
	}
	if err := a.show(r, a.style(), asJSON); err != nil {
		return err
	}
	if !r.OK() {
		return exit(exitError)
	}
	return nil
}

// numberHealth converts a provider's report about a number for the views.
func numberHealth(c *operation.NumberCheck) view.NumberHealth {
	switch {
	case !c.Told:
		return view.NumberHealth{Address: c.Address, Reached: true,
			Problem: c.Profile.Title + " tells neither how the number is nor where it posts events: compare that with docs/webhooks.md."}
	case c.Err != nil:
		return view.NumberHealth{Address: c.Address, Problem: "not reachable: " + message.SafeText(c.Err.Error())}
	}
	h := c.Health
	n := view.NumberHealth{Address: c.Address, Checked: true, Reached: true, Status: h.Status, Quality: h.Quality, Tier: h.Tier,
		Throughput: h.Throughput, Name: h.Name, Paced: c.Profile.Throughput.Value, Findings: healthFindings(h.Findings)}
	if err := c.SubscriptionErr; err != nil {
		n.Findings = append(n.Findings, view.HealthFinding{Text: "where its events go can't be read: " + err.Error(), Advice: "compare the provider's settings with docs/webhooks.md"})
	}
	if s := c.Subscription; s != nil {
		n.Webhook = &view.WebhookHealth{Hosts: s.Hosts}
		for _, m := range s.Missing {
			n.Webhook.Missing = append(n.Webhook.Missing, view.MissingEvent(m))
		}
		n.Findings = append(n.Findings, healthFindings(s.Findings)...)
		if len(s.Hosts) > 0 && !s.Here {
			n.Findings = append(n.Findings, view.HealthFinding{Text: "its events go to a path that handbill serve does not have",
				Advice: "register https://HOST" + s.Path + ", or let your proxy lead there"})
		}
	}
	if err := c.LimitErr; err != nil {
		n.Findings = append(n.Findings, view.HealthFinding{Text: "its messaging limit can't be kept for the next plan: " + err.Error(), Advice: sqlite.DiskAdvice(err)})
	}
	return n
}

func healthFindings(list []providers.Finding) []view.HealthFinding {
	var out []view.HealthFinding
	for _, f := range list {
		out = append(out, view.HealthFinding(f))
	}
	return out
}

package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/operation"
)

func (a *app) refreshCommand() *cobra.Command {
	var in inputFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use: "refresh [flags] [CAMPAIGN...]", Short: "ask providers for the status of messages, and for limits",
		Long: `Asks the providers that can be asked (1msg) what became of every message that is
neither read nor failed, and joins the answers into the state. Where webhooks come
in through "handbill serve" it is not needed. It also reads the messaging limit of
the campaigns' numbers, and which business portfolio shares it, where the provider
tells them (Cloud API, 360dialog), for the next plan. Nothing is sent.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.refresh(cmd.Context(), &in, args, asJSON) },
	}
	in.bind(cmd.Flags())
	bindJSON(cmd, &asJSON)
	return cmd
}

func (a *app) refresh(ctx context.Context, in *inputFlags, campaigns []string, asJSON bool) error {
	p, err := a.load(ctx, in)
	if err != nil {
		return err
	}
	defer p.Close()
	switch there, err := p.HasState(ctx); {
	case err != nil:
		return a.failState(err, false)
	case !there:
		return a.show(&view.RefreshReport{NothingSent: true}, a.style(), asJSON)
	}
	store, _, err := p.OpenState(ctx)
	if err != nil {
		return a.failState(err, false)
	}
	defer store.Close()
	if err := a.warnStanding(ctx, p, store); err != nil {
		return err
	}
	done, err := operation.Refresh(ctx, p.Workspace, store, campaigns)
	if err != nil {
		return a.failState(err, false)
	}
	r := &view.RefreshReport{Asked: done.Asked, Missing: done.Missing}
	for _, u := range done.Unasked {
		r.Unasked = append(r.Unasked, view.Unpolled(u))
	}
	for _, l := range done.Limits {
		limit := view.RefreshedLimit{Provider: l.Provider, People: l.People, Portfolio: l.Portfolio}
		if l.Err != nil {
			limit.Problem = message.SafeText(l.Err.Error())
		}
		r.Limits = append(r.Limits, limit)
	}
	if err := a.show(r, a.style(), asJSON); err != nil {
		return err
	}
	if r.Missing > 0 {
		return a.fail("Some answers are missing", fmt.Errorf("the provider did not answer for %s. Run refresh again", view.Plural(r.Missing, "message")))
	}
	return nil
}

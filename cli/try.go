package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/workspace"
)

// tryOptions are the flags of try.
type tryOptions struct {
	in     inputFlags
	lock   lockFlags
	sample int
	seed   uint64
	json   bool
}

func (a *app) tryCommand() *cobra.Command {
	var opt tryOptions
	cmd := &cobra.Command{
		Use: "try [flags] CAMPAIGN", Short: "send a few rendered messages to the campaign's testers", Args: cobra.ExactArgs(1),
		Long: `Renders the campaign's message for a few of its recipients and sends the results to
the campaign's testers, and to nobody else. Tries do not count as deliveries: the
campaign is planned as if nothing had been tried. A tester's 24-hour window must be
open, unless the message is a template.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.try(cmd.Context(), args[0], &opt) },
	}
	opt.in.bind(cmd.Flags())
	opt.in.bindHosts(cmd.Flags())
	opt.lock.bind(cmd.Flags())
	bindJSON(cmd, &opt.json)
	cmd.Flags().IntVar(&opt.sample, "sample", 1, "how many recipients' messages every tester gets")
	cmd.Flags().Uint64Var(&opt.seed, "seed", 1, "choose the random ones by this number")
	return cmd
}

func (a *app) try(ctx context.Context, name string, opt *tryOptions) error {
	p, err := a.load(ctx, &opt.in)
	if err != nil {
		return err
	}
	defer p.Close()
	c, err := operation.FindCampaign(p.Config, name)
	if err != nil {
		return a.fail("No such campaign", err)
	}
	if len(c.Testers) == 0 {
		return a.fail("No testers", fmt.Errorf("%s declares no testers, so nothing was sent. Add the numbers that may get tries, testers = [\"+49…\"]", c.Address()))
	}
	pl, err := a.render(ctx, p, c, false)
	if err != nil {
		return err
	}
	defer pl.Close()
	samples, err := operation.Choose(pl, c.Address(), workspace.Limits(c.Provider.Type), opt.sample, opt.seed)
	if err != nil {
		return a.fail("Contacts not readable", err)
	}
	if len(samples) == 0 {
		return a.fail("Nothing to try", fmt.Errorf("%s has no recipient who would get a message, so nothing was sent", c.Address()))
	}
	try := operation.Try{Campaign: c, Samples: samples, Lock: a.lockOptions(&opt.lock), LeftOut: func(tester, why string) {
		a.notice("%s %s, and gets nothing.", message.Mask(tester), why)
	}}
	tried, err := try.Run(ctx, p.Workspace)
	if err != nil && len(tried) == 0 {
		return a.failState(err, false)
	}
	r := &view.TryReport{Campaign: c.Address()}
	for i := range tried {
		r.Add(tried[i].Tester, tried[i].Why, &tried[i].Answer)
	}
	shown := a.show(r, a.style(), opt.json)
	if err != nil { // the rest was not sent
		return errors.Join(shown, a.failState(err, false))
	}
	if shown != nil {
		return shown
	}
	if r.Accepted < len(r.Tries) {
		return exit(exitError)
	}
	return nil
}

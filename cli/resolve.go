package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/state"
)

// resolveOptions are the flags of resolve.
type resolveOptions struct {
	stateFlags
	as  string
	why string
}

func (a *app) resolveCommand() *cobra.Command {
	var opt resolveOptions
	cmd := &cobra.Command{
		Use: "resolve -as=sent|not-sent [flags] ADDRESS...", Short: "settle messages that are in doubt", Args: cobra.MinimumNArgs(1),
		Long: `Settles deliveries of which nobody knows whether the provider took them: an answer
got lost, or a run was killed. Look at the provider's side first. With -as=sent they
count as sent; with -as=not-sent the next apply sends them again.

An ADDRESS is a campaign, which settles all its doubts, or one delivery, such as
'campaign.spring["+4915112345678"]'. Who settled what, and why, is kept.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.resolve(cmd.Context(), &opt, args) },
	}
	opt.bindChange(cmd)
	cmd.Flags().StringVar(&opt.as, "as", "", "sent or not-sent; required")
	cmd.Flags().StringVar(&opt.why, "why", "", "a note for later")
	opt.bindShow(cmd)
	return cmd
}

func (a *app) resolve(ctx context.Context, opt *resolveOptions, args []string) error {
	as, ok := map[string]state.Send{"sent": state.Accepted, "not-sent": state.Pending}[opt.as]
	switch {
	case opt.as == "":
		return a.fail("Missing option", errors.New("say what became of them: -as=sent when the provider has them, -as=not-sent when it has not and the next apply is to send them"))
	case !ok:
		return a.fail("Invalid option", fmt.Errorf("-as=%s is not one of sent, not-sent", message.SafeText(opt.as)))
	}
	return a.changeState(ctx, &opt.stateFlags, "resolve", func(_ *project, s state.Store) (view.Report, error) {
		if _, err := state.RecoverAll(ctx, s); err != nil {
			return nil, err
		}
		r := &view.ResolveReport{As: opt.as}
		for _, address := range args {
			one, err := operation.Resolve(ctx, s, address, operation.Resolution{As: as, Who: a.who(), Why: opt.why})
			if err != nil {
				return a.partly(r, len(r.Resolved) > 0, &opt.stateFlags), err
			}
			r.Resolved = append(r.Resolved, view.ResolvedCampaign(one))
		}
		return r, nil
	})
}

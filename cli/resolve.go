package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
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
		if _, err := s.Recover(ctx); err != nil {
			return nil, err
		}
		r := &view.ResolveReport{As: opt.as}
		for _, arg := range args {
			one, err := a.resolveOne(ctx, s, opt, as, arg)
			if err != nil {
				return a.partly(r, len(r.Resolved) > 0, &opt.stateFlags), err
			}
			r.Resolved = append(r.Resolved, one)
		}
		return r, nil
	})
}

func (a *app) resolveOne(ctx context.Context, s state.Store, opt *resolveOptions, as state.Send, arg string) (one view.ResolvedCampaign, err error) {
	campaign, recipient, err := deliveryAddress(arg)
	if err != nil {
		return one, a.fail("Invalid address", err)
	}
	one.Campaign = campaign
	var keys []state.Key
	for d, err := range s.InDoubt(ctx, campaign) {
		if err != nil {
			return one, err
		}
		if recipient == "" || d.Recipient == recipient {
			keys = append(keys, d.Key)
		}
	}
	if len(keys) == 0 {
		return one, a.fail("Nothing in doubt", fmt.Errorf("%s has nothing in doubt; see \"handbill status\"", message.SafeText(maskAddress(campaign, recipient))))
	}
	for _, k := range keys {
		switch err := s.Resolve(ctx, k, as, a.who(), opt.why); {
		case errors.Is(err, state.ErrSettled):
			one.Told++
		case err != nil:
			return one, err
		default:
			one.Messages++
		}
	}
	return one, nil
}

func maskAddress(campaign, recipient string) string {
	if recipient == "" {
		return campaign
	}
	return fmt.Sprintf("%s[%q]", campaign, message.Mask(recipient))
}

// deliveryAddress reads campaign.spring or campaign.spring["+4915112345678"].
func deliveryAddress(s string) (campaign, recipient string, err error) {
	campaign, rest, ok := strings.Cut(s, "[")
	if !strings.Contains(campaign, ".") {
		return "", "", errors.New("expected campaign.NAME, or campaign.NAME[\"RECIPIENT\"]")
	}
	if !ok {
		return campaign, "", nil
	}
	inner, ok := strings.CutSuffix(rest, "]")
	if !ok {
		return "", "", errors.New("a bracket is not closed: expected campaign.NAME[\"RECIPIENT\"], in single quotes for the shell")
	}
	if recipient, err = strconv.Unquote(inner); err != nil {
		recipient = inner // a shell took the quotes away
	}
	if recipient == "" {
		return "", "", errors.New("the recipient is empty")
	}
	return campaign, recipient, nil
}

package cli

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

func (a *app) stateNoticesCommand() *cobra.Command {
	f := stateFlags{current: true}
	var kinds []string
	for _, k := range view.NoticeKinds {
		kinds = append(kinds, string(k.Kind))
	}
	cmd := &cobra.Command{
		Use: "notices [flags] [KIND...]", Short: "what providers told that is no message to a number",
		Long: `Lists the webhooks that were neither a message to a number nor the status of one,
oldest first: ` + strings.Join(kinds, ", ") + `.
They are kept until "handbill state prune" removes them. -show-recipients also shows
what the provider sent, word for word.`,
		ValidArgs: kinds,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, kind := range args {
				if !slices.Contains(kinds, kind) {
					return a.fail("No such kind", fmt.Errorf("there is no kind of notice %q; there are %s", message.SafeText(kind), strings.Join(kinds, ", ")))
				}
			}
			return a.withState(cmd.Context(), &f, func(_ *project, s state.Store) (view.Report, error) {
				return &view.NoticeList{Notices: noticesOf(cmd.Context(), s, args)}, nil
			})
		},
	}
	f.bindRead(cmd)
	f.bindShow(cmd)
	return cmd
}

// noticesOf returns the notices of the given kinds, or all of them if none is
// given.
func noticesOf(ctx context.Context, s state.Store, kinds []string) iter.Seq2[state.Notice, error] {
	return func(yield func(state.Notice, error) bool) {
		for n, err := range s.Notices(ctx, time.Time{}) {
			if err == nil && len(kinds) > 0 && !slices.Contains(kinds, string(n.Kind)) {
				continue
			}
			if !yield(n, err) {
				return
			}
		}
	}
}

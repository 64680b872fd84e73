package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

func (a *app) stateAcknowledgeCommand() *cobra.Command {
	f := stateFlags{stands: true}
	var why, clock string
	cmd := &cobra.Command{
		Use: "acknowledge -why=REASON", Short: "let apply send again after a restore, a roll-back or a wrong clock", Args: cobra.NoArgs,
		Long: `A state that was restored from a backup, or that is older than its own mark says,
may not know of messages that were sent. Apply refuses such a state until somebody
has looked and says why going on is right: nothing was sent since, or what was is
imported. Who said so, when and why is kept ("handbill state pull" shows it).

A clock that was ahead once leaves later times in the state than the clock shows
now, and apply refuses until those times. When the clock is right now, say so with
-clock and today's date (UTC).`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if why == "" {
				return a.fail("Reason missing", errors.New("say with -why=REASON why nobody will get a message twice, such as -why='nothing was sent since the backup'"))
			}
			return a.changeState(cmd.Context(), &f, "state acknowledge", func(_ *project, s state.Store) (view.Report, error) {
				return a.acknowledge(cmd.Context(), s, why, clock)
			})
		},
	}
	f.bindChange(cmd)
	cmd.Flags().StringVar(&clock, "clock", "", "today's date (YYYY-MM-DD, UTC): the clock is right now, and was ahead before")
	cmd.Flags().StringVar(&why, "why", "", "why going on is right; required")
	return cmd
}

func (a *app) acknowledge(ctx context.Context, s state.Store, why, clock string) (view.Report, error) {
	halt, err := s.Halted(ctx)
	if err != nil {
		return nil, err
	}
	r := &view.AcknowledgeReport{Acknowledged: halt != nil, Clock: clock != ""}
	if r.Clock {
		if err := a.acknowledgeClock(ctx, s, why, clock); err != nil {
			return nil, err
		}
	}
	if r.Acknowledged {
		if err := s.Acknowledge(ctx, a.who(), why); err != nil {
			return nil, err
		}
	}
	return r, state.Sendable(ctx, s, a.sys.Now()) // what is left to acknowledge
}

// acknowledgeClock takes a person's word that the clock is right, who has looked
// at a calendar.
func (a *app) acknowledgeClock(ctx context.Context, s state.Store, why, date string) error {
	if now := a.sys.Now().UTC(); date != now.Format(time.DateOnly) {
		return a.fail("Clock not confirmed", fmt.Errorf("the clock shows %s (UTC), and -clock=%s was said. Where that is today's date, set the clock right instead", now.Format(time.RFC3339), message.SafeText(date)))
	}
	return s.AcknowledgeClock(ctx, a.who(), why)
}

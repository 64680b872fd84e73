package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/operation"
	"github.com/handbill/handbill/state"
)

func (a *app) stateAcknowledgeCommand() *cobra.Command {
	f := stateFlags{stands: true, sealed: true}
	var ack operation.Acknowledgement
	cmd := &cobra.Command{
		Use: "acknowledge -why=REASON", Short: "let apply send again after a restore, a roll-back or a wrong clock", Args: cobra.NoArgs,
		Long: `A state that was restored from a backup, or that is older than its mark, may not
know of messages that were sent. Apply refuses such a state until somebody has
looked and says why it is right to go on: nothing was sent since, or what was sent
is imported. The state keeps who said so, when and why; "handbill state pull" shows
it.

A clock that was ahead once leaves times in the state that lie in the future, and
apply refuses until they have passed. When the clock is right now, say so with
-clock and today's date (UTC).

A state that was moved elsewhere ("handbill state migrate") is sealed, and stays so: two
that send would know nothing of each other. When the other place is given up for good
and what was sent from it is imported here, add -unseal.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if ack.Why == "" {
				return a.fail("Reason missing", errors.New("say with -why=REASON why nobody will get a message twice, such as -why='nothing was sent since the backup'"))
			}
			return a.changeState(cmd.Context(), &f, "state acknowledge", func(p *project, s state.Store) (view.Report, error) {
				halted, err := operation.Acknowledge(cmd.Context(), p.Workspace, s, ack)
				return &view.AcknowledgeReport{Acknowledged: halted, Clock: ack.Clock != ""}, err
			})
		},
	}
	f.bindChange(cmd)
	cmd.Flags().StringVar(&ack.Clock, "clock", "", "today's date (YYYY-MM-DD, UTC): the clock is right now, and was ahead before")
	cmd.Flags().BoolVar(&ack.Unseal, "unseal", false, "use a state again that was moved elsewhere, since that place is given up")
	cmd.Flags().StringVar(&ack.Why, "why", "", "why going on is right; required")
	return cmd
}

package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/state"
)

func (a *app) stateAcknowledgeCommand() *cobra.Command {
	var f stateFlags
	var why string
	cmd := &cobra.Command{
		Use: "acknowledge -why=REASON", Short: "let apply send again from a state that was restored or rolled back", Args: cobra.NoArgs,
		Long: `A state that was restored from a backup, or that is older than its own mark says,
may not know of messages that were sent. Apply refuses such a state until somebody
has looked and says why going on is right: nothing was sent since, or what was is
imported. Who said so, when and why is kept ("handbill state pull" shows it).`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if why == "" {
				return a.fail("Reason missing", errors.New("say with -why=REASON why nobody will get a message twice, such as -why='nothing was sent since the backup'"))
			}
			return a.changeState(cmd.Context(), &f, "state acknowledge", func(_ *project, s state.Store) (view.Report, error) {
				halt, err := s.Halted(cmd.Context())
				if err == nil && halt != nil {
					err = s.Acknowledge(cmd.Context(), a.who(), why)
				}
				return &view.AcknowledgeReport{Acknowledged: halt != nil}, err
			})
		},
	}
	f.bindChange(cmd)
	cmd.Flags().StringVar(&why, "why", "", "why going on is right; required")
	return cmd
}

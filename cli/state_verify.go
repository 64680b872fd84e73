package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/state/sqlite"
)

func (a *app) stateVerifyCommand() *cobra.Command {
	var f stateFlags
	cmd := &cobra.Command{
		Use: "verify", Short: "prove that the state is what was written", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withFile(cmd.Context(), &f, func(_ *project, s *sqlite.Store) error { return a.stateVerify(cmd.Context(), s) })
		},
	}
	f.in.bind(cmd.Flags())
	return cmd
}

func (a *app) stateVerify(ctx context.Context, s *sqlite.Store) error {
	r, err := s.Verify(ctx)
	if err != nil {
		return a.failState(err, false)
	}
	if r.OK() {
		fmt.Fprintf(a.sys.Stdout, "The state is sound: %s checked.\n", view.Plural(int(r.Rows), "row"))
		return nil
	}
	const shown = 10
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s rows are not what was written:\n", view.Count(len(r.Problems)), view.Count(int(r.Rows)))
	for i, p := range r.Problems {
		if i == shown {
			fmt.Fprintf(&b, "    and %d more\n", len(r.Problems)-shown)
			break
		}
		fmt.Fprintf(&b, "    %s row %d: %s\n", p.Table, p.Row, p.What)
	}
	b.WriteString("\nDo not apply with this state. Restore a backup with \"handbill state restore FILE\"; the automatic ones lie beside the state.")
	return a.fail("State damaged", fmt.Errorf("%s", b.String()))
}

package cli

import (
	"context"
	"encoding/csv"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

func (a *app) optoutsListCommand() *cobra.Command {
	var f stateFlags
	asCSV := false
	cmd := &cobra.Command{
		Use: "list", Short: "list opt-outs with their evidence", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withState(cmd.Context(), &f, func(_ *project, s state.Store) error { return a.optoutsList(cmd.Context(), s, f.show, asCSV) })
		},
	}
	f.in.bind(cmd.Flags())
	cmd.Flags().BoolVar(&f.show, "show-recipients", false, "show numbers as they are")
	cmd.Flags().BoolVar(&asCSV, "csv", false, "as CSV, which import reads; with numbers as they are")
	return cmd
}

func (a *app) optoutsList(ctx context.Context, s state.Store, show, asCSV bool) error {
	style := a.style()
	style.ShowRecipients = show || asCSV
	out := csv.NewWriter(a.sys.Stdout)
	if asCSV {
		_ = out.Write([]string{"recipient", "reason", "at", "evidence"}) // out keeps the error for Flush
	}
	n := 0
	for e, err := range s.OptOuts(ctx) {
		if err != nil {
			return a.failState(err, false)
		}
		n++
		at := e.At.UTC().Format(time.RFC3339)
		if asCSV {
			_ = out.Write([]string{cell(e.Recipient), cell(e.Reason), at, cell(e.Evidence)})
			continue
		}
		fmt.Fprintf(a.sys.Stdout, "%s  %s  %s  %s\n", style.Recipient(e.Recipient), at, message.SafeText(e.Reason), message.SafeText(e.Evidence))
	}
	out.Flush()
	if !asCSV {
		fmt.Fprintf(a.sys.Stdout, "%s.\n", view.Plural(n, "opt-out"))
	}
	return out.Error()
}

// cell keeps a spreadsheet from taking a text for a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

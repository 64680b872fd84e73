package cli

import (
	"fmt"
	"sort"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
)

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use: "explain [CODE]", Short: "say what a diagnostic or a provider's code means, and what to do", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			codes := append(lang.Codes(), plan.Codes()...)
			sort.SliceStable(codes, func(i, j int) bool { return codes[i].Code < codes[j].Code })
			found := false
			for i, c := range codes {
				if len(args) == 0 {
					if i > 0 && codes[i-1].Code == c.Code {
						continue // said for the configuration and for a plan: one line, two explanations
					}
					fmt.Fprintf(a.sys.Stdout, "%-32s %s\n", c.Code, c.Summary)
				} else if c.Code == args[0] {
					fmt.Fprint(a.sys.Stdout, view.Explanation(c.Code, c.Summary, c.Explanation))
					found = true
				}
			}
			if len(args) == 1 {
				if text := explainProviderCode(args[0]); text != "" {
					fmt.Fprint(a.sys.Stdout, text)
					found = true
				}
			}
			if len(args) == 1 && !found {
				return a.fail("No such code", fmt.Errorf("there is no diagnostic %q, and no provider has that code; \"handbill explain\" lists the diagnostics", message.SafeText(args[0])))
			}
			return nil
		},
	}
}

package cli

import (
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
)

func (a *app) graphCommand() *cobra.Command {
	var in inputFlags
	cmd := &cobra.Command{
		Use: "graph", Short: "print the dependency graph in Graphviz's language", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.load(cmd.Context(), &in)
			if err != nil {
				return err
			}
			defer p.Close()
			return a.show(view.Raw(p.Config.Graph.DOT()), a.style(), false)
		},
	}
	in.bind(cmd.Flags())
	return cmd
}

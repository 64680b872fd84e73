package cli

import (
	"fmt"

	"github.com/spf13/cobra"
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
			_, err = fmt.Fprint(a.sys.Stdout, p.Config.Graph.DOT())
			return err
		},
	}
	in.bind(cmd.Flags())
	return cmd
}

package cli

import (
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/workspace"
)

func (a *app) metadataCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "metadata", Short: "describe the language, for editors", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(
		a.metadataOf("functions", "the functions of the language", func() view.Report {
			return view.FunctionsReport(lang.Functions())
		}),
		a.metadataOf("schema", "the JSON Schema of the language's JSON syntax (*.hcl.json)", func() view.Report {
			return view.Document{Value: lang.JSONSchema(workspace.Schemas())}
		}))
	return cmd
}

func (a *app) metadataOf(name, what string, report func() view.Report) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{Use: name, Short: what, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.show(report(), a.style(), asJSON) }}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

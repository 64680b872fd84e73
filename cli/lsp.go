package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/lsp"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/workspace"
)

func (a *app) lspCommand() *cobra.Command {
	var in inputFlags
	cmd := &cobra.Command{
		Use: "lsp [flags]", Short: "help an editor: a language server on stdin and stdout", Args: cobra.NoArgs,
		Long: `Speaks the Language Server Protocol on standard input and output; editors start
it. It says what is wrong while you type, as validate does, formats as fmt does,
completes, explains, counts characters and finds declarations. It opens neither
the state nor a connection.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.lsp(cmd.Context(), &in) },
	}
	in.bindVars(cmd.Flags())
	return cmd
}

func (a *app) lsp(ctx context.Context, in *inputFlags) error {
	ctx, cancel := a.untilInterrupt(ctx)
	defer cancel()
	err := lsp.Serve(ctx, a.sys.Stdin, a.sys.Stdout, &lsp.Options{
		Version: a.sys.Build.Version,
		Lang:    a.hostOf(in).LangOptions(a.dir(), in.vars),
		Check: func(cfg *lang.Config) hcl.Diagnostics {
			return append(plan.Outdated(cfg, workspace.Outdated(a.sys.Now())), plan.Carried(cfg, workspace.Supports())...)
		},
		Code:    plan.DiagCode,
		Columns: plan.FileColumns,
		Explain: func(code string) string {
			for _, c := range allCodes() {
				if c.Code == code {
					return c.Explanation
				}
			}
			return ""
		},
	})
	switch {
	case errors.Is(err, lsp.ErrNoShutdown):
		return exit(exitError)
	case err != nil && a.out.lost() == nil:
		return a.fail("Editor not understood", fmt.Errorf("reading standard input: %w", err))
	}
	return err
}

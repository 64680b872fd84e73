package cli

import (
	"bufio"
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
)

func (a *app) consoleCommand() *cobra.Command {
	var in inputFlags
	cmd := &cobra.Command{
		Use: "console", Short: "try expressions", Args: cobra.NoArgs,
		Long: `Evaluates expressions from standard input, one a line, with the configuration's
variables, locals, catalogs and functions. "exit" or the end of input ends it.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.console(cmd.Context(), &in) },
	}
	in.bind(cmd.Flags())
	return cmd
}

func (a *app) console(ctx context.Context, in *inputFlags) error {
	p, err := a.load(ctx, in)
	if err != nil {
		return err
	}
	defer p.Close()
	lines := bufio.NewScanner(a.sys.Stdin)
	lines.Buffer(nil, 1<<20)
	failed := false
	for {
		if a.sys.StdinTerminal {
			if err := a.show(view.Raw("> "), a.style(), false); err != nil {
				return err
			}
		}
		if !lines.Scan() {
			break
		}
		src := strings.TrimSpace(lines.Text())
		if src == "exit" || src == "quit" {
			break
		}
		if src == "" {
			continue
		}
		value, diags := p.Config.EvalConsole(src)
		if a.hclDiags(diags, map[string][]byte{"<console>": []byte(src)}) {
			failed = true
			continue
		}
		if err := a.show(view.Line(view.Value(value)), a.style(), false); err != nil {
			return err
		}
	}
	if failed && !a.sys.StdinTerminal {
		return exit(exitError)
	}
	return lines.Err()
}

package cli

import (
	"fmt"
	"io"

	"github.com/aymanbagabas/go-udiff"
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/operation"
)

// fmtOptions are the flags of fmt.
type fmtOptions struct {
	check, diff, recursive bool
}

func (a *app) fmtCommand() *cobra.Command {
	var opt fmtOptions
	cmd := &cobra.Command{
		Use: "fmt [flags] [PATH...]", Short: "rewrite files in the canonical format",
		Long: `Rewrites *.hcl files (also *.vars.hcl and *.test.hcl) in the canonical format.
Comments are kept. The names of files that changed are printed. PATH is a file, a
directory, or "-" for standard input; the current directory by default.`,
		RunE: func(_ *cobra.Command, args []string) error { return a.format(opt, args) },
	}
	cmd.Flags().BoolVar(&opt.check, "check", false, "change nothing; exit 1 when a file is not formatted")
	cmd.Flags().BoolVar(&opt.diff, "diff", false, "show the differences")
	cmd.Flags().BoolVar(&opt.recursive, "recursive", false, "also the directories below")
	return cmd
}

func (a *app) format(opt fmtOptions, paths []string) error {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var files []string
	for _, p := range paths {
		if p == "-" {
			return a.formatStdin()
		}
		found, err := operation.FormatFiles(a.path(p), opt.recursive)
		if err != nil {
			return a.fail("Unreadable path", fmt.Errorf("%s: %w", p, err))
		}
		files = append(files, found...)
	}
	changed, failed := false, false
	for _, f := range files {
		did, err := a.formatFile(f, opt)
		if err != nil {
			return a.fail("File not formatted", err)
		}
		changed, failed = changed || did == formatChanged, failed || did == formatFailed
	}
	if failed || opt.check && changed {
		return exit(exitError)
	}
	return nil
}

func (a *app) formatStdin() error {
	src, err := io.ReadAll(io.LimitReader(a.sys.Stdin, 1<<20+1))
	if err != nil {
		return a.fail("Unreadable input", err)
	}
	out, diags := lang.Format(src, "<stdin>")
	if a.hclDiags(diags, map[string][]byte{"<stdin>": src}) {
		return exit(exitError)
	}
	return a.show(view.Raw(out), a.style(), false)
}

type formatResult int

const (
	formatSame formatResult = iota
	formatChanged
	formatFailed
)

// formatFile formats one file, and shows and does what the flags ask for.
func (a *app) formatFile(path string, opt fmtOptions) (formatResult, error) {
	name := a.display(path)
	f, diags, err := operation.FormatFile(path, name)
	if err != nil {
		return formatSame, err
	}
	if a.hclDiags(diags, map[string][]byte{name: f.Before}) {
		return formatFailed, nil
	}
	if !f.Changed() {
		return formatSame, nil
	}
	r := &view.FormatReport{File: name}
	if opt.diff {
		r.Diff = udiff.Unified("old/"+name, "new/"+name, string(f.Before), string(f.After))
	}
	if err := a.show(r, a.style(), false); err != nil {
		return formatSame, err
	}
	if opt.check {
		return formatChanged, nil
	}
	return formatChanged, f.Write()
}

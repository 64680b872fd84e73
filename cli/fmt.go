package cli

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/workspace"
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
		found, err := a.formatFiles(p, opt.recursive)
		if err != nil {
			return a.fail("Unreadable path", err)
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

// formatFiles are the files that PATH stands for.
func (a *app) formatFiles(path string, recursive bool) ([]string, error) {
	full := path
	if !filepath.IsAbs(path) {
		full = filepath.Join(a.dir(), path)
	}
	info, err := os.Stat(full)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, workspace.PathCause(err))
	}
	if !info.IsDir() {
		return []string{full}, nil
	}
	var out []string
	err = filepath.WalkDir(full, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != full && (!recursive || strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case !d.IsDir() && strings.HasSuffix(d.Name(), ".hcl") && !strings.HasPrefix(d.Name(), "."):
			out = append(out, p)
		}
		return nil
	})
	return out, err
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

// formatFile formats one file. It is written beside and renamed, so that a
// full disk loses nothing.
func (a *app) formatFile(path string, opt fmtOptions) (formatResult, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return formatSame, fmt.Errorf("%s: %w", a.display(path), workspace.PathCause(err))
	}
	name := a.display(path)
	out, diags := lang.Format(src, name)
	if a.hclDiags(diags, map[string][]byte{name: src}) {
		return formatFailed, nil
	}
	if bytes.Equal(src, out) {
		return formatSame, nil
	}
	r := &view.FormatReport{File: name}
	if opt.diff {
		r.Diff = udiff.Unified("old/"+name, "new/"+name, string(src), string(out))
	}
	if err := a.show(r, a.style(), false); err != nil {
		return formatSame, err
	}
	if opt.check {
		return formatChanged, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return formatSame, fmt.Errorf("%s: %w", name, workspace.PathCause(err))
	}
	return formatChanged, writeFile(path, out, info.Mode().Perm())
}

// writeFile replaces a file in one step.
func writeFile(path string, data []byte, mode fs.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), workspace.PathCause(err))
	}
	defer os.Remove(tmp.Name())
	if err := tmp.Chmod(mode); err != nil {
		tmp.Close()
		return err
	}
	if _, err := tmp.Write(data); err != nil {
		tmp.Close()
		return fmt.Errorf("%s: %w", filepath.Base(path), workspace.PathCause(err))
	}
	if err := tmp.Sync(); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

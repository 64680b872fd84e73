package cli

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/workspace"
)

// starter is the campaign that init writes into an empty directory.
//
//go:embed starter
var starter embed.FS

func (a *app) initCommand() *cobra.Command {
	var in inputFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use: "init [flags]", Short: "start a campaign here, or prepare the state", Args: cobra.NoArgs,
		Long: `In an empty directory, writes a small campaign that is ready to plan and apply
against the sandbox. In a directory with configuration, checks it, and makes or
migrates the state.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.init(cmd.Context(), &in, asJSON) },
	}
	in.bind(cmd.Flags())
	bindJSON(cmd, &asJSON)
	return cmd
}

func (a *app) init(ctx context.Context, in *inputFlags, asJSON bool) error {
	dir := a.dir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return a.fail("Directory not usable", fmt.Errorf("%s: %w", a.display(dir), workspace.PathCause(err)))
	}
	r := &view.InitReport{Hints: !a.automation()}
	empty, err := noConfiguration(dir)
	if err != nil {
		return a.fail("Unreadable directory", fmt.Errorf("%s: %w", a.display(dir), workspace.PathCause(err)))
	}
	if empty {
		names, err := writeStarter(dir)
		if err != nil {
			return a.fail("Starter not written", err)
		}
		r.Wrote = names
	}
	p, err := a.load(ctx, in)
	if err != nil {
		return err
	}
	defer p.Close()
	a.diagnose(p.diags)
	store, created, err := p.OpenState(ctx)
	if err != nil {
		return a.failState(err, false)
	}
	defer store.Close()
	if err := a.warnStanding(ctx, p, store); err != nil {
		return err
	}
	r.State, r.Created = a.display(p.StatePath()), created
	return a.show(r, a.style(), asJSON)
}

// noConfiguration reports whether a directory holds no configuration.
func noConfiguration(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if n := e.Name(); strings.HasSuffix(n, ".hcl") || strings.HasSuffix(n, ".hcl.json") {
			return false, nil
		}
	}
	return true, nil
}

// writeStarter writes the starter's files; one that exists is an error, so
// that nothing is overwritten.
func writeStarter(dir string) ([]string, error) {
	var names []string
	err := fs.WalkDir(starter, "starter", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := starter.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := os.OpenFile(filepath.Join(dir, d.Name()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return fmt.Errorf("%s: %w", d.Name(), workspace.PathCause(err))
		}
		names = append(names, d.Name())
		_, err = f.Write(data)
		if err = errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("%s: %w", d.Name(), workspace.PathCause(err))
		}
		return nil
	})
	if err != nil { // half a starter would keep the next init from writing a whole one
		for _, name := range names {
			err = errors.Join(err, os.Remove(filepath.Join(dir, name)))
		}
		return nil, err
	}
	return names, nil
}

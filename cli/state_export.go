package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state/sqlite"
	"github.com/handbill/handbill/workspace"
)

func (a *app) stateExportCommand() *cobra.Command {
	var f stateFlags
	var out string
	cmd := &cobra.Command{
		Use: "export -out=FILE", Short: "write the state as JSON lines into a file", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withFile(cmd.Context(), &f, func(_ *project, s *sqlite.Store) (view.Report, error) {
				return &view.ExportReport{File: out}, a.stateExport(cmd.Context(), s, out)
			})
		},
	}
	f.bindRead(cmd)
	cmd.Flags().StringVar(&out, "out", "", "the file; it must not exist")
	if err := cmd.MarkFlagRequired("out"); err != nil {
		panic(err)
	}
	return cmd
}

func (a *app) stateExport(ctx context.Context, s *sqlite.Store, name string) error {
	file, err := os.OpenFile(a.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return a.fail("Export not written", fmt.Errorf("there is something at %s already, and an export never overwrites; name another file", message.SafeText(name)))
	}
	if err != nil {
		return a.fail("Export not written", fmt.Errorf("%s: %w", message.SafeText(name), workspace.PathCause(err)))
	}
	err = s.Export(ctx, file)
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.Remove(a.path(name))
		return a.fail("Export not written", err)
	}
	return nil
}

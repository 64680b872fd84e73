package cli

import (
	"runtime"

	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
)

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "version", Short: "show the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b := &a.sys.Build
			r := &view.VersionReport{Version: b.Version, Revision: b.Revision, Date: b.Date, Dirty: b.Dirty, Build: b.ID(),
				Go: b.Go, Platform: runtime.GOOS + "_" + runtime.GOARCH}
			return a.show(r, a.style(), asJSON)
		},
	}
	bindJSON(cmd, &asJSON)
	return cmd
}

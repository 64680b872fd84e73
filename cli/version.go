package cli

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// versionReport is what version says.
type versionReport struct {
	Version  string `json:"handbill_version"`
	Revision string `json:"revision"`
	Date     string `json:"date"`
	Dirty    bool   `json:"dirty"`
	Build    string `json:"handbill_build"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "version", Short: "show the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b := &a.sys.Build
			r := versionReport{Version: b.Version, Revision: b.Revision, Date: b.Date, Dirty: b.Dirty, Build: b.ID(),
				Go: b.Go, Platform: runtime.GOOS + "_" + runtime.GOARCH}
			if asJSON {
				out, err := json.MarshalIndent(r, "", "  ")
				if err != nil {
					return err
				}
				fmt.Fprintln(a.sys.Stdout, string(out))
				return nil
			}
			fmt.Fprintf(a.sys.Stdout, "handbill %s\non %s, %s\n", versionName(r.Version), r.Platform, r.Go)
			if r.Revision != "" {
				changed := ""
				if r.Dirty {
					changed = ", with changes that are not committed"
				}
				fmt.Fprintf(a.sys.Stdout, "from commit %s of %s%s\n", r.Revision, r.Date, changed)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

// versionName writes a version as people do.
func versionName(version string) string {
	if version == "devel" {
		return "without a version"
	}
	return "v" + version
}

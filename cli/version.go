package cli

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// Version is handbill's own, by semantic versioning; a saved plan is bound to
// it.
const Version = "0.1.0"

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "version", Short: "show the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			platform := runtime.GOOS + "_" + runtime.GOARCH
			if asJSON {
				out, err := json.MarshalIndent(map[string]string{"handbill_version": Version, "platform": platform}, "", "  ")
				if err != nil {
					return err
				}
				fmt.Fprintln(a.sys.Stdout, string(out))
				return nil
			}
			fmt.Fprintf(a.sys.Stdout, "handbill v%s\non %s\n", Version, platform)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

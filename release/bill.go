package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// billTool returns the path of cyclonedx-gomod, in the version that go.mod pins. The
// Go command builds it if need be.
func billTool(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "tool", "-n", "cyclonedx-gomod").Output()
	if err != nil {
		return "", fmt.Errorf("go tool -n cyclonedx-gomod, in the directory of the release module: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// bill writes the modules of which a program consists, with their licences, in the
// form of CycloneDX.
func (r *release) bill(ctx context.Context, t *target) error {
	out, err := filepath.Abs(r.output(t.String(), ".cdx.json"))
	if err != nil {
		return err
	}
	_, err = r.run(ctx, t, r.biller, "app", "-json", "-licenses", "-std", "-noserial", "-notimestamp", "-main", ".", "-output", out, ".")
	return err
}

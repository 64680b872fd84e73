package operation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/workspace"
)

// Generate writes template, catalog and singleton blocks for the import blocks that have none into a new
// file at path, which the workspace's directory holds and which people know as name.
// If the diagnostics contain errors, nothing is written. A file that exists is never
// written.
func Generate(ctx context.Context, ws *workspace.Workspace, name, path string) (hcl.Diagnostics, error) {
	base := filepath.Base(path)
	dir, err := filepath.Abs(filepath.Dir(path))
	own, err2 := filepath.Abs(ws.Dir)
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	if dir != own || !lang.Generates(base) {
		return nil, fmt.Errorf("%s is not a file that would be read as a part of the configuration: name one in its directory that ends in .hcl", message.SafeText(name))
	}
	if _, err := ws.Root.Lstat(base); err == nil {
		return nil, fmt.Errorf("%s exists, and a file is never overwritten: name another one, or remove it", message.SafeText(name))
	}
	made, diags := plan.Generate(ctx, ws.Config, ws.Accounts(ctx), ws.Catalogs(), ws.Singletons())
	if diags.HasErrors() {
		return diags, nil
	}
	if made.Source != nil {
		if err := create(ws.Root, base, made.Source); err != nil {
			return nil, fmt.Errorf("%s: %w", message.SafeText(name), workspace.PathCause(err))
		}
	}
	return append(diags, made.Wrote(name)), nil
}

// create writes a new file.
func create(root *os.Root, name string, content []byte) error {
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}

package operation

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/workspace"
)

// FormatFiles lists the files at a path: the file itself, or the *.hcl files of a
// directory, sorted by name. With recursive it includes subdirectories. Names that
// begin with a dot are left out.
func FormatFiles(path string, recursive bool) (files []string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, workspace.PathCause(err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(d.Name(), ".")
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != path && (!recursive || hidden):
			return filepath.SkipDir
		case !d.IsDir() && strings.HasSuffix(d.Name(), ".hcl") && !hidden:
			files = append(files, p)
		}
		return nil
	})
	return files, err
}

// Formatted is a source file and its canonical form.
type Formatted struct {
	Path          string
	Before, After []byte
}

// FormatFile reads and formats a file without changing it; diagnostics call it
// name. If the diagnostics contain errors, After is empty.
func FormatFile(path, name string) (*Formatted, hcl.Diagnostics, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, workspace.PathCause(err))
	}
	out, diags := lang.Format(src, name)
	return &Formatted{Path: path, Before: src, After: out}, diags, nil
}

// Changed reports whether the file is not in canonical form.
func (f *Formatted) Changed() bool { return !bytes.Equal(f.Before, f.After) }

// Write replaces the file by After and keeps its permissions. It writes a new file
// and renames it, so that a full disk loses nothing.
func (f *Formatted) Write() error {
	if err := f.write(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(f.Path), workspace.PathCause(err))
	}
	return nil
}

func (f *Formatted) write() error {
	info, err := os.Stat(f.Path)
	if err != nil {
		return err
	}
	draft, err := os.CreateTemp(filepath.Dir(f.Path), "."+filepath.Base(f.Path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	_, err = draft.Write(f.After)
	if err = errors.Join(err, draft.Chmod(info.Mode().Perm()), draft.Sync(), draft.Close()); err != nil {
		return err
	}
	return os.Rename(draft.Name(), f.Path)
}

package operation

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/handbill/handbill/workspace"
)

// maxModuleFiles bounds a copy, so that a wrong directory is not copied whole.
const maxModuleFiles = 1000

// CopyModule copies the module in the directory from into the directory to, which must
// be empty or not exist, and returns the names of the files. It leaves out hidden files
// and states. If it fails, nothing stays.
func CopyModule(from, to string) (names []string, err error) {
	const summary = "Module not copied"
	has, err := hasConfiguration(from)
	if err != nil {
		return nil, &Error{summary, fmt.Errorf("the directory to copy from: %w; only a directory of this machine can be copied", workspace.PathCause(err))}
	}
	if !has {
		return nil, refuse(summary, "the directory to copy from has no file whose name ends in .hcl or .hcl.json")
	}
	source, err := os.OpenRoot(from)
	if err != nil {
		return nil, &Error{summary, workspace.PathCause(err)}
	}
	defer source.Close()
	if names, err = moduleFiles(source.FS()); err != nil {
		return nil, &Error{summary, err}
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return nil, &Error{summary, workspace.PathCause(err)}
	}
	if there, err := os.ReadDir(to); err != nil || len(there) > 0 {
		return nil, &Error{summary, errors.Join(err, errors.New("the directory to copy into is not empty, and no file is written over"))}
	}
	if err := copyFiles(source.FS(), names, to); err != nil {
		return nil, &Error{summary, err}
	}
	return names, nil
}

// moduleFiles are the files of a module, sorted.
func moduleFiles(source fs.FS) ([]string, error) {
	var names []string
	err := fs.WalkDir(source, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(d.Name(), "."), strings.HasPrefix(d.Name(), "handbill.state"):
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir():
		case !d.Type().IsRegular():
			return fmt.Errorf("%s is not a regular file", name)
		case len(names) == maxModuleFiles:
			return fmt.Errorf("a module has %d files at most", maxModuleFiles)
		default:
			names = append(names, name)
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

// copyFiles copies files into an empty directory. If it fails, it empties it again.
func copyFiles(source fs.FS, names []string, to string) error {
	for _, name := range names {
		data, err := fs.ReadFile(source, name)
		path := filepath.Join(to, filepath.FromSlash(name))
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o755)
		}
		if err == nil {
			_, err = writeNew(path, data)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", name, workspace.PathCause(err))
			for _, done := range names {
				first, _, _ := strings.Cut(done, "/")
				err = errors.Join(err, os.RemoveAll(filepath.Join(to, first)))
			}
			return err
		}
	}
	return nil
}

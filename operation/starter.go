package operation

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/handbill/handbill/workspace"
)

// starter is the campaign that WriteStarter copies.
//
//go:embed starter
var starter embed.FS

// WriteStarter writes a small campaign, ready to plan, into a directory that
// holds no configuration, and returns the names of its files. It returns none
// where the directory holds a *.hcl or *.hcl.json file. It overwrites nothing: a
// file that exists is an error. After an error none of its files is left, so that
// the next try writes all of them.
func WriteStarter(dir string) (names []string, err error) {
	has, err := hasConfiguration(dir)
	if err != nil {
		return nil, &Error{"Unreadable directory", workspace.PathCause(err)}
	}
	if has {
		return nil, nil
	}
	err = fs.WalkDir(starter, "starter", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := starter.ReadFile(path)
		if err != nil {
			return err
		}
		made, err := writeNew(filepath.Join(dir, d.Name()), data)
		if made {
			names = append(names, d.Name())
		}
		if err != nil {
			return fmt.Errorf("%s: %w", d.Name(), workspace.PathCause(err))
		}
		return nil
	})
	if err != nil {
		for _, name := range names {
			err = errors.Join(err, os.Remove(filepath.Join(dir, name)))
		}
		return nil, &Error{"Starter not written", err}
	}
	return names, nil
}

// hasConfiguration reports whether a directory holds a file of the language.
func hasConfiguration(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if n := e.Name(); strings.HasSuffix(n, ".hcl") || strings.HasSuffix(n, ".hcl.json") {
			return true, err
		}
	}
	return false, err
}

// writeNew writes a file that must not exist yet. made reports whether it was
// created, even if writing failed.
func writeNew(path string, data []byte) (made bool, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return false, err
	}
	_, err = f.Write(data)
	return true, errors.Join(err, f.Close())
}

package lang

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// moduleFiles reads the files of modules.
type moduleFiles struct {
	ctx     context.Context
	given   map[string][]byte // those of a saved plan or a snapshot, by name
	overlay map[string][]byte // in place of files, by name
	places  *moduleDirs
	parsed  map[string][]hcl.Body // by directory; nil for one that cannot be used
}

// read returns the configuration files of a directory by name. It says why if there
// are none.
func (f *moduleFiles) read(dir string, diags *diagList) (files map[string][]byte, why string) {
	files = map[string][]byte{}
	for name, src := range f.given {
		if path.Dir(name) == dir && roleOf(path.Base(name)) == roleConfig {
			files[name] = src
		}
	}
	if len(files) > 0 {
		return files, ""
	}
	root, below, ok := f.places.find(dir)
	switch {
	case !ok && f.places.root == nil:
		return nil, "The module's files in " + dir + " are not part of what was stored."
	case !ok:
		return nil, "The directory " + dir + " lies outside of the configuration's. Give the directory in which such modules are with -module-dir=DIR."
	}
	sub, err := root.OpenRoot(below)
	if err != nil {
		return nil, "The directory " + dir + " cannot be opened: " + cause(err) + "."
	}
	defer sub.Close()
	found := readDir(f.ctx, sub, diags)
	overlay(found, dir, f.overlay, diags)
	for name, src := range found {
		if roleOf(name) == roleConfig {
			files[path.Join(dir, name)] = src
		}
	}
	if len(files) == 0 {
		return nil, "There is no file in " + dir + " whose name ends in .hcl or .hcl.json."
	}
	return files, ""
}

// moduleDirs are the places of files: the configuration's directory, and those beside
// it in which modules may lie.
type moduleDirs struct {
	root   *os.Root // nil where no file may be read
	beside []besideDir
}

type besideDir struct {
	path string // relative to the configuration's directory, with slashes
	root *os.Root
}

// openModuleDirs opens the directories of -module-dir, beside that of a configuration.
func openModuleDirs(root *os.Root, dirs []string, diags *diagList) *moduleDirs {
	m := &moduleDirs{root: root}
	if root == nil {
		return m
	}
	base, err := filepath.Abs(root.Name())
	for _, dir := range dirs {
		abs, failed := filepath.Abs(dir)
		rel := ""
		if err == nil && failed == nil {
			rel, failed = filepath.Rel(base, abs)
		}
		if err != nil || failed != nil {
			diags.err("file_unreadable", hcl.Range{}, "The directory of -module-dir=%s cannot be told from here.", dir)
			continue
		}
		if filepath.IsLocal(rel) {
			continue // of the configuration's directory anyway
		}
		if opened := openRoot(dir, diags); opened != nil {
			m.beside = append(m.beside, besideDir{filepath.ToSlash(rel), opened})
		}
	}
	return m
}

func (m *moduleDirs) close() {
	for _, b := range m.beside {
		b.root.Close()
	}
}

// find returns the directory to which reads of a name are confined, and the name in it.
func (m *moduleDirs) find(name string) (*os.Root, string, bool) {
	name = path.Clean(filepath.ToSlash(name))
	if filepath.IsLocal(name) {
		return m.root, name, m.root != nil
	}
	for _, b := range m.beside {
		if name == b.path {
			return b.root, ".", true
		}
		if below, ok := strings.CutPrefix(name, b.path+"/"); ok {
			return b.root, below, true
		}
	}
	return nil, "", false
}

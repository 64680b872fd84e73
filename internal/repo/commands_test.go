package repo

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// commandFile is a file of cli.
type commandFile struct {
	name     string
	ast      *ast.File
	commands []string // methods that make a command; none in a file that commands share
	declares map[string]bool
}

func readCommandFile(t *testing.T, path string) *commandFile {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := &commandFile{name: filepath.Base(path), ast: file, declares: map[string]bool{}}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			switch {
			case d.Recv == nil:
				c.declares[d.Name.Name] = true
			case receiver(d) == "app":
				c.declares["a."+d.Name.Name] = true
				if strings.HasSuffix(d.Name.Name, "Command") {
					c.commands = append(c.commands, d.Name.Name)
				}
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					c.declares[s.Name.Name] = true
				case *ast.ValueSpec:
					for _, n := range s.Names {
						c.declares[n.Name] = true
					}
				}
			}
		}
	}
	return c
}

func receiver(d *ast.FuncDecl) string {
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if id, ok := typ.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// uses returns the names that a file uses from other files: those of the package,
// and methods of app as "a.name".
func (c *commandFile) uses() map[string]bool {
	used := map[string]bool{}
	for _, id := range c.ast.Unresolved {
		used[id.Name] = true
	}
	ast.Inspect(c.ast, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "a" {
				used["a."+sel.Sel.Name] = true
			}
		}
		return true
	})
	return used
}

// TestCommandsStandAlone checks that a file of cli holds one command. Other
// files use nothing that it declares except the command itself, which its
// parent command lists. Code that commands share is in files without a command,
// and in other packages.
func TestCommandsStandAlone(t *testing.T) {
	paths, err := filepath.Glob("cli/*.go")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files of cli: %v", err)
	}
	var files []*commandFile
	for _, p := range paths {
		if !strings.HasSuffix(p, "_test.go") {
			files = append(files, readCommandFile(t, p))
		}
	}
	commands := 0
	for _, f := range files {
		commands += len(f.commands)
		if len(f.commands) > 1 {
			t.Errorf("cli/%s holds %d commands: %s", f.name, len(f.commands), strings.Join(f.commands, ", "))
		}
		if len(f.commands) == 0 {
			continue
		}
		for _, other := range files {
			if other == f {
				continue
			}
			used := other.uses()
			for _, name := range slices.Sorted(maps.Keys(f.declares)) {
				if used[name] && name != "a."+f.commands[0] {
					t.Errorf("cli/%s uses %s of the command in cli/%s; move it to a room, or to a file that commands share", other.name, name, f.name)
				}
			}
		}
	}
	if commands < 30 {
		t.Errorf("only %d commands were found; is their form another now?", commands)
	}
}

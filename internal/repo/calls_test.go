package repo

import (
	"go/ast"
	"strings"
	"testing"
)

// banned are the calls that only main and cli may make: a clock, an
// environment and writers are passed in.
var banned = map[string][]string{
	"os":   {"Getenv", "LookupEnv", "Environ", "Stdout", "Stderr", "Stdin", "Exit"},
	"fmt":  {"Print", "Println", "Printf"},
	"time": {"Now", "Since", "Until"},
}

func checkCalls(t *testing.T, path string, file *ast.File, room string) {
	t.Helper()
	if strings.HasPrefix(room, "internal/") || room == "providers/providertest" || room == "release" {
		return // test support, and a program of its own
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if fn, ok := n.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			t.Errorf("%s has an init function; register explicitly instead", path)
		}
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := sel.X.(*ast.Ident)
		if !ok || pkg.Obj != nil {
			return true
		}
		for _, name := range banned[pkg.Name] {
			if sel.Sel.Name == name {
				t.Errorf("%s uses %s.%s; only main and cli may, pass it in", path, pkg.Name, name)
			}
		}
		return true
	})
}

package repo

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// TestReport prints lengths of functions and files for each room; "make
// report" shows them. They are watched, not gated: it fails only when the tree
// can't be read.
func TestReport(t *testing.T) {
	funcs, files := map[string][]int{}, map[string][]int{}
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		room := filepath.Dir(path)
		files[room] = append(files[room], fset.Position(file.End()).Line)
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				funcs[room] = append(funcs[room], fset.Position(fn.End()).Line-fset.Position(fn.Pos()).Line+1)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rooms := make([]string, 0, len(files))
	for room := range files {
		rooms = append(rooms, room)
	}
	sort.Strings(rooms)
	fmt.Printf("%-24s %6s %18s %20s\n", "room", "files", "lines med/p95/max", "function med/p95/max")
	for _, room := range rooms {
		fmt.Printf("%-24s %6d %18s %20s\n", room, len(files[room]), spread(files[room]), spread(funcs[room]))
	}
}

func spread(n []int) string {
	if len(n) == 0 {
		return "-"
	}
	sort.Ints(n)
	return fmt.Sprintf("%d / %d / %d", n[len(n)/2], n[len(n)*95/100], n[len(n)-1])
}

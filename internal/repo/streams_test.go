package repo

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// writers are the files of cli that use the standard streams, and why. All other
// output is a report, which report.go passes to its view.
var writers = map[string]string{
	"report.go":   "passes reports and diagnostics to their views",
	"notice.go":   "lines beside a report, while a command works",
	"progress.go": "draws how far a command is, over and over",
	"prompt.go":   "asks questions",
	"log.go":      "the log that HANDBILL_LOG asks for",
	"cli.go":      "gives cobra its streams, and tells of mistakes in the arguments before there is a command",
	"lsp.go":      "hands the stream to the language server, which speaks JSON-RPC",
	"system.go":   "names the streams of the process",
}

// TestReportsAlonePrint checks that no command prints. Output is a report of
// cli/view, so that all formats say the same.
func TestReportsAlonePrint(t *testing.T) {
	paths, err := filepath.Glob("cli/*.go")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files of cli: %v", err)
	}
	used := map[string]bool{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		ast.Inspect(file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "Stdout" && sel.Sel.Name != "Stderr" {
				return true
			}
			if used[name] = true; writers[name] == "" {
				t.Errorf("%s: %s is used; make a report of cli/view, and show it with a.show", fset.Position(sel.Pos()), sel.Sel.Name)
			}
			return true
		})
	}
	for name := range writers {
		if !used[name] {
			t.Errorf("cli/%s touches no stream any more; take it out of the list", name)
		}
	}
}

package lang

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReferenceHasEverySchema checks that the table of blocks has exactly the
// arguments that the decoders accept. The decoders' schemas are read from the
// source, since each is defined where its block is decoded.
func TestReferenceHasEverySchema(t *testing.T) {
	decoders := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "reference.go" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			fn, ok := call.Fun.(*ast.Ident)
			lit, isText := call.Args[0].(*ast.BasicLit)
			if ok && isText && fn.Name == "schema" {
				args, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				decoders[sortedArgs(args)] = true
			}
			return true
		})
	}
	// A source block and a state block have a schema for each of their labels, and a
	// module block takes what the module asks for.
	// Blocks of which a number or account has one are made from one table for both.
	// A dynamic block can stand for any other; docs/language.md describes it.
	for _, merged := range []string{"for_each! iterator labels", "path! encoding delimiter", "path!", "path! records", "path! sheet header_row", "driver! dsn! query! timeout", "url! format headers records next encoding delimiter timeout", "of! filter after", "path", "url! schema"} {
		delete(decoders, sortedArgs(merged))
	}
	table := map[string]bool{}
	var visit func([]BlockInfo)
	visit = func(list []BlockInfo) {
		for _, b := range list {
			if b.Type != "source" && b.Type != "state" && b.Type != rootModule && !isSingleton(b.Type) {
				var args []string
				for _, a := range b.Arguments {
					if a.Name == argForEach {
						continue // taken by the loader before the block is decoded
					}
					if a.Required {
						a.Name += "!"
					}
					args = append(args, a.Name)
				}
				table[sortedArgs(strings.Join(args, " "))] = true
			}
			visit(b.Blocks)
		}
	}
	visit(Blocks())
	delete(decoders, "")
	delete(table, "")
	if diff := cmp.Diff(decoders, table); diff != "" {
		t.Errorf("reference.go does not tell what the decoders take (-decoders +reference):\n%s", diff)
	}
}

func sortedArgs(s string) string {
	words := strings.Fields(s)
	slices.Sort(words)
	return strings.Join(words, " ")
}

// TestReferenceHasEveryBlock checks that the table has every block that may be
// at the top of a file, with its labels.
func TestReferenceHasEveryBlock(t *testing.T) {
	want, got := map[string]int{}, map[string]int{}
	for _, b := range rootSchema.Blocks {
		want[b.Type] = len(b.LabelNames)
	}
	for _, b := range Blocks() {
		got[b.Type] = len(b.Labels)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reference.go (-schema +reference):\n%s", diff)
	}
}

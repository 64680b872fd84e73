package repo

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
)

// The bounds of TestLengths, in lines, so that code stays readable.
const (
	maxFile     = 449 // of a file
	maxP95      = 39  // of 19 functions of 20, in each room
	maxFunction = 65
)

// support are packages of tests and of examples with higher bounds, since their
// functions are scenarios: 19 of 20 functions are at most this long.
var support = map[string]int{
	"providers/providertest": 42, "state/statetest": 49, "examples/list-to-order/demo": 47,
}

// lengths are the lengths of a package's functions and files, in lines.
type lengths struct {
	funcs []int
	files map[string]int // by path

	comments, lines int // lines that hold a comment, and lines that are not blank
}

// share is the percentage of lines that hold a comment.
func (l *lengths) share() int { return 100 * l.comments / max(l.lines, 1) }

// measure measures the code that ships, and the packages of test helpers.
func measure(t *testing.T) map[string]*lengths {
	t.Helper()
	rooms := map[string]*lengths{}
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fset, path, src, parser.ParseComments)
		if err != nil {
			return err
		}
		path = filepath.ToSlash(path)
		room := rooms[filepath.Dir(path)]
		if room == nil {
			room = &lengths{files: map[string]int{}}
			rooms[filepath.Dir(path)] = room
		}
		room.files[path] = fset.Position(file.FileEnd).Line
		room.lines += notBlank(src)
		for _, group := range file.Comments {
			room.comments += fset.Position(group.End()).Line - fset.Position(group.Pos()).Line + 1
		}
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				room.funcs = append(room.funcs, fset.Position(fn.End()).Line-fset.Position(fn.Pos()).Line+1)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range rooms {
		sort.Ints(room.funcs)
	}
	return rooms
}

// notBlank counts the lines that contain more than white space.
func notBlank(src []byte) (n int) {
	for line := range bytes.Lines(src) {
		if len(bytes.TrimSpace(line)) > 0 {
			n++
		}
	}
	return n
}

// TestLengths checks that files and functions are short enough to read.
func TestLengths(t *testing.T) {
	for name, room := range measure(t) {
		for path, lines := range room.files {
			if lines > maxFile {
				t.Errorf("%s has %d lines; at most %d are easy to read: take it apart by what it does", path, lines, maxFile)
			}
		}
		if len(room.funcs) == 0 {
			continue
		}
		if p95 := room.funcs[len(room.funcs)*95/100]; p95 > max(maxP95, support[name]) {
			t.Errorf("1 of 20 functions of %s has %d lines or more; at most %d are wanted", name, p95, max(maxP95, support[name]))
		}
		if longest := room.funcs[len(room.funcs)-1]; longest > maxFunction {
			t.Errorf("a function of %s has %d lines; at most %d are easy to read", name, longest, maxFunction)
		}
	}
}

// core are the packages on which sending each message only once depends. In each,
// between leastShare and mostShare percent of the lines must hold a comment: with
// fewer, the reasons for the code get lost; with more, the code is hard to find.
var core = []string{"apply", "delivery", "pace", "plan", "reply", "serve", "state", "state/sqlite"}

const leastShare, mostShare = 15, 30

// TestComments checks that the core packages have enough comments, and not too
// many.
func TestComments(t *testing.T) {
	rooms := measure(t)
	for _, name := range core {
		if share := rooms[name].share(); share < leastShare || share > mostShare {
			t.Errorf("%d %% of the lines of %s hold a comment; between %d and %d are wanted", share, name, leastShare, mostShare)
		}
	}
}

// TestReport prints lengths of functions and files for each room; "make
// report" shows them.
func TestReport(t *testing.T) {
	rooms := measure(t)
	fmt.Printf("%-24s %6s %18s %20s %9s\n", "room", "files", "lines med/p95/max", "function med/p95/max", "comments")
	for _, name := range slices.Sorted(maps.Keys(rooms)) {
		room := rooms[name]
		files := slices.Sorted(maps.Values(room.files))
		fmt.Printf("%-24s %6d %18s %20s %7d %%\n", name, len(files), spread(files), spread(room.funcs), room.share())
	}
}

// spread is the median, the 95th percentile and the greatest of sorted numbers.
func spread(n []int) string {
	if len(n) == 0 {
		return "-"
	}
	return fmt.Sprintf("%d / %d / %d", n[len(n)/2], n[len(n)*95/100], n[len(n)-1])
}

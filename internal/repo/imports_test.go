package repo

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/handbill/handbill"

// rooms says which packages of the module may import which, and which libraries and
// parts of the standard library only some may import. A package that is not in the
// table fails: add a new one in the commit that creates it.
var rooms = map[string][]string{
	"":                       {"cli"},
	"message":                {},
	"account":                {"message"}, // what lives in an account, pure
	"lang/eval":              {"message"},
	"lang":                   {"account", "message", "lang/eval"},
	"audience":               {"message", "internal/guarded"},
	"delivery":               {"message"},                              // pure: the rules of sending once
	"stats":                  {},                                       // shares of people, with gonum's distributions
	"pace":                   {},                                       // the pace of one sending number
	"state":                  {"pace", "delivery", "message"},          // knows no SQL and no file
	"state/memstate":         {"pace", "delivery", "message", "state"}, // for tests
	"state/statetest":        {"pace", "delivery", "message", "state", "state/memstate"},
	"state/packed":           {"state", "internal/openmap"},
	"state/sqlite":           {"pace", "delivery", "message", "state", "state/packed", "internal/fp"},
	"state/postgres":         {"pace", "delivery", "message", "state", "state/packed", "internal/fp"},
	"plan":                   {"account", "delivery", "lang", "audience", "message", "state", "stats", "internal/openmap"},
	"plan/planfile":          {"lang", "message", "plan", "state"},
	"apply":                  {"delivery", "pace", "message", "plan", "providers", "state", "internal/fp"}, // of providers, the contract Sender
	"providers":              {"account", "message"},
	"providers/wire":         {"message"},
	"providers/metaobject":   {"account", "message", "providers", "providers/wire"},
	"providers/providertest": {"account", "message", "providers", "providers/wire", "internal/golden"},
	"providers/cloud":        {"account", "message", "providers", "providers/metaobject", "providers/wire"},
	"providers/dialog360":    {"account", "message", "providers", "providers/metaobject", "providers/wire"},
	"providers/kaleyra":      {"message", "providers", "providers/metaobject", "providers/wire"},
	"providers/onemsg":       {"account", "message", "providers", "providers/metaobject", "providers/wire"},
	"providers/sandbox":      {"account", "message", "providers", "providers/metaobject", "providers/wire", "sandbox"},
	"reply":                  {"lang", "lang/eval", "message", "state"},
	"serve":                  {"delivery", "internal/guarded", "pace", "message", "providers", "reply", "state", "internal/fp"},
	"sandbox":                {"delivery", "message"},
	"workspace":              {"account", "apply", "audience", "internal/guarded", "lang", "message", "plan", "plan/planfile", "providers", "providers/cloud", "providers/dialog360", "providers/kaleyra", "providers/metaobject", "providers/onemsg", "providers/sandbox", "providers/wire", "reply", "serve", "state", "state/postgres", "state/sqlite"},
	"operation":              {"account", "apply", "audience", "delivery", "lang", "message", "pace", "plan", "plan/planfile", "providers", "state", "stats", "workspace"},
	"forge":                  {},       // one comment under a pull request
	"lsp":                    {"lang"}, // knows no state: an editor's server looks at texts
	"cli/view":               {"account", "audience", "delivery", "message", "plan", "state", "stats", "lang"},
	"cli/plantest":           {"delivery", "lang", "lang/eval", "plan", "message", "reply", "state"},
	"cli":                    {"*"},
	"release":                {"cli"}, // a module of its own, which builds what handbill is installed from
	"internal/golden":        {},
	"internal/guarded":       {}, // requests to addresses that a configuration names
	"internal/attack":        {}, // imported by tests only: hostile texts, in one place
	"internal/fp":            {},
	"internal/openmap":       {}, // a hash table that plan and state/packed fill by the million
	"internal/forgetest":     {}, // imported by tests only: a GitHub and a GitLab on loopback
	"internal/pgtest":        {}, // imported by tests only: a PostgreSQL cluster of a test's own
	"internal/mariatest":     {}, // imported by tests only: a MariaDB server of a test's own
	"internal/repo":          {}, // tests about the repository itself
	"faults":                 {},
	"bench":                  {},
}

// kept says which imports are restricted to which packages (by path prefix).
var kept = map[string][]string{
	"github.com/hashicorp/hcl/v2":    {"lang", "lsp", "plan", "reply", "workspace", "operation", "cli"},
	"github.com/zclconf/go-cty":      {"lang", "lsp", "plan", "reply", "workspace", "operation", "cli"},
	"net/http":                       {"providers", "serve", "sandbox", "audience", "workspace", "cli", "examples", "internal/guarded", "internal/forgetest", "forge"},
	"github.com/hashicorp/hcl-lang":  {"lsp"},
	"github.com/spf13/cobra":         {"cli", "release"},
	"modernc.org/sqlite":             {"state/sqlite", "audience"},
	"zombiezen.com/go/sqlite":        {"state/sqlite"},
	"github.com/jackc/pgx/v5":        {"audience", "state/postgres"},
	"database/sql":                   {"audience"},
	"github.com/go-sql-driver/mysql": {"audience"},
	"github.com/gofrs/flock":         {"state/sqlite"},
}

// never says what a package must not import: the interface of a state knows no SQL
// and no file.
var never = map[string][]string{
	"state":           {"os", "io/fs", "path/filepath", "syscall"},
	"state/memstate":  {"os", "io/fs", "path/filepath", "syscall"},
	"state/statetest": {"os", "io/fs", "path/filepath", "syscall"},
	"delivery":        {"os", "io/fs", "path/filepath", "syscall"},
}

// TestImports enforces the import rules; see docs/architecture.md.
func TestImports(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		checkFile(t, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkFile(t *testing.T, path string) {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	room := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), ".")
	test := strings.HasSuffix(path, "_test.go")
	allowed, known := rooms[room]
	if !known && !strings.HasPrefix(room, "examples/") {
		t.Errorf("%s: package %q is not in the table of rooms in imports_test.go", path, room)
		return
	}
	for _, spec := range file.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		if test {
			continue // tests may import any package
		}
		if inner, ok := strings.CutPrefix(name, module+"/"); ok && !slices.Contains(allowed, "*") && !slices.Contains(allowed, inner) {
			t.Errorf("%s imports %s, which the room %q may not", path, inner, room)
		}
		checkKept(t, path, room, name)
		if slices.Contains(never[room], name) {
			t.Errorf("%s imports %s, which the room %q never does", path, name, room)
		}
	}
	if !test && room != "" && room != "cli" {
		checkCalls(t, path, file, room)
	}
}

func checkKept(t *testing.T, path, room, name string) {
	t.Helper()
	for lib, where := range kept {
		if name != lib && !strings.HasPrefix(name, lib+"/") {
			continue
		}
		if !slices.ContainsFunc(where, func(r string) bool { return room == r || strings.HasPrefix(room, r+"/") }) {
			t.Errorf("%s imports %s, which is kept to %s", path, name, strings.Join(where, ", "))
		}
	}
}

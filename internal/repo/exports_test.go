package repo

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// exported are names that only their own package and tests use, but that stay
// exported nevertheless, and why.
var exported = map[string]string{
	"apply.Running.Drive":   "an apply in three parts: with a shared state, another process drives a lane",
	"apply.Running.Lanes":   "tells that process which lanes there are",
	"apply.ErrArithmetic":   "a fault test tells it from what a fault may cause",
	"lang/eval.ToCty":       "the inverse of FromCty; tests of both need it",
	"lang.AnyLanguage":      "how a configuration calls it; package reply speaks of it",
	"reply.BuiltIn":         "tests ask for the words of every language without a configuration",
	"reply.Words.StopIn":    "the same",
	"serve.Forwarded":       "the body that services get who are forwarded to",
	"serve.Sign":            "how those services check it",
	"state/sqlite.Snapshot": "what is read at one moment; Store gives it as a state.Snapshot",
}

// byInterface are methods that the standard library or another library calls
// through its interfaces.
var byInterface = []string{
	"Error", "Unwrap", "Is", "As", "String", "Format", "MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText",
	"Read", "Write", "Close", "Len", "Less", "Swap", "ServeHTTP", "RoundTrip", "Set", "Type",
	"UnwrapDiagnosticExtra",
}

// forTests are packages whose users are tests.
var forTests = []string{"state/memstate", "state/statetest", "providers/providertest", "sandbox", "internal/golden", "internal/attack", "internal/fp", "internal/pgtest", "internal/mariatest", "internal/forgetest"}

// exports are what a package exports.
type exports struct {
	names   map[string]token.Position // functions, types, variables, constants
	methods map[string]token.Position // "Type.Method", of exported types
	// shown are types that other exported declarations of the package mention:
	// users who get such a value want its name in the documentation.
	shown map[string]bool
	// group is the declaration that contains a constant: its constants are exported
	// together.
	group map[string]*ast.GenDecl
	// values is the exported type whose values a group of constants names.
	values map[*ast.GenDecl]string
}

// usage is what packages use of others.
type usage struct {
	names      map[string]bool            // "dir.Name"
	selected   map[string]map[string]bool // methods and fields: the packages that select the name
	interfaces map[string]bool            // methods of interfaces
}

// TestExports checks that another package uses every exported name. A name that
// only its own package uses must not be exported, and one that nobody uses must
// be deleted.
func TestExports(t *testing.T) {
	packages, used := readExports(t)
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		p := packages[dir]
		groups := map[*ast.GenDecl]bool{}
		for name, group := range p.group {
			groups[group] = groups[group] || used.names[dir+"."+name] || p.values[group] != ""
		}
		for _, name := range slices.Sorted(maps.Keys(p.names)) {
			full := dir + "." + name
			if !used.names[full] && !p.shown[name] && !groups[p.group[name]] && exported[full] == "" {
				t.Errorf("%s: nothing but its own package uses %s; do not export it, or delete it", p.names[name], full)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(p.methods)) {
			_, method, _ := strings.Cut(name, ".")
			full := dir + "." + name
			elsewhere := len(used.selected[method]) > 1 || len(used.selected[method]) == 1 && !used.selected[method][dir]
			if !elsewhere && !used.interfaces[method] && exported[full] == "" {
				t.Errorf("%s: nothing but its own package calls %s; do not export it, or delete it", p.methods[name], full)
			}
		}
	}
	for full := range exported {
		dir, name, _ := strings.Cut(full, ".")
		if p := packages[dir]; p == nil || p.names[name].Line == 0 && p.methods[name].Line == 0 || used.names[full] {
			t.Errorf("%s is gone or used elsewhere; take it out of the list", full)
		}
	}
}

// readExports reads every file of the module.
func readExports(t *testing.T) (map[string]*exports, *usage) {
	t.Helper()
	packages := map[string]*exports{}
	used := &usage{names: map[string]bool{}, selected: map[string]map[string]bool{}, interfaces: map[string]bool{}}
	for _, name := range byInterface {
		used.interfaces[name] = true
	}
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir, test := filepath.ToSlash(filepath.Dir(name)), strings.HasSuffix(name, "_test.go")
		used.add(dir, test, file)
		if !test && file.Name.Name != "main" && dir != "internal/repo" {
			if packages[dir] == nil {
				packages[dir] = &exports{map[string]token.Position{}, map[string]token.Position{}, map[string]bool{}, map[string]*ast.GenDecl{}, map[*ast.GenDecl]string{}}
			}
			packages[dir].add(fset, file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages, used
}

// add records what a file uses of other packages. Tests count if packages are for
// tests.
func (u *usage) add(dir string, test bool, file *ast.File) {
	imports := map[string]string{}
	for _, spec := range file.Imports {
		inner, ok := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module+"/")
		if !ok {
			continue
		}
		as := path.Base(inner)
		if spec.Name != nil {
			as = spec.Name.Name
		}
		imports[as] = inner
	}
	from := dir
	if test {
		from += "_test"
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.InterfaceType:
			for _, m := range n.Methods.List {
				for _, id := range m.Names {
					u.interfaces[id.Name] = true
				}
			}
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if of := imports[identName(x, ok)]; of != "" {
				if !test || slices.Contains(forTests, of) {
					u.names[of+"."+n.Sel.Name] = true
				}
				return true
			}
			if test && !usesForTests(imports) {
				return true
			}
			if u.selected[n.Sel.Name] == nil {
				u.selected[n.Sel.Name] = map[string]bool{}
			}
			u.selected[n.Sel.Name][from] = true
		}
		return true
	})
}

func identName(x *ast.Ident, ok bool) string {
	if !ok {
		return ""
	}
	return x.Name
}

// usesForTests reports whether a file imports a package that is for tests.
func usesForTests(imports map[string]string) bool {
	for _, of := range imports {
		if slices.Contains(forTests, of) {
			return true
		}
	}
	return false
}

// add records what a file exports.
func (p *exports) add(fset *token.FileSet, file *ast.File) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			switch {
			case !d.Name.IsExported():
				continue
			case d.Recv == nil:
				p.names[d.Name.Name] = fset.Position(d.Name.Pos())
			case ast.IsExported(receiver(d)):
				p.methods[receiver(d)+"."+d.Name.Name] = fset.Position(d.Name.Pos())
			}
			p.show(d.Type, true)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				p.spec(fset, d, s)
			}
		}
	}
}

func (p *exports) spec(fset *token.FileSet, d *ast.GenDecl, s ast.Spec) {
	switch s := s.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() {
			p.names[s.Name.Name] = fset.Position(s.Name.Pos())
			p.show(s.Type, false)
		}
	case *ast.ValueSpec:
		for _, n := range s.Names {
			if !n.IsExported() {
				continue
			}
			p.names[n.Name] = fset.Position(n.Pos())
			if d.Tok == token.CONST {
				p.group[n.Name] = d
			}
			if id, ok := s.Type.(*ast.Ident); ok && id.IsExported() {
				p.values[d] = id.Name
			}
			if s.Type != nil {
				p.show(s.Type, true)
			}
		}
	}
}

// show records the types that a declaration mentions: for a type, those of its
// exported fields and methods.
func (p *exports) show(decl ast.Expr, all bool) {
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			return all || len(n.Names) == 0 || slices.ContainsFunc(n.Names, (*ast.Ident).IsExported)
		case *ast.SelectorExpr:
			return false // of another package
		case *ast.Ident:
			p.shown[n.Name] = p.shown[n.Name] || n.IsExported()
		}
		return true
	})
}

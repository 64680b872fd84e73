package repo

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testCommand  = regexp.MustCompile("`([^`\n]*) -run ('[^'`]*'|[^ `]+)[^`\n]*`")
	testFunction = regexp.MustCompile(`(?m)^func (?:\(\w+ suite\) )?(Test\w+)\(`)
	testPackage  = regexp.MustCompile(`\./[a-z0-9./]+`)
)

// TestPromisedTestsExist checks that every test exists that a page names in a
// command, as the proof of a promise or a rule. Each alternative of a pattern
// is checked.
func TestPromisedTestsExist(t *testing.T) {
	all := readTests(t)
	for _, page := range []string{"docs/promises.md", "docs/delivery.md"} {
		src, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		commands := testCommand.FindAllStringSubmatch(string(src), -1)
		if len(commands) < 20 {
			t.Errorf("%s names %d commands: this test does not read them", page, len(commands))
		}
		for _, m := range commands {
			pattern := strings.ReplaceAll(strings.Trim(m[2], "'"), `\|`, "|") // escaped for a table
			all.check(t, page+": "+m[1], testPackage.FindAllString(m[1], -1), pattern)
		}
	}
}

// TestMutantsHaveTests checks that the tests exist that are to notice a mutant: go
// test is content with a pattern that fits none.
func TestMutantsHaveTests(t *testing.T) {
	all := readTests(t)
	for _, name := range all.below["TestMutants"] {
		patch, err := os.ReadFile("faults/mutants/" + name + ".patch")
		if err != nil {
			t.Fatal(err)
		}
		m := mutantHeader.FindSubmatch(patch)
		if m == nil {
			t.Errorf("%s does not say which tests notice it", name)
			continue
		}
		all.check(t, name, []string{string(m[1])}, string(m[2]))
	}
}

var mutantHeader = regexp.MustCompile(`(?m)^Package: (\S+)\nRun: (.+)$`)

// tests are the names of the tests of packages, and of those that have their
// subtests elsewhere.
type tests struct {
	of, below map[string][]string
}

func readTests(t *testing.T) *tests {
	t.Helper()
	return &tests{of: map[string][]string{}, below: map[string][]string{
		"TestCase":     names(t, "testdata/cases/*", ""),
		"TestMutants":  names(t, "faults/mutants/*.patch", ".patch"),
		"TestContract": functions(t, "./state/statetest"),
	}}
}

// check checks that each alternative of a pattern of go test's -run fits a test of
// one of the packages.
func (a *tests) check(t *testing.T, where string, packages []string, pattern string) {
	t.Helper()
	var list []string
	for _, pkg := range packages {
		if a.of[pkg] == nil {
			a.of[pkg] = functions(t, pkg)
		}
		list = append(list, a.of[pkg]...)
	}
	for _, alternative := range unbracketed(pattern, '|') {
		levels := unbracketed(alternative, '/')
		if !matches(t, levels[0], list) {
			t.Errorf("%s has no test for %q", where, levels[0])
		}
		below := a.below[levels[0]]
		if len(levels) < 2 || below == nil {
			continue
		}
		for _, one := range unbracketed(strings.TrimSuffix(strings.TrimPrefix(levels[1], "("), ")"), '|') {
			if !matches(t, one, below) {
				t.Errorf("%s: %s has nothing for %q", where, levels[0], one)
			}
		}
	}
}

// unbracketed splits a pattern as go test does.
func unbracketed(pattern string, at rune) (out []string) {
	depth, from := 0, 0
	for i, r := range pattern {
		switch {
		case r == '(' || r == '[':
			depth++
		case r == ')' || r == ']':
			depth--
		case r == at && depth == 0:
			out, from = append(out, pattern[from:i]), i+1
		}
	}
	return append(out, pattern[from:])
}

func matches(t *testing.T, pattern string, names []string) bool {
	t.Helper()
	re, err := regexp.Compile(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if re.MatchString(name) {
			return true
		}
	}
	return false
}

func names(t *testing.T, pattern, suffix string) (out []string) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %v", pattern, err)
	}
	for _, p := range paths {
		out = append(out, strings.TrimSuffix(filepath.Base(p), suffix))
	}
	return out
}

// functions returns the tests of a package, or of all below it for "./x/...".
func functions(t *testing.T, pkg string) (out []string) {
	t.Helper()
	dir, below := strings.CutSuffix(pkg, "/...")
	err := filepath.WalkDir(filepath.Clean(dir), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && !below && path != filepath.Clean(dir):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go"):
			return nil
		}
		src, err := os.ReadFile(path)
		for _, m := range testFunction.FindAllSubmatch(src, -1) {
			out = append(out, string(m[1]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// mutant is a known mistake as a patch, with the tests that must notice it.
type mutant struct {
	name, what, pkg, run, patch string
}

func mutants(t *testing.T) []mutant {
	t.Helper()
	names, err := filepath.Glob("mutants/*.patch")
	if err != nil || len(names) == 0 {
		t.Fatalf("no mutants: %v", err)
	}
	var out []mutant
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m := mutant{name: strings.TrimSuffix(filepath.Base(name), ".patch"), patch: name}
		for line := range strings.Lines(string(data)) {
			line = strings.TrimSpace(line)
			if line == "" {
				break
			}
			if what, ok := strings.CutPrefix(line, "# "); ok {
				m.what = what
			}
			if pkg, ok := strings.CutPrefix(line, "Package: "); ok {
				m.pkg = pkg
			}
			if run, ok := strings.CutPrefix(line, "Run: "); ok {
				m.run = run
			}
		}
		out = append(out, m)
	}
	return out
}

// TestMutants applies each known mistake to a copy of the tree and checks that the
// tests notice. A mistake that no test notices shows a gap in the tests.
func TestMutants(t *testing.T) {
	if ci, _ := effort(); !ci {
		t.Skip("compiles the tree for every mutant; make faults does it")
	}
	trees := make(chan string, runtime.GOMAXPROCS(0))
	for range cap(trees) {
		trees <- copyOfTheTree(t)
	}
	for _, m := range mutants(t) {
		if !today(m.name) {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			if strings.Contains(m.name, "fsync") && exec.Command("strace", "-o", "/dev/null", "true").Run() != nil {
				t.Skip("strace cannot run here, which alone sees a sync")
			}
			t.Parallel()
			dir := <-trees
			defer func() { trees <- dir }()
			patch(t, dir, m.patch)
			defer patch(t, dir, m.patch, "-R")
			// Not optimised, which takes a fifth less time to compile.
			cmd := exec.Command("go", "test", "-trimpath", "-vet=off", "-gcflags=github.com/handbill/handbill/...=-N -l", "-count=1", "-timeout=90s", "-run", m.run, m.pkg)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "HANDBILL_FAULTS=", "HANDBILL_SEED=")
			out, err := cmd.CombinedOutput()
			switch {
			case err == nil:
				t.Errorf("nobody notices that %s:\n%s", m.what, out)
			case !strings.Contains(string(out), "--- FAIL"):
				t.Errorf("it does not compile or run:\n%s", out)
			}
		})
	}
}

// today reports whether a mutant is run: with HANDBILL_MUTANTS=4 those whose number has
// the same remainder by four as the day of the year. All of them take ten minutes on two
// processors.
func today(name string) bool {
	number, _, _ := strings.Cut(name, "-")
	n, err := strconv.Atoi(number)
	parts, whole := strconv.Atoi(os.Getenv("HANDBILL_MUTANTS"))
	return err != nil || whole != nil || parts < 1 || n%parts == time.Now().UTC().YearDay()%parts
}

// copyOfTheTree copies the files of the checkout to a directory that is removed
// after the test.
func copyOfTheTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("sh", "-c", `cd .. && git ls-files -co --exclude-standard -z | tar --null --ignore-failed-read -T - -cf - 2>/dev/null | tar -xf - -C "`+dir+`"`).CombinedOutput(); err != nil {
		t.Fatalf("copying the tree: %v\n%s", err, out)
	}
	return dir
}

func patch(t *testing.T, dir, name string, more ...string) {
	t.Helper()
	full, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("git", append(append([]string{"apply"}, more...), full)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), fmt.Sprint("GIT_CEILING_DIRECTORIES=", filepath.Dir(dir)))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the patch no longer applies; make it anew: %v\n%s", err, out)
	}
}

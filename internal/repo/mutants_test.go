package repo

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestMutantsFit: every mistake in faults/mutants still fits the tree. make
// faults tries them all, which takes minutes; a change that moves the lines of
// a patch learns it here.
func TestMutantsFit(t *testing.T) {
	patches, err := filepath.Glob("faults/mutants/*.patch")
	if err != nil || len(patches) == 0 {
		t.Fatalf("no mutants: %v", err)
	}
	for _, name := range patches {
		patch, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		// Reading the files tells go test that its result depends on them.
		for _, m := range patched.FindAllSubmatch(patch, -1) {
			if _, err := os.ReadFile(string(m[1])); err != nil {
				t.Error(err)
			}
		}
		cmd := exec.Command("git", "apply", "--check")
		cmd.Stdin = bytes.NewReader(patch)
		// Git looks for no repository: a tree without one is checked as well.
		cmd.Env = append(os.Environ(), "GIT_DIR=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s fits no more, make it again: %v\n%s", filepath.Base(name), err, out)
		}
	}
}

var patched = regexp.MustCompile(`(?m)^--- a/(\S+)`)

package repo

import (
	"os"
	"os/exec"
	"path/filepath"
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
	for _, patch := range patches {
		full, err := filepath.Abs(patch)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("git", "apply", "--check", full)
		// Git looks for no repository: a tree without one is checked as well.
		cmd.Env = append(os.Environ(), "GIT_DIR=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s fits no more, make it again: %v\n%s", filepath.Base(patch), err, out)
		}
	}
}

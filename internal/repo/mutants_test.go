package repo

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestMutantsFit checks that every patch in faults/mutants still applies to the
// tree. make faults runs them all, which takes minutes; this test quickly finds
// a change that breaks a patch.
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
		// Git must not look for a repository: a tree without one is checked as
		// well.
		cmd.Env = append(os.Environ(), "GIT_DIR=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s no longer applies; make it anew: %v\n%s", filepath.Base(name), err, out)
		}
	}
}

var patched = regexp.MustCompile(`(?m)^--- a/(\S+)`)

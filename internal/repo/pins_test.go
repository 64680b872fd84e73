package repo

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestPins checks that two versions match: modernc.org/sqlite works only with the
// exact modernc.org/libc in its go.mod, and another dependency could raise it
// silently.
func TestPins(t *testing.T) {
	ours, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "modernc.org/sqlite").Output()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile(strings.TrimSpace(string(dir)) + "/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	libc := regexp.MustCompile(`modernc\.org/libc (v\S+)`)
	want, got := libc.FindSubmatch(theirs), libc.FindSubmatch(ours)
	if want == nil || got == nil || string(want[1]) != string(got[1]) {
		t.Errorf("go.mod has libc %s, but modernc.org/sqlite needs exactly %s", got, want)
	}
}

// TestReleaseModule checks that the go.mod of the release module has what
// handbill's own asks for, which it must name too.
func TestReleaseModule(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", ".")
	cmd.Dir = "release"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v; run \"go mod tidy\" in release\n%s", err, out)
	}
}

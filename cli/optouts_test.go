package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// If a list of opt-outs has a row that never ends, the error names its line and
// nothing of the list is imported.
func TestOptoutsRowThatNeverEnds(t *testing.T) {
	d := newDesk(t)
	if err := os.WriteFile(filepath.Join(d.dir, "main.hcl"), []byte("provider \"sandbox\" \"main\" {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	list := "recipient,reason\n+4915112345678,asked\n+4915112345679,\"" + strings.Repeat("x", 1<<20)
	if err := os.WriteFile(filepath.Join(d.dir, "list.csv"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := d.run("init"); code != 0 {
		t.Fatalf("init ends with %d:\n%s", code, d.stderr.String())
	}
	if code := d.run("state", "optouts", "import", "list.csv"); code != 1 || !strings.Contains(d.stderr.String(), "line 3: the row is longer than 64") {
		t.Errorf("import ends with %d:\n%s", code, d.stderr.String())
	}
	if d.run("state", "optouts"); strings.Contains(d.stdout.String(), "asked") {
		t.Errorf("somebody was taken over:\n%s", d.stdout.String())
	}
}

package cli_test

import (
	"encoding/json"
	"path/filepath"
	"testing"
)

// TestExamplesPassTheirTests runs the plan tests of every example that has some.
func TestExamplesPassTheirTests(t *testing.T) {
	files, err := filepath.Glob("../examples/*/*.test.hcl")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d examples with tests, want 5 at least: %v", len(files), err)
	}
	for _, file := range files {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			copyFiles(t, dir, d.dir)
			first := d.must(0, "test", "-json", "-parallelism=4")
			fits(t, schema(t, "test.json"), first, false)
			var report struct{ Passed int }
			if err := json.Unmarshal([]byte(first), &report); err != nil || report.Passed == 0 {
				t.Errorf("%d runs pass: %v", report.Passed, err)
			}
			d.must(0, "fmt", "-check")
		})
	}
}

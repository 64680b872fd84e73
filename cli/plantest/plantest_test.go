package plantest_test

import (
	"bytes"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handbill/handbill/cli/plantest"
	"github.com/handbill/handbill/internal/golden"
)

// TestJUnitGolden shows what CI systems read, for a run whose name and problem
// contain markup and control characters, too.
func TestJUnitGolden(t *testing.T) {
	r := plantest.Report{Results: []plantest.Result{
		{File: "a.test.hcl", Name: "passes", Line: 1, Passed: true, Took: 1500 * time.Millisecond},
		{File: "a.test.hcl", Name: "<fails> \x1b[31m", Line: 9, Problems: []string{"a.test.hcl:10: sends 2 & not 1\n  - 1\n  + 2", "]]>\nsecond line"}, Took: time.Millisecond},
		{File: "b.test.hcl", Name: "passes", Line: 1, Passed: true},
	}}
	var b bytes.Buffer
	if err := r.JUnit(&b); err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(b.Bytes(), new(struct{ XMLName xml.Name })); err != nil {
		t.Fatal(err)
	}
	golden.Assert(t, b.Bytes(), filepath.Join("testdata", "junit.golden"))
}

// TestLoadRefuses checks that every error in a test file is reported before
// anything runs.
func TestLoadRefuses(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"nothing expected", `run "a" {}`, "expects nothing"},
		{"twice", "run \"a\" {\n golden = \"x\"\n}\nrun \"a\" {\n golden = \"x\"\n}", "two runs called"},
		{"unknown argument", "run \"a\" {\n goldn = \"x\"\n}", "not expected here"},
		{"clock", "run \"a\" {\n at = \"noon\"\n golden = \"x\"\n}", "A time such as"},
		{"event", "run \"a\" {\n golden = \"x\"\n event \"left\" {\n from = \"+1\"\n at = \"2026-01-01T00:00:00Z\"\n }\n}", "kind of an event"},
		{"outcome", "run \"a\" {\n golden = \"x\"\n state {\n delivery \"c\" {\n recipient = \"+1\"\n outcome = \"lost\"\n }\n }\n}", "outcome is one of"},
		{"rows", "run \"a\" {\n golden = \"x\"\n contacts \"c\" {\n rows = \"x\"\n }\n}", "A list of objects"},
		{"webhook without a file", "run \"a\" {\n golden = \"x\"\n webhook {}\n}", "\"file\" is required"},
		{"lookup that answers and fails", "run \"a\" {\n golden = \"x\"\n lookup_answer \"l\" {\n json = {}\n fails = true\n }\n}", "The answer of a lookup is"},
		{"lookup without an answer", "run \"a\" {\n golden = \"x\"\n lookup_answer \"l\" {}\n}", "The answer of a lookup is"},
		{"order without items", "run \"a\" {\n golden = \"x\"\n event \"inbound\" {\n from = \"+1\"\n order = {}\n }\n}", "An order is an object"},
		{"part of an item", "run \"a\" {\n golden = \"x\"\n event \"inbound\" {\n from = \"+1\"\n order = { items = [{ quantity = 1.5 }] }\n }\n}", "whole number"},
		{"handover", "run \"a\" {\n golden = \"x\"\n state {\n person \"+1\" {\n handover = \"perhaps\"\n }\n }\n}", "true or false"},
		{"syntax", "run \"a\" {", "block"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "a.test.hcl"), []byte(c.src+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			_, _, diags := plantest.Load(root)
			if !diags.HasErrors() || !strings.Contains(diags.Error(), c.want) {
				t.Errorf("the findings are %v, want %q", diags, c.want)
			}
		})
	}
}

package lang_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/internal/golden"
	"github.com/handbill/handbill/lang"
)

// options are the options for every fixture: two types of provider, and an
// environment with one secret.
func options() lang.Options {
	return lang.Options{
		Version: "0.3.1",
		Env: func(name string) (string, bool) {
			if name == "ONEMSG_TOKEN" {
				return "canary-secret", true
			}
			return "", false
		},
		Schemas: map[string]lang.ProviderSchema{
			"sandbox": {Arguments: []lang.ProviderArgument{{Name: "seed", Type: cty.Number}, {Name: "throughput", Type: cty.Number}}},
			"onemsg": {Arguments: []lang.ProviderArgument{
				{Name: "channel_id", Type: cty.String, Required: true}, {Name: "token", Type: cty.String, Required: true, Sensitive: true},
				{Name: "throughput", Type: cty.Number},
			}},
		},
	}
}

func loadSource(t *testing.T, name string, src []byte) (*lang.Config, hcl.Diagnostics) {
	t.Helper()
	root, err := os.OpenRoot("testdata/files")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return lang.LoadFiles(t.Context(), map[string][]byte{name: src}, root, options())
}

var expectation = regexp.MustCompile(`# (ERROR|WARNING): ([^#]*)`)

// expected lists the diagnostics that a fixture's comments announce, as "line:
// ERROR: Summary".
func expected(src []byte) []string {
	var out []string
	for i, line := range strings.Split(string(src), "\n") {
		for _, m := range expectation.FindAllStringSubmatch(line, -1) {
			for _, summary := range strings.Split(m[2], "; ") {
				out = append(out, fmt.Sprintf("%d: %s: %s", i+1, m[1], strings.TrimSpace(summary)))
			}
		}
	}
	return out
}

func reported(diags hcl.Diagnostics) []string {
	var out []string
	for _, d := range diags {
		line, sev := 0, "ERROR"
		if d.Subject != nil {
			line = d.Subject.Start.Line
		}
		if d.Severity == hcl.DiagWarning {
			sev = "WARNING"
		}
		out = append(out, fmt.Sprintf("%d: %s: %s", line, sev, d.Summary))
	}
	return out
}

// TestFixtures checks every file of testdata against the comments on its lines.
// A file may hold several cases, separated by lines with "# ---".
func TestFixtures(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range bytes.Split(src, []byte("# ---\n")) {
			t.Run(fmt.Sprintf("%s/%d", strings.TrimPrefix(file, "testdata/"), i), func(t *testing.T) {
				checkFixture(t, part)
			})
		}
	}
}

func checkFixture(t *testing.T, src []byte) {
	t.Helper()
	_, diags := loadSource(t, "main.hcl", src)
	want, got := expected(src), reported(diags)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s\n%s\n%s", diff, details(diags), src)
	}
	for _, d := range diags {
		if lang.DiagCode(d) == "" || d.Detail == "" {
			t.Errorf("no code or detail: %s", d.Error())
		}
		if strings.Contains(d.Detail, "canary-secret") {
			t.Errorf("a secret in a detail: %s", d.Detail)
		}
	}
}

func details(diags hcl.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		fmt.Fprintf(&b, "%v [%s] %s: %s\n", d.Subject, lang.DiagCode(d), d.Summary, d.Detail)
	}
	return b.String()
}

// TestTrees compares the trees of every valid fixture with golden files.
func TestTrees(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/valid/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cfg, _ := loadSource(t, "main.hcl", src)
		got := resourcesJSON(t, cfg)
		if bytes.Contains(got, []byte("canary-secret")) {
			t.Errorf("%s: a secret in a tree", file)
		}
		golden.Assert(t, got, strings.TrimSuffix(file, ".hcl")+".golden")
	}
}

func resourcesJSON(t *testing.T, cfg *lang.Config) []byte {
	t.Helper()
	type resource struct {
		Address string    `json:"address"`
		Refs    []string  `json:"refs,omitempty"`
		Tree    lang.Tree `json:"tree"`
	}
	var list []resource
	for _, r := range cfg.Resources() {
		list = append(list, resource{r.Address, r.Refs, r.Tree})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(list); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schema loads one of docs/schemas.
func schema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("..", "docs", "schemas", name))
	if err != nil {
		t.Fatal(err)
	}
	return compileSchema(t, src)
}

func compileSchema(t *testing.T, src []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(src))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fits validates documents against a schema: one in all, or one per line.
func fits(t *testing.T, s *jsonschema.Schema, docs string, lines bool) {
	t.Helper()
	parts := []string{docs}
	if lines {
		parts = strings.Split(strings.TrimSpace(docs), "\n")
	}
	for _, p := range parts {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(p))
		if err != nil {
			t.Fatalf("%v in %s", err, p)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("%v\nin %s", err, p)
		}
	}
}

// TestDocumentsFitTheirSchemas checks that the commands write what docs/schemas
// describes, from the first plan to one that fails.
func TestDocumentsFitTheirSchemas(t *testing.T) {
	d := newDesk(t)
	for _, name := range []string{"main.hcl", "contacts.csv"} {
		src, err := os.ReadFile(filepath.Join("../testdata/cases/plan-markdown-row-title", name))
		if err != nil {
			t.Fatal(err)
		}
		d.write(name, string(src))
	}
	doc, line := schema(t, "plan.json"), schema(t, "plan-stream.json")
	fits(t, schema(t, "validate.json"), d.must(0, "validate", "-json"), false)
	fits(t, schema(t, "status.json"), d.must(0, "status", "-json"), false)
	fits(t, line, d.must(0, "plan", "-json", "-deliveries"), true)
	fits(t, doc, d.must(0, "plan", "-format=json", "-deliveries", "-out=p"), false)
	fits(t, doc, d.must(0, "show", "-json", "p"), false)
	fits(t, schema(t, "apply-stream.json"), d.must(0, "apply", "-json", "-auto-approve"), true)
	fits(t, schema(t, "status.json"), d.must(0, "status", "-json"), false)
	fits(t, doc, d.must(0, "plan", "-format=json"), false)

	d.write("main.hcl", strings.Replace(readFile(t, filepath.Join(d.dir, "main.hcl")), "Pro pack", "A title that is too long for a row", 1))
	d.write("contacts.csv", "name,phone,city,opted_in\nAda,+4915112345601,,yes\nBob,nonsense,Bonn,yes\n")
	fits(t, schema(t, "validate.json"), d.must(1, "validate", "-json"), false)
	fits(t, line, d.must(1, "plan", "-json"), true)
	fits(t, doc, d.must(1, "plan", "-format=json"), false)
}

// TestVariantsFitTheirSchemas checks the golden files of cases with variants, local
// times and removed campaigns in the same way.
func TestVariantsFitTheirSchemas(t *testing.T) {
	t.Parallel()
	fits(t, schema(t, "plan-stream.json"), readFile(t, "../testdata/cases/variants/plan.json.golden"), true)
	fits(t, schema(t, "plan.json"), readFile(t, "../testdata/cases/variants/document.json.golden"), false)
	fits(t, schema(t, "status.json"), readFile(t, "../testdata/cases/variants/status.json.golden"), false)
	fits(t, schema(t, "plan.json"), readFile(t, "../testdata/cases/experiment/plan.json.golden"), false)
	fits(t, schema(t, "status.json"), readFile(t, "../testdata/cases/experiment/status.json.golden"), false)
	fits(t, schema(t, "plan.json"), readFile(t, "../testdata/cases/local-time/plan.json.golden"), false)
	fits(t, schema(t, "plan.json"), readFile(t, "../testdata/cases/follow-up/plan.json.golden"), false)
	fits(t, schema(t, "plan.json"), readFile(t, "../testdata/cases/removed-block/plan.json.golden"), false)
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

// TestBrokenConfigurationIsAComment checks that a configuration that can't be
// planned is reported once, in the comment that reviewers read.
func TestBrokenConfigurationIsAComment(t *testing.T) {
	d := newDesk(t)
	d.write("main.hcl", "campaign \"c\" {}\n")
	comment := d.must(1, "plan", "-format=markdown")
	if !strings.HasPrefix(comment, "<!-- handbill-plan") || !strings.Contains(comment, "**Plan failed: 3 errors.**") || !strings.Contains(comment, "on main.hcl line 1") {
		t.Errorf("the comment is:\n%s", comment)
	}
	if n := strings.Count(d.stderr.String(), "Missing required argument"); n != 3 {
		t.Errorf("%d findings on stderr, want 3:\n%s", n, d.stderr.String())
	}
}

// TestTestResultsFitTheirSchema checks the results of plan tests in the same way.
func TestTestResultsFitTheirSchema(t *testing.T) {
	d := newDesk(t)
	d.write("main.hcl", "locals { a = 1 }\n")
	d.write("a.test.hcl", `run "fails" {
  assert {
    condition     = plan.total.send == 1
    error_message = "sends nothing"
  }
}
run "passes" {
  assert {
    condition     = plan.total.send == 0
    error_message = "sends something"
  }
}
`)
	fits(t, schema(t, "test.json"), d.must(1, "test", "-json"), false)
}

// TestLanguageSchema checks that the schema of the JSON syntax accepts a
// configuration that handbill accepts, and refuses what handbill refuses.
func TestLanguageSchema(t *testing.T) {
	d := newDesk(t)
	s := compileSchema(t, []byte(d.must(0, "metadata", "schema", "-json")))
	good := `{
  "//": "a campaign in JSON",
  "provider": {"sandbox": {"main": {}}},
  "audience": {"a": {"contact": {"+4915112345601": {"name": "Ada"}}}},
  "list_message": {"l": {"body": "Hello ${recipient.name}", "button": "Open",
    "section": {"S": [{"row": {"one": {"title": "One"}}}]}}},
  "campaign": {"c": {"provider": "${provider.sandbox.main}", "audience": "${audience.a}", "message": "${list_message.l}", "window": "assume_open"}}
}`
	fits(t, s, good, false)
	d.write("main.hcl.json", good)
	d.must(0, "validate")
	for _, bad := range []string{
		`{"list_message": {"l": {"body": "x"}}}`,
		`{"list_message": {"l": {"body": "x", "button": "b", "titel": "y"}}}`,
		`{"lists": {}}`,
		`{"provider": {"nobody": {"main": {}}}}`,
	} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if err != nil {
			t.Fatal(err)
		}
		if s.Validate(v) == nil {
			t.Errorf("the schema takes %s", bad)
		}
		d.write("main.hcl.json", bad)
		d.must(1, "validate")
	}
}

// TestCompletion checks that shells complete flags with one dash.
func TestCompletion(t *testing.T) {
	d := newDesk(t)
	if got := d.must(0, "__complete", "plan", "-detailed"); !strings.HasPrefix(got, "-detailed-exitcode\t") {
		t.Errorf("completing plan -detailed gives %q", got)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if got := d.must(0, "completion", shell); !strings.Contains(got, "__complete") {
			t.Errorf("no completion for %s", shell)
		}
	}
}

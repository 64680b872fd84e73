package lang_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestVariablePrecedence(t *testing.T) {
	t.Parallel()
	files := map[string]string{"main.hcl": `variable "x" { default = "default" }`}
	opt := lang.Options{}
	steps := []struct {
		name string
		do   func()
	}{
		{"default", func() {}},
		{"environment", func() { opt.Environ = []string{"HANDBILL_VAR_x=environment", "OTHER=1"} }},
		{"vars file", func() { files["handbill.vars.hcl"] = `x = "vars file"` }},
		{"vars file in JSON", func() { files["handbill.vars.hcl.json"] = `{"x": "vars file in JSON"}` }},
		{"auto a", func() { files["a.auto.vars.hcl"] = `x = "auto a"` }},
		{"auto b", func() { files["b.auto.vars.hcl"] = `x = "auto b"` }},
		{"-var", func() { opt.Vars = append(opt.Vars, lang.VarInput{Name: "x", Raw: "-var"}) }},
		{"-var again", func() { opt.Vars = append(opt.Vars, lang.VarInput{Name: "x", Raw: "-var again"}) }},
	}
	for _, step := range steps {
		step.do()
		cfg, diags := lang.Load(t.Context(), write(t, files), opt)
		if diags.HasErrors() {
			t.Fatalf("%s: %s", step.name, details(diags))
		}
		if got := cfg.Variables[0].Value.AsString(); got != step.name {
			t.Errorf("after %s the value is %q", step.name, got)
		}
	}
	dir := write(t, map[string]string{"more.vars.hcl": `x = "from a file"`})
	opt.Vars = append(opt.Vars, lang.VarInput{File: filepath.Join(dir, "more.vars.hcl")})
	cfg, _ := lang.Load(t.Context(), write(t, files), opt)
	if got := cfg.Variables[0].Value.AsString(); got != "from a file" {
		t.Errorf("after -var-file the value is %q", got)
	}
}

func TestVariableInputs(t *testing.T) {
	t.Parallel()
	const src = `
variable "n" {
  type    = number
  default = 1
}
variable "list" {
  type    = list(string)
  default = []
}
variable "secret" {
  type      = number
  default   = 0
  sensitive = true
}
`
	tests := []struct {
		name string
		opt  lang.Options
		vars string
		want []string
	}{
		{"number", lang.Options{Vars: []lang.VarInput{{Name: "n", Raw: "3"}}}, "", nil},
		{"list", lang.Options{Environ: []string{`HANDBILL_VAR_list=["a"]`}}, "", nil},
		{"undeclared", lang.Options{Vars: []lang.VarInput{{Name: "m", Raw: "3"}}}, "", []string{"0: ERROR: Undeclared variable"}},
		{"undeclared in the environment", lang.Options{Environ: []string{"HANDBILL_VAR_m=3"}}, "", nil},
		{"undeclared in a file", lang.Options{}, "m = 1\n", []string{"1: WARNING: Undeclared variable"}},
		{"reference in a file", lang.Options{}, "n = var.x\n", []string{"1: ERROR: Invalid variable value"}},
		{"wrong type", lang.Options{Vars: []lang.VarInput{{Name: "n", Raw: "many"}}}, "", []string{"2: ERROR: Invalid variable value"}},
		{"bad expression", lang.Options{Vars: []lang.VarInput{{Name: "list", Raw: "[a"}}}, "", []string{"6: ERROR: Invalid variable value"}},
		{"secret of a wrong type", lang.Options{}, `secret = "canary-secret"` + "\n", []string{"10: ERROR: Invalid variable value"}},
		{"no such file", lang.Options{Vars: []lang.VarInput{{File: "/nowhere/x.vars.hcl"}}}, "", []string{"0: ERROR: Unreadable file"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, diags := lang.Load(t.Context(), write(t, map[string]string{"main.hcl": src, "handbill.vars.hcl": tt.vars}), tt.opt)
			if diff := cmp.Diff(tt.want, reported(diags)); diff != "" {
				t.Errorf("(-want +got):\n%s%s", diff, details(diags))
			}
			if strings.Contains(details(diags), "canary-secret") {
				t.Errorf("a secret in a diagnostic: %s", details(diags))
			}
		})
	}
}

func TestMissingVariablesAreNamed(t *testing.T) {
	t.Parallel()
	cfg, diags := lang.LoadFiles(t.Context(), map[string][]byte{"main.hcl": []byte("variable \"b\" {}\nvariable \"a\" {}\n" + `text_message "m" { body = var.a }`)}, nil, lang.Options{})
	if diff := cmp.Diff([]string{"b", "a"}, cfg.Missing()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var named []string
	for _, d := range diags {
		if lang.DiagCode(d) == "missing_variable" {
			named = append(named, strings.Split(d.Detail, `"`)[1])
		}
	}
	if diff := cmp.Diff([]string{"b", "a"}, named); diff != "" || len(diags) != 2 {
		t.Errorf("(-want +got):\n%s%s", diff, details(diags))
	}
}

func TestLoadReadsWhatIsConfiguration(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"b.hcl": `text_message "b" { body = "b" }`, "a.hcl.json": `{"text_message": {"a": {"body": "a"}}}`,
		".hidden.hcl": "nonsense", "#a.hcl": "nonsense", "a.hcl~": "nonsense", "x.vars.hcl": "nonsense", "x.test.hcl": "nonsense", "notes.txt": "nonsense",
	})
	if err := os.Mkdir(filepath.Join(dir, "sub.hcl"), 0o700); err != nil {
		t.Fatal(err)
	}
	cfg, diags := lang.Load(t.Context(), dir, lang.Options{})
	if len(diags) > 0 {
		t.Fatal(details(diags))
	}
	var got []string
	for _, m := range cfg.Messages {
		got = append(got, m.Address())
	}
	if diff := cmp.Diff([]string{"text_message.a", "text_message.b"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(write(t, map[string]string{"x.hcl": `locals { a = 1 }`}), "x.hcl")
	tests := []struct {
		name, want string
		dir        func(t *testing.T) string
	}{
		{"no directory", "file_unreadable", func(*testing.T) string { return "/nowhere/at/all" }},
		{"an empty directory", "no_configuration", func(t *testing.T) string { return t.TempDir() }},
		{"a link that leaves the directory", "file_unreadable", func(t *testing.T) string {
			dir := t.TempDir()
			if err := os.Symlink(outside, filepath.Join(dir, "x.hcl")); err != nil {
				t.Skipf("no symbolic links: %v", err)
			}
			return dir
		}},
		{"a large file", "file_too_large", func(t *testing.T) string {
			return write(t, map[string]string{"x.hcl": "# " + strings.Repeat("x", 1<<20)})
		}},
		{"many files", "file_too_large", func(t *testing.T) string {
			files := map[string]string{}
			for i := range 501 {
				files[fmt.Sprintf("%d.hcl", i)] = ""
			}
			return write(t, files)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, diags := lang.Load(t.Context(), tt.dir(t), lang.Options{})
			if len(diags) != 1 || lang.DiagCode(diags[0]) != tt.want {
				t.Errorf("got %swant %s", details(diags), tt.want)
			}
		})
	}
}

// TestJSONEqualsNative loads one configuration in both syntaxes.
func TestJSONEqualsNative(t *testing.T) {
	t.Parallel()
	native, err := os.ReadFile("testdata/json/campaign.hcl")
	if err != nil {
		t.Fatal(err)
	}
	js, err := os.ReadFile("testdata/json/campaign.hcl.json")
	if err != nil {
		t.Fatal(err)
	}
	a, diags := loadSource(t, "main.hcl", native)
	if len(diags) > 0 {
		t.Fatal(details(diags))
	}
	b, diags := loadSource(t, "main.hcl.json", js)
	if len(diags) > 0 {
		t.Fatal(details(diags))
	}
	if diff := cmp.Diff(string(resourcesJSON(t, a)), string(resourcesJSON(t, b))); diff != "" {
		t.Errorf("trees (-native +json):\n%s", diff)
	}
	pa, fa, _ := a.CompileCampaign(a.Campaigns[0])
	pb, fb, _ := b.CompileCampaign(b.Campaigns[0])
	if diff := cmp.Diff([]*message.Draft{pa.Draft, fa.Draft}, []*message.Draft{pb.Draft, fb.Draft}); diff != "" {
		t.Errorf("drafts (-native +json):\n%s", diff)
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	cfg, diags := loadSource(t, "main.hcl", []byte(`
audience "a" {
  source "csv" { path = "a.csv" }
  phone        = replace(row.tel, " ", "")
  filter       = row.country == "DE"
  consent      = row.opted_in == "yes"
  last_inbound = row.seen
  attributes   = { name = title(row.name), big = tonumber(row.amount) > 10 }
}`))
	if diags.HasErrors() {
		t.Fatal(details(diags))
	}
	columns := []string{"name", "tel", "country", "opted_in", "seen", "amount"}
	rows, diags := cfg.BindAudience(cfg.Audiences[0], columns)
	if diags.HasErrors() {
		t.Fatal(details(diags))
	}
	seen := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	tests := []struct {
		row  []string
		want lang.Person
		code string
	}{
		{[]string{"ann", "+49 151", "DE", "yes", "2026-03-01T09:00:00+01:00", "11"}, lang.Person{
			Keep: true, Phone: "+49151", Consent: true, LastInbound: seen, Attributes: []message.Value{{Kind: message.Bool, Text: "true"}, message.Str("Ann")},
		}, ""},
		{[]string{"ann", "1", "DE", "no", "1772352000", "3"}, lang.Person{
			Keep: true, Phone: "1", LastInbound: seen, Attributes: []message.Value{{Kind: message.Bool, Text: "false"}, message.Str("Ann")},
		}, ""},
		{[]string{"ann", "1", "FR", "", "", ""}, lang.Person{Attributes: []message.Value{}}, ""},
		{[]string{"ann", "1", "DE", "", "yesterday", "1"}, lang.Person{}, "invalid_value"},
		{[]string{"ann", "1", "DE", "", "", "many"}, lang.Person{}, "evaluation"},
	}
	var p lang.Person
	for _, tt := range tests {
		vals := make([]message.Value, len(tt.row))
		for i, s := range tt.row {
			vals[i] = message.Str(s)
		}
		err := rows.Eval(vals, &p)
		if tt.code != "" {
			var re *lang.RowError
			if !errors.As(err, &re) || re.Code != tt.code || re.Range.Filename == "" || strings.Contains(err.Error(), "yesterday") {
				t.Errorf("%v: got %v, want %s", tt.row, err, tt.code)
			}
			continue
		}
		if err != nil {
			t.Errorf("%v: %v", tt.row, err)
			continue
		}
		if !p.LastInbound.IsZero() {
			p.LastInbound = p.LastInbound.UTC()
		}
		if diff := cmp.Diff(tt.want, p, cmpopts.IgnoreUnexported(lang.Person{})); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.row, diff)
		}
	}
	_, diags = cfg.BindAudience(cfg.Audiences[0], []string{"name", "telephone", "country", "opted_in", "seen", "amount"})
	if len(diags) != 1 || lang.DiagCode(diags[0]) != "unknown_column" || diags[0].Subject.Start.Line != 4 {
		t.Errorf("unknown column: %s", details(diags))
	}
}

func TestInlineContacts(t *testing.T) {
	t.Parallel()
	cfg, diags := loadSource(t, "main.hcl", []byte("audience \"a\" {\n  contact \"+4915112345678\" { name = \"Ann\" }\n  contact \"US.123\" { age = 3 }\n}"))
	if diags.HasErrors() {
		t.Fatal(details(diags))
	}
	a := cfg.Audiences[0]
	rows, diags := cfg.BindAudience(a, a.Columns)
	if diags.HasErrors() {
		t.Fatal(details(diags))
	}
	want := []lang.Person{
		{Keep: true, Phone: "+4915112345678", Attributes: []message.Value{{}, message.Str("Ann")}},
		{Keep: true, UserID: "US.123", Attributes: []message.Value{{Kind: message.Number, Text: "3"}, {}}},
	}
	for i, c := range a.Source.Contacts {
		var p lang.Person
		if err := rows.Eval(c.Values, &p); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[i], p, cmpopts.IgnoreUnexported(lang.Person{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestGraphAndResults(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("testdata/valid/everything_else.hcl")
	if err != nil {
		t.Fatal(err)
	}
	cfg, diags := loadSource(t, "main.hcl", src)
	if len(diags) > 0 {
		t.Fatal(details(diags))
	}
	for range 5 {
		again, _ := loadSource(t, "main.hcl", src)
		if cfg.Graph.DOT() != again.Graph.DOT() {
			t.Fatal("the graph is not the same twice")
		}
	}
	if dot := cfg.Graph.DOT(); !strings.Contains(dot, `"campaign.hello" -> "text_message.hi"`) || !strings.Contains(dot, `"local.greeting" -> "local.name"`) {
		t.Errorf("an edge is missing:\n%s", dot)
	}
	i := slices.IndexFunc(cfg.Resources(), func(r lang.Resource) bool { return r.Address == "campaign.hello" })
	if diff := cmp.Diff([]string{"audience.staff", "provider.sandbox.main", "text_message.hi"}, cfg.Resources()[i].Refs); diff != "" {
		t.Errorf("refs (-want +got):\n%s", diff)
	}
	plan := func(n int64) cty.Value {
		c := cty.ObjectVal(map[string]cty.Value{"send": cty.NumberIntVal(n)})
		return cty.ObjectVal(map[string]cty.Value{"campaign": cty.ObjectVal(map[string]cty.Value{"hello": c})})
	}
	if got := cfg.EvalChecks(plan(5)); len(got) != 1 || !got[0].Passed {
		t.Errorf("check: %+v", got)
	}
	if got := cfg.EvalChecks(plan(5001)); got[0].Passed || got[0].Message != "Too many: 5001." {
		t.Errorf("check: %+v", got)
	}
	outs, diags := cfg.EvalOutputs(plan(5))
	if diags.HasErrors() || len(outs) != 2 || !outs[0].Value.RawEquals(cty.NumberIntVal(5)) || !outs[1].Sensitive {
		t.Errorf("outputs: %v %s", len(outs), details(diags))
	}
	v, diags := cfg.EvalConsole(`"${local.greeting}!"`)
	if diags.HasErrors() || v.AsString() != "Hello ANN!" {
		t.Errorf("console: %s", details(diags))
	}
	if _, diags := cfg.EvalConsole(`local.greting`); len(diags) != 1 || !strings.Contains(diags[0].Detail, "greeting") {
		t.Errorf("console: %s", details(diags))
	}
}

func TestReplyProgram(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("testdata/valid/everything_else.hcl")
	if err != nil {
		t.Fatal(err)
	}
	cfg, _ := loadSource(t, "main.hcl", src)
	snapshot, err := cfg.ReplySource()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(snapshot, []byte("canary-secret")) {
		t.Error("a secret in the snapshot")
	}
	again, diags := lang.LoadReplySource(t.Context(), snapshot, options())
	if len(diags) > 0 {
		t.Fatal(details(diags))
	}
	p, diags := again.CompileReply(again.ReplyRules[0])
	if p == nil || diags.HasErrors() {
		t.Fatal(details(diags))
	}
	vals := make([]message.Value, len(p.Names))
	set := func(name, kind string, v message.Value) {
		i := slices.Index(p.Names, name)
		if i < 0 {
			t.Fatalf("no %s in %v", name, p.Names)
		}
		vals[i] = v
	}
	set("opted_out", "", message.Value{Kind: message.Bool, Text: "false"})
	set("match.sku", "", message.Str("cup"))
	set("lookup.stock", "", message.Value{Kind: message.JSON, Text: `{"left": 4}`})
	if ok, err := p.Condition(vals); err != nil || !ok {
		t.Errorf("condition: %v %v", ok, err)
	}
	req, err := p.LookupRequest(0, vals)
	if err != nil || req.URL != "https://stock.example.com/cup" || req.Headers["Authorization"] != "canary-secret" {
		t.Errorf("lookup: %+v %v", req.URL, err)
	}
	if v, err := p.LookupFallback(0, vals); err != nil || v.Text != `{"left":0}` {
		t.Errorf("fallback: %+v %v", v, err)
	}
	if got, err := p.SetValues(vals); err != nil || got[0] != message.Str("cup") {
		t.Errorf("set: %+v %v", got, err)
	}
	got, err := p.Reply.Eval(&message.Recipient{Attributes: vals}, nil)
	if diff := cmp.Diff([]string{"4", "you"}, got); err != nil || diff != "" {
		t.Errorf("reply: %v (-want +got):\n%s", err, diff)
	}
}

// TestSnapshotKeepsWhatFilesHeld loads a snapshot in a place without the files.
func TestSnapshotKeepsWhatFilesHeld(t *testing.T) {
	t.Parallel()
	cfg, diags := loadSource(t, "main.hcl", []byte("catalog \"c\" {\n  id = \"1\"\n  products = csv(\"products.csv\")\n}\nvariable \"l\" {\n  type = list(string)\n  default = [\"a\"]\n}\n"))
	if diags.HasErrors() {
		t.Fatal(details(diags))
	}
	snapshot, err := cfg.ReplySource()
	if err != nil {
		t.Fatal(err)
	}
	again, diags := lang.LoadReplySource(t.Context(), snapshot, lang.Options{Vars: []lang.VarInput{{Name: "l", Raw: `["b"]`}}})
	if diags.HasErrors() {
		t.Fatal(details(diags))
	}
	if len(again.Catalogs) != 1 || len(again.Catalogs[0].Products) != 2 || !again.Variables[0].Value.RawEquals(cfg.Variables[0].Value) {
		t.Errorf("the snapshot lost something")
	}
	if _, diags := lang.LoadReplySource(t.Context(), []byte("{"), lang.Options{}); !diags.HasErrors() {
		t.Error("a broken snapshot was loaded")
	}
}

func TestLoadStopsWhenInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, diags := lang.LoadFiles(ctx, map[string][]byte{"main.hcl": []byte("locals {\n  a = 1\n  b = 2\n}")}, nil, lang.Options{})
	if len(diags) != 1 || lang.DiagCode(diags[0]) != "interrupted" {
		t.Errorf("got %s", details(diags))
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	got, diags := lang.Format([]byte("text_message   \"m\" {\nbody=\"x\" # why\n  preview_url   = true\n}\n"), "a.hcl")
	want := "text_message \"m\" {\n  body        = \"x\" # why\n  preview_url = true\n}\n"
	if diags.HasErrors() || string(got) != want {
		t.Errorf("got %s%s", got, details(diags))
	}
	if again, _ := lang.Format(got, "a.hcl"); !bytes.Equal(got, again) {
		t.Error("not idempotent")
	}
	if same, diags := lang.Format([]byte("a {"), "a.hcl"); !diags.HasErrors() || string(same) != "a {" {
		t.Error("a broken file was changed")
	}
}

func TestCodesAreSortedAndExplained(t *testing.T) {
	t.Parallel()
	codes := lang.Codes()
	if !slices.IsSortedFunc(codes, func(a, b lang.CodeInfo) int { return strings.Compare(a.Code, b.Code) }) {
		t.Error("the table of codes is not sorted")
	}
	for _, c := range codes {
		if c.Summary == "" || len(c.Explanation) < 40 || len(strings.Fields(c.Summary)) > 5 {
			t.Errorf("%s: %q", c.Code, c.Summary)
		}
	}
}

// TestShapeMayComeFromValues gives one message different rows, depending on
// values.
func TestShapeMayComeFromValues(t *testing.T) {
	t.Parallel()
	cfg, diags := loadSource(t, "main.hcl", []byte(`
provider "sandbox" "main" {}
audience "a" {
  contact "+4915112345678" { name = "Ann" }
}
list_message "l" {
  body   = "Pick"
  button = "Open"
  section "All" {
    dynamic "row" {
      for_each = value.cities
      labels   = ["${lower(row.value)} for ${recipient.name}"]
      content { title = "${row.value}, ${recipient.name}" }
    }
  }
}
campaign "one" {
  provider = provider.sandbox.main
  audience = audience.a
  message  = list_message.l
  values   = { cities = ["Bonn", "Kiel"] }
}`))
	if diags.HasErrors() {
		t.Fatal(details(diags))
	}
	p, _, _ := cfg.CompileCampaign(cfg.Campaigns[0])
	rows := p.Draft.Message.(*message.List).Sections[0].Rows
	if len(rows) != 2 || len(p.Draft.Slots) != 1 {
		t.Errorf("rows %+v, slots %v", rows, p.Draft.Slots)
	}
	want := message.Binding{Path: "section[0].row[1].id", Parts: []message.Part{{Text: "kiel for ", Slot: -1}, {Slot: 0}}}
	if diff := cmp.Diff(want, p.Draft.Bindings[2]); diff != "" {
		t.Errorf("a row's id (-want +got):\n%s", diff)
	}
}

// FuzzLoad loads arbitrary bytes as a configuration in either syntax.
func FuzzLoad(f *testing.F) {
	files, _ := filepath.Glob("testdata/*/*.hcl*")
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range bytes.Split(src, []byte("# ---\n")) {
			f.Add(part, strings.HasSuffix(file, ".json"))
		}
	}
	f.Fuzz(func(t *testing.T, src []byte, js bool) {
		name := "main.hcl"
		if js {
			name += ".json"
		}
		call := []byte("module \"m\" {\n  source   = \"./m\"\n  for_each = toset([\"a\", \"b\"])\n}\n")
		if cfg, _ := lang.LoadFiles(t.Context(), map[string][]byte{"main.hcl": call, "m/" + name: src}, nil, options()); len(cfg.Files) != 2 {
			t.Errorf("the module's file was not read: %v", cfg.Files)
		} else {
			cfg.Resources()
		}
		cfg, diags := lang.LoadFiles(t.Context(), map[string][]byte{name: src}, nil, options())
		for _, d := range diags {
			if d.Severity != hcl.DiagError && d.Severity != hcl.DiagWarning || lang.DiagCode(d) == "" {
				t.Errorf("an odd diagnostic: %v", d)
			}
		}
		cfg.Resources()
		if _, err := cfg.ReplySource(); err != nil && !diags.HasErrors() {
			t.Errorf("no snapshot: %v", err)
		}
		if out, diags := lang.Format(src, name); !diags.HasErrors() {
			if again, _ := lang.Format(out, name); !bytes.Equal(out, again) {
				t.Errorf("formatting is not idempotent:\n%q\n%q", out, again)
			}
		}
	})
}

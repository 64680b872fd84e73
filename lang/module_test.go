package lang_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/lang/eval"
)

// loadDir loads files, by name with slashes, from a directory.
func loadDir(t *testing.T, files map[string]string, opt lang.Options) (*lang.Config, hcl.Diagnostics) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	opt.Schemas = map[string]lang.ProviderSchema{"sandbox": {}}
	return lang.Load(t.Context(), dir, opt)
}

// TestModulesSeeNoNamesOfOthers: each kind of name that a caller, another module or an
// inner module declares is unknown in a module, and the other way round.
func TestModulesSeeNoNamesOfOthers(t *testing.T) {
	t.Parallel()
	const everything = `
variable "x" { default = "1" }
locals { x = "1" }
catalog "x" { id = "1" }
audience "x" {
  contact "+4915112345601" {}
}
text_message "x" { body = "hi" }
provider "sandbox" "x" {}
data "template" "x" {
  provider = provider.sandbox.x
  name     = "x"
}
campaign "x" {
  provider = provider.sandbox.x
  audience = audience.x
  message  = text_message.x
}
`
	names := []string{"var.x", "local.x", "catalog.x", "audience.x", "text_message.x", "provider.sandbox.x", "data.template.x", "campaign.x", "module.b.out"}
	for _, name := range names {
		user := "output \"seen\" {\n  value = " + name + "\n}\n"
		for place, files := range map[string]map[string]string{
			"the caller's":        {"main.hcl": everything + "module \"a\" {\n  source = \"./a\"\n}\nmodule \"b\" {\n  source = \"./b\"\n}\n", "a/main.hcl": user, "b/main.hcl": "output \"out\" {\n  value = 1\n}\n"},
			"another module's":    {"main.hcl": "module \"a\" {\n  source = \"./a\"\n}\nmodule \"other\" {\n  source = \"./other\"\n}\n", "a/main.hcl": user, "other/main.hcl": everything + "module \"b\" {\n  source = \"../b\"\n}\n", "b/main.hcl": "output \"out\" {\n  value = 1\n}\n"},
			"an inner module's":   {"main.hcl": user + "module \"a\" {\n  source = \"./a\"\n}\n", "a/main.hcl": everything + "module \"b\" {\n  source = \"../b\"\n}\n", "b/main.hcl": "output \"out\" {\n  value = 1\n}\n"},
			"its own, to be sure": {"main.hcl": user + everything + "module \"b\" {\n  source = \"./b\"\n}\n", "b/main.hcl": "output \"out\" {\n  value = 1\n}\n"},
		} {
			_, diags := loadDir(t, files, lang.Options{})
			if strings.HasPrefix(place, "its own") {
				if diags.HasErrors() {
					t.Errorf("%s: %v", name, diags)
				}
				continue
			}
			if len(diags) != 1 || lang.DiagCode(diags[0]) != "unknown_reference" {
				t.Errorf("%s sees %s: %v", place, name, diags)
			}
		}
	}
}

// TestModuleInJSON: modules and calls of JSON syntax are the same as of native syntax,
// with references that are written as texts.
func TestModuleInJSON(t *testing.T) {
	t.Parallel()
	native, diags := loadDir(t, map[string]string{
		"main.hcl": `
provider "sandbox" "main" {}
catalog "shop" {
  id = "194836987003835"
  product "pie" { title = "Pie" }
}
module "m" {
  for_each = { de = "Hallo" }
  source   = "./m"
  number   = provider.sandbox.main
  shops    = { best = catalog.shop }
  greeting = each.value
}
campaign "again" {
  provider = provider.sandbox.main
  audience = module.m["de"].people
  message  = module.m["de"].hello
}
`,
		"m/main.hcl": `
variable "number" { type = reference(provider) }
variable "shops" { type = map(reference(catalog)) }
variable "greeting" { type = string }
catalog "own" {
  id = "2"
  product "cake" { title = "Cake" }
}
audience "people" {
  contact "+4915112345601" {}
}
audience "others" {
  contact "+4915112345602" {}
  exclude = [audience.people]
}
text_message "hello" { body = "${var.greeting} ${var.shops.best.products["pie"].title}" }
product_message "cake" {
  catalog = catalog.own
  product = catalog.own.products.cake
  body    = "cake"
}
campaign "spring" {
  provider = var.number
  audience = audience.people
  message  = text_message.hello
}
moved {
  from = campaign.old
  to   = campaign.spring
}
output "people" { value = audience.people }
output "hello" { value = text_message.hello }
`}, lang.Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	json, diags := loadDir(t, map[string]string{
		"main.hcl.json": `{
  "provider": {"sandbox": {"main": {}}},
  "catalog": {"shop": {"id": "194836987003835", "product": {"pie": {"title": "Pie"}}}},
  "module": {"m": {"for_each": {"de": "Hallo"}, "source": "./m", "number": "${provider.sandbox.main}", "shops": {"best": "${catalog.shop}"}, "greeting": "${each.value}"}},
  "campaign": {"again": {"provider": "provider.sandbox.main", "audience": "${module.m[\"de\"].people}", "message": "${module.m[\"de\"].hello}"}}
}`,
		"m/main.hcl.json": `{
  "variable": {"number": {"type": "reference(provider)"}, "shops": {"type": "map(reference(catalog))"}, "greeting": {"type": "string"}},
  "catalog": {"own": {"id": "2", "product": {"cake": {"title": "Cake"}}}},
  "audience": {"people": {"contact": {"+4915112345601": {}}}, "others": {"contact": {"+4915112345602": {}}, "exclude": ["audience.people"]}},
  "text_message": {"hello": {"body": "${var.greeting} ${var.shops.best.products[\"pie\"].title}"}},
  "product_message": {"cake": {"catalog": "catalog.own", "product": "${catalog.own.products.cake}", "body": "cake"}},
  "campaign": {"spring": {"provider": "${var.number}", "audience": "audience.people", "message": "text_message.hello"}},
  "moved": {"from": "campaign.old", "to": "campaign.spring"},
  "output": {"people": {"value": "${audience.people}"}, "hello": {"value": "${text_message.hello}"}}
}`}, lang.Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if diff := cmp.Diff(string(resourcesJSON(t, native)), string(resourcesJSON(t, json))); diff != "" {
		t.Errorf("(-native +json):\n%s", diff)
	}
	if diff := cmp.Diff(native.Graph, json.Graph); diff != "" {
		t.Errorf("graph (-native +json):\n%s", diff)
	}
	if m := json.Moved[0]; m.From != `module.m["de"].campaign.old` || m.To != `module.m["de"].campaign.spring` {
		t.Errorf("moved %+v", m)
	}
}

// TestReplySourceHasModules: the rules of modules are compiled again from what the
// state keeps, with what functions read and without the directory.
func TestReplySourceHasModules(t *testing.T) {
	t.Parallel()
	cfg, diags := loadDir(t, map[string]string{
		"main.hcl":      "module \"m\" {\n  source = \"./m\"\n  answer = \"One\"\n}\n",
		"m/main.hcl":    "variable \"answer\" {}\nmodule \"n\" {\n  source = \"./n\"\n}\ntext_message \"hi\" {\n  body = \"${var.answer} ${module.n.words}\"\n}\nreply_rule \"hi\" {\n  when { keywords = [\"hi\"] }\n  reply = text_message.hi\n}\n",
		"m/n/main.hcl":  "output \"words\" {\n  value = file(\"${path.module}/words.txt\")\n}\n",
		"m/n/words.txt": "of the inner module",
	}, lang.Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	src, err := cfg.ReplySource()
	if err != nil {
		t.Fatal(err)
	}
	again, diags := lang.LoadReplySource(t.Context(), src, lang.Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if diff := cmp.Diff(string(resourcesJSON(t, cfg)), string(resourcesJSON(t, again))); diff != "" {
		t.Errorf("(-loaded +from the snapshot):\n%s", diff)
	}
	if got := again.ReplyRules[0].Address(); got != "module.m.reply_rule.hi" {
		t.Errorf("the rule is %s", got)
	}
}

// TestSensitiveThroughModules: a sensitive value stays so on its way through variables
// and outputs.
func TestSensitiveThroughModules(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"main.hcl":   "variable \"token\" {\n  sensitive = true\n  default = \"hidden\"\n}\nmodule \"m\" {\n  source = \"./m\"\n  token = var.token\n  plain = \"open\"\n}\n",
		"m/main.hcl": "variable \"token\" {}\nvariable \"plain\" {\n  sensitive = true\n}\noutput \"token\" {\n  value = \"x${var.token}\"\n  sensitive = true\n}\noutput \"plain\" {\n  value = var.plain\n  sensitive = true\n}\noutput \"marked\" {\n  value = \"y\"\n  sensitive = true\n}\n",
	}
	cfg, diags := loadDir(t, files, lang.Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	for _, output := range []string{"token", "plain", "marked"} {
		if v, diags := cfg.EvalConsole("module.m." + output); diags.HasErrors() || !eval.IsSensitive(v) {
			t.Errorf("module.m.%s is not sensitive: %v", output, diags)
		}
	}
	late := map[string]string{
		"main.hcl":   "module \"m\" {\n  source = \"./m\"\n}\noutput \"shown\" {\n  value = module.m.late\n}\n",
		"m/main.hcl": "output \"late\" {\n  value = plan.total\n  sensitive = true\n}\n",
	}
	cfg, diags = loadDir(t, late, lang.Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	planned := cty.ObjectVal(map[string]cty.Value{"campaign": cty.EmptyObjectVal, "total": cty.NumberIntVal(1)})
	if _, diags := cfg.EvalOutputs(planned); len(diags) != 1 || lang.DiagCode(diags[0]) != "sensitive_value" {
		t.Errorf("an output shows what a module keeps: %v", diags)
	}
	files["main.hcl"] += "text_message \"hi\" {\n  body = module.m.token\n}\n"
	if _, diags := loadDir(t, files, lang.Options{}); len(diags) != 1 || lang.DiagCode(diags[0]) != "sensitive_value" {
		t.Errorf("a message took a secret: %v", diags)
	}
}

// TestUnsetSecretThroughModules: a secret argument that reads a variable of the
// environment may be passed to a module, and is a warning where it is not set, as in
// the configuration itself. Anything else that uses it is an error.
func TestUnsetSecretThroughModules(t *testing.T) {
	t.Parallel()
	opt := lang.Options{Env: func(string) (string, bool) { return "", false }}
	load := func(more string) (*lang.Config, hcl.Diagnostics) {
		files := map[string][]byte{
			"main.hcl":   []byte("module \"m\" {\n  source = \"./m\"\n  token = env(\"TOKEN\")\n}\n"),
			"m/main.hcl": []byte("variable \"token\" {}\nprovider \"onemsg\" \"main\" {\n  token = var.token\n}\n" + more),
		}
		o := opt
		o.Schemas = map[string]lang.ProviderSchema{"onemsg": {Arguments: []lang.ProviderArgument{{Name: "token", Sensitive: true}}}}
		return lang.LoadFiles(t.Context(), files, nil, o)
	}
	cfg, diags := load("")
	if len(diags) != 1 || lang.DiagCode(diags[0]) != "unset_secret" || diags.HasErrors() {
		t.Fatal(diags)
	}
	if diff := cmp.Diff([]lang.UnsetSecret{{Argument: "token", Variable: "TOKEN"}}, cfg.Providers[0].Unset); diff != "" {
		t.Error(diff)
	}
	const forward = "reply_rule \"all\" {\n  when { any = true }\n  cooldown = \"1h\"\n  forward {\n    url = \"https://crm.example\"\n    secret = var.token\n  }\n}\n"
	if _, diags := load(forward); !diags.HasErrors() {
		t.Error("a forward without its secret is taken")
	}
}

// TestModulesReadWithinTheirPlaces: what a module reads lies in the configuration's
// directory or in one of -module-dir, by whatever way it is named.
func TestModulesReadWithinTheirPlaces(t *testing.T) {
	t.Parallel()
	outer := t.TempDir()
	for name, text := range map[string]string{"secret.txt": "secret", "conf/main.hcl": "", "lib/m/main.hcl": "variable \"path\" {}\noutput \"text\" {\n  value = file(var.path)\n}\n", "lib/words.txt": "words"} {
		path := filepath.Join(outer, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(outer, "secret.txt"), filepath.Join(outer, "lib", "link.txt")); err != nil {
		t.Skip(err)
	}
	for path, allowed := range map[string]bool{
		"../lib/words.txt": true, "../lib/m/../words.txt": true, "../secret.txt": false, "../lib/../secret.txt": false, "../lib/link.txt": false,
		"../libx/words.txt": false, filepath.Join(outer, "secret.txt"): false, "../lib/m/../../secret.txt": false,
	} {
		call := "module \"m\" {\n  source = \"../lib/m\"\n  path = \"" + path + "\"\n}\n"
		if err := os.WriteFile(filepath.Join(outer, "conf", "main.hcl"), []byte(call), 0o600); err != nil {
			t.Fatal(err)
		}
		_, diags := lang.Load(t.Context(), filepath.Join(outer, "conf"), lang.Options{ModuleDirs: []string{filepath.Join(outer, "lib")}})
		if diags.HasErrors() == allowed {
			t.Errorf("%s: %v", path, diags)
		}
	}
}

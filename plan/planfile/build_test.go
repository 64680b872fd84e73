package planfile

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/plan"
	"github.com/handbill/handbill/state"
)

const shop = `
provider "sandbox" "main" {}

variable "pin" {
  type      = string
  sensitive = true
}

variable "topic" {
  type = string
}

text_message "hello" {
  body = "Hello ${recipient.name}, about ${var.topic}!"
}

audience "people" {
  source "csv" { path = "contacts.csv" }
  attributes = { name = row.name }
}

campaign "spring" {
  provider   = provider.sandbox.main
  audience   = audience.people
  message    = text_message.hello
  window     = "assume_open"
  on_invalid = "skip"
}
`

const pin = "s3cr3t-canary"

// saveShop plans the shop, saves the plan and reads it back.
func saveShop(t *testing.T) (planned, read *plan.Plan, config *ConfigSnapshot) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"main.hcl": shop, "contacts.csv": "phone,name\n+4915112345601,Anna\n12,Ben\n+4915112345603,Cem\n",
		"handbill.vars.hcl": "pin = \"" + pin + "\"\ntopic = \"spring\"\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, diags := lang.Load(t.Context(), dir, lang.Options{Schemas: map[string]lang.ProviderSchema{"sandbox": {}}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	planned, diags = plan.Build(t.Context(), cfg, plan.Inputs{At: testAt, Version: "0.1.0", Build: "commit:a", Root: root, Spool: NewSpool(dir)})
	t.Cleanup(func() { planned.Close() })
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	snap, err := SnapshotOf(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := Write(&buf, planned, snap); err != nil {
		t.Fatal(err)
	}
	read, config, err = Read(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return planned, read, config
}

func TestSavedBuildRoundTrip(t *testing.T) {
	p, got, config := saveShop(t)
	if got.Digest != p.Digest || string(config.Files["main.hcl"]) != shop {
		t.Error("the plan or its configuration came back changed")
	}
	sends := func(p *plan.Plan) (list []plan.Entry) {
		for _, e := range collect(t, p) {
			if e.Action.Sends() {
				list = append(list, e)
			}
		}
		return list
	}
	if diff := cmp.Diff(sends(p), sends(got)); diff != "" || len(sends(p)) != 2 {
		t.Errorf("of %d sends: %s", len(sends(p)), diff)
	}
	if err := Stale(got, state.Meta{}, nil, testAt, Maker{"0.1.0", "commit:a"}); err == nil {
		t.Error("a plan that was made without a state may be applied to one")
	}
}

// TestSecretsStayOut checks that a saved plan does not contain the value of a
// sensitive variable.
func TestSecretsStayOut(t *testing.T) {
	_, got, config := saveShop(t)
	var all []byte
	for _, v := range []any{got, config, collect(t, got)} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	for name, file := range config.Files {
		all = append(all, name...)
		all = append(all, file...)
	}
	if bytes.Contains(all, []byte(pin)) || !bytes.Contains(all, []byte(`"topic"`)) {
		t.Errorf("the saved plan holds %s", all)
	}
}

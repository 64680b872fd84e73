package lang_test

import (
	"testing"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

const dataShop = `
provider "sandbox" "main" {}

variable "wide" { default = true }

data "template" "ready" {
  provider = provider.sandbox.main
  name     = "order_ready"
}

data "template" "sale" {
  provider = provider.sandbox.main
  name     = "spring_sale"
}

locals { chosen = data.template.ready }

audience "people" {
  source "csv" { path = "people.csv" }
  consent = true
}

campaign "c" {
  provider = provider.sandbox.main
  audience = audience.people
  message  = template_message.m
  values   = { template = data.template.sale }
}
`

// TestDataTemplate checks that the program finds the data block to which a
// message refers, in every way of referring to it, and sends the template's
// name. A name that is written as a text is no reference.
func TestDataTemplate(t *testing.T) {
	for written, want := range map[string]struct{ data, name string }{
		`data.template.ready`: {"data.template.ready", "order_ready"},
		`local.chosen`:        {"data.template.ready", "order_ready"},
		`value.template`:      {"data.template.sale", "spring_sale"},
		`var.wide ? data.template.ready : data.template.sale`: {"data.template.ready", "order_ready"},
		`"order_ready"`:         {"", "order_ready"},
		`"${"order"}_ready"`:    {"", "order_ready"},
		`"data_template_ready"`: {"", "data_template_ready"},
	} {
		files := map[string][]byte{"main.hcl": []byte(dataShop + "template_message \"m\" {\n template = " + written + "\n language = \"en\"\n}\n")}
		cfg, diags := lang.LoadFiles(t.Context(), files, nil, lang.Options{Schemas: map[string]lang.ProviderSchema{"sandbox": {}}})
		if diags.HasErrors() {
			t.Errorf("%s: %v", written, diags)
			continue
		}
		main, _, diags := cfg.CompileCampaign(cfg.Campaigns[0])
		if diags.HasErrors() {
			t.Errorf("%s: %v", written, diags)
			continue
		}
		data := ""
		if main.Data != nil {
			data = main.Data.Address()
		}
		if name := main.Draft.Message.(*message.Template).Name; data != want.data || name != want.name {
			t.Errorf("%s: %q by %q, want %+v", written, name, data, want)
		}
	}
}

// TestDataTemplateInJSON is the same in JSON syntax.
func TestDataTemplateInJSON(t *testing.T) {
	src := `{"provider":{"sandbox":{"main":{}}},"data":{"template":{"ready":{"provider":"provider.sandbox.main","name":"order_ready"}}},
		"audience":{"people":{"source":{"csv":{"path":"people.csv"}},"consent":true}},
		"template_message":{"m":{"template":"data.template.ready","language":"en"}},
		"campaign":{"c":{"provider":"provider.sandbox.main","audience":"audience.people","message":"template_message.m"}}}`
	cfg, diags := lang.LoadFiles(t.Context(), map[string][]byte{"main.hcl.json": []byte(src)}, nil, lang.Options{Schemas: map[string]lang.ProviderSchema{"sandbox": {}}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	main, _, diags := cfg.CompileCampaign(cfg.Campaigns[0])
	if diags.HasErrors() || main.Data == nil || main.Data.Template != "order_ready" || main.Draft.Message.(*message.Template).Name != "order_ready" {
		t.Errorf("%+v, %v", main, diags)
	}
	if refs := cfg.Graph.Refs("template_message.m"); len(refs) != 1 || refs[0] != "data.template.ready" {
		t.Errorf("it refers to %v", refs)
	}
}

package repo

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/metaobject"
)

// TestLanguageShowsTemplateValues compiles the template that docs/language.md
// shows and encodes it for one person.
func TestLanguageShowsTemplateValues(t *testing.T) {
	page, err := os.ReadFile("docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## What fills a template\n")
	_, rest, _ := strings.Cut(section, "```hcl\n")
	shown, _, _ := strings.Cut(rest, "```")
	src := shown + `
provider "cloud" "main" {}
audience "buyers" {
  source "csv" { path = "buyers.csv" }
  consent    = true
  attributes = { name = row.name, total = row.total, until = row.until }
}
campaign "ready" {
  provider = provider.cloud.main
  audience = audience.buyers
  message  = template_message.order_ready
}
`
	cfg, diags := lang.LoadFiles(context.Background(), map[string][]byte{"main.hcl": []byte(src)}, nil,
		lang.Options{Schemas: map[string]lang.ProviderSchema{"cloud": {}}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	p, _, diags := cfg.CompileCampaign(cfg.Campaigns[0])
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	to := message.Recipient{Address: message.Address{Phone: "+4915112345678"},
		Attributes: []message.Value{message.Str("Ana"), message.Str("12.5"), message.Str("2026-05-01T00:00:00Z")}}
	values, err := p.Eval(&to, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := p.Draft.Render(values)
	if bad := message.Check(m, nil); len(bad) > 0 {
		t.Errorf("WhatsApp does not take it: %+v", bad)
	}
	body, err := metaobject.Encode(to.Address, m, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"type":"header","parameters":[{"type":"text","parameter_name":"customer","text":"Ana"}]}`,
		`{"type":"currency","parameter_name":"total","currency":{"fallback_value":"12.50 EUR","code":"EUR","amount_1000":12500}}`,
		`{"type":"date_time","parameter_name":"until","date_time":{"fallback_value":"1 May"}}`,
	} {
		if !strings.Contains(string(body), want) {
			t.Errorf("%s is not in\n%s", want, body)
		}
	}
}

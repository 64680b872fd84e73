package lang_test

import (
	"testing"

	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/message"
)

// BenchmarkEval renders the slots of a text with two attributes.
func BenchmarkEval(b *testing.B) {
	cfg, diags := lang.LoadFiles(b.Context(), map[string][]byte{"main.hcl": []byte(campaignSource(
		`text_message "m" { body = "Hello, ${recipient.name} of ${recipient.city}, ${upper(recipient.name)}" }`))}, nil, options())
	if diags.HasErrors() {
		b.Fatal(details(diags))
	}
	p, _, _ := cfg.CompileCampaign(cfg.Campaigns[0])
	r := &message.Recipient{Attributes: []message.Value{message.Str("Bonn"), message.Str("Ann"), {}}}
	var dst []string
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, err = p.Eval(r, dst[:0]); err != nil {
			b.Fatal(err)
		}
	}
}

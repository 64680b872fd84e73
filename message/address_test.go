package message_test

import (
	"testing"

	"github.com/handbill/handbill/message"
)

func TestCutModule(t *testing.T) {
	for address, want := range map[string][2]string{
		"campaign.spring":                                {"", "campaign.spring"},
		`campaign.module["module.a.b"]`:                  {"", `campaign.module["module.a.b"]`},
		"module.a.campaign.spring":                       {"module.a", "campaign.spring"},
		`module.a["x.y"].campaign.spring["de"]`:          {`module.a["x.y"]`, `campaign.spring["de"]`},
		`module.a["].x["].module.b.provider.onemsg.main`: {`module.a["].x["].module.b`, "provider.onemsg.main"},
		"module.a":          {"", "module.a"},
		`module.a["x"]`:     {"", `module.a["x"]`},
		"module.a.module.b": {"module.a", "module.b"},
		"module.":           {"", "module."},
		`module.a["x`:       {"", `module.a["x`},
		"":                  {"", ""},
	} {
		module, rest := message.CutModule(address)
		if got := [2]string{module, rest}; got != want {
			t.Errorf("CutModule(%q) = %q, want %q", address, got, want)
		}
		if got := message.WithModule(module, rest); got != address {
			t.Errorf("WithModule of the parts of %q = %q", address, got)
		}
	}
	for address, want := range map[string]string{`module.a["x.y"].campaign.b`: "campaign", "module.a.module.b": "module", "template.x.de": "template"} {
		if got := message.AddressType(address); got != want {
			t.Errorf("AddressType(%q) = %q, want %q", address, got, want)
		}
	}
}

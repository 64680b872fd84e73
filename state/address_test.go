package state_test

import (
	"testing"

	"github.com/handbill/handbill/state"
)

func TestSplitAddress(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in, base, key string
		ok            bool
	}{
		{`campaign.spring`, `campaign.spring`, ``, false},
		{`campaign.spring["de"]`, `campaign.spring`, `de`, true},
		{`campaign.spring["de"]["+4915112345678"]`, `campaign.spring["de"]`, `+4915112345678`, true},
		{`campaign.spring[+4915112345678]`, `campaign.spring`, `+4915112345678`, true},
		{`campaign.spring["a[b"]`, `campaign.spring["a`, ``, false},
		{`campaign.spring["de"`, `campaign.spring`, ``, false},
		{`campaign.spring[]`, `campaign.spring`, ``, false},
		{`["de"]`, `["de"]`, ``, false},
	} {
		base, key, ok := state.SplitAddress(test.in)
		if ok != test.ok || ok && (base != test.base || key != test.key) {
			t.Errorf("%s: %q, %q, %v", test.in, base, key, ok)
		}
		if ok && test.in[len(test.in)-2] == '"' && state.WithKey(base, key) != test.in {
			t.Errorf("%s is written %s", test.in, state.WithKey(base, key))
		}
	}
}

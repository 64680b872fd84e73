package sandbox

import (
	"slices"
	"testing"
)

func TestOwnHost(t *testing.T) {
	for addr, want := range map[string][]string{
		"192.0.2.7:4010": {"192.0.2.7"}, "phones.example:4010": {"phones.example"}, "[2001:db8::1]:4010": {"2001:db8::1"},
		"0.0.0.0:4010": nil, "[::]:4010": nil, ":4010": nil, "": nil, "nonsense": nil,
	} {
		if got := ownHost(addr); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", addr, got, want)
		}
	}
}

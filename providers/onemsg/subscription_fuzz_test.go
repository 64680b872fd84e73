package onemsg

import (
	"strings"
	"testing"
)

func FuzzAddresses(f *testing.F) {
	f.Add([]byte(`{"webhookUrl":["https://a.example/1",7]}`))
	f.Add([]byte(`"a,,b"`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, a := range addresses(body) {
			if strings.TrimSpace(a) == "" {
				t.Error("an empty address")
			}
		}
	})
}

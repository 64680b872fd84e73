package providers_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/handbill/handbill/providers"
)

func TestCheckBase(t *testing.T) {
	for base, want := range map[string]string{
		"https://graph.facebook.com":     "https://graph.facebook.com",
		"https://gate.example/whatsapp/": "https://gate.example/whatsapp",
		"http://127.0.0.1:8080/cloud":    "http://127.0.0.1:8080/cloud",
		"http://localhost:8080":          "http://localhost:8080",
		"http://[::1]:8080":              "http://[::1]:8080",
		"http://graph.facebook.com":      "",
		"http://127.0.0.1.example":       "",
		"https://user:pw@gate.example":   "",
		"https://gate.example?token=1":   "",
		"ftp://gate.example":             "",
		"graph.facebook.com":             "",
		"":                               "",
	} {
		got, err := providers.CheckBase(base)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %q, %v", base, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "pw") {
			t.Errorf("the error holds the password: %v", err)
		}
	}
}

func TestSecretCheck(t *testing.T) {
	for s, want := range map[providers.Secret]string{
		"": "token is missing", "abc\n": "a line end", "a b": "white space", "tökén": "no header may hold",
	} {
		err := s.Check("token")
		if err == nil || !strings.Contains(err.Error(), want) || s != "" && strings.Contains(err.Error(), string(s)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := errors.Join(providers.Secret("EAAG.x-y_z=").Check("token")); err != nil {
		t.Error(err)
	}
}

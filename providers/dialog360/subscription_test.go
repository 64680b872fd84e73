package dialog360_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/dialog360"
)

func TestSubscription(t *testing.T) {
	for _, test := range []struct {
		name, answer string
		status       int
		token        string
		url          string
		severe       bool
		wantErr      string
	}{
		{"set", `{"url":"https://shop.example/webhooks/dialog360/main/word"}`, 200, "word", "https://shop.example/webhooks/dialog360/main/word", false, ""},
		{"never set", `{"error":"not found"}`, 404, "word", "", true, ""},
		{"empty", `{"url":""}`, 200, "word", "", true, ""},
		{"empty, and nobody listens", `{"url":""}`, 200, "", "", false, ""},
		{"wrong key", `{"error":"Invalid api key key-of-the-test"}`, 401, "word", "", false, "refuses the account"},
		{"not JSON", `<html>`, 200, "word", "", false, "not documented"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || r.URL.Path != "/v1/configs/webhook" || r.Header.Get("D360-API-KEY") != "key-of-the-test" {
					t.Errorf("asked %s %s", r.Method, r.URL.Path)
				}
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.answer))
			}))
			defer server.Close()
			s, err := open(t, dialog360.Config{BaseURL: server.URL, WebhookToken: providers.Secret(test.token)}).Subscription(t.Context())
			if test.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), test.wantErr) || strings.Contains(err.Error(), "key-of-the-test") {
					t.Errorf("got %v, want %q", err, test.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(s.URLs, " "); got != test.url {
				t.Errorf("events go to %q, want %q", got, test.url)
			}
			severe := false
			for _, m := range s.Missing {
				severe = severe || m.Severe
			}
			if severe != test.severe || (test.url == "") != (len(s.Missing) > 0 && len(s.Findings) > 0) {
				t.Errorf("%+v", s)
			}
		})
	}
}

package onemsg_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/handbill/handbill/providers/onemsg"
)

func TestSubscription(t *testing.T) {
	const on = `{"ackNotificationsOn":true,"rawHooks":false}`
	for _, test := range []struct {
		name, webhook, settings string
		urls, missing, finding  string
	}{
		{"a list", `{"webhookUrl":["https://a.example/1","https://b.example/2"]}`, on, "https://a.example/1 https://b.example/2", "", ""},
		{"a text", `"https://a.example/1"`, on, "https://a.example/1", "", ""},
		{"several in one text", `{"webhookUrl":"https://a.example/1, https://b.example/2"}`, on, "https://a.example/1 https://b.example/2", "", ""},
		{"no statuses", `["https://a.example/1"]`, `{"ackNotificationsOn":false}`, "https://a.example/1", "ackNotificationsOn", ""},
		{"nothing said about statuses", `["https://a.example/1"]`, `{}`, "https://a.example/1", "ackNotificationsOn", ""},
		{"nowhere", `{"webhookUrl":""}`, on, "", "", "no webhook address is set"},
		{"strange", `7`, on, "", "", "no webhook address is set"},
		{"settings that can't be read", `["https://a.example/1"]`, `<html>`, "https://a.example/1", "", "the channel's settings can't be read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				text, ok := map[string]string{"/ABC123/webhook": test.webhook, "/ABC123/settings": test.settings}[r.URL.Path]
				if !ok || r.Method != http.MethodGet {
					t.Errorf("asked %s %s", r.Method, r.URL.Path)
				}
				_, _ = w.Write([]byte(text))
			}))
			defer server.Close()
			p, err := onemsg.New(onemsg.Config{ChannelID: "ABC123", Token: "token-of-the-test", WebhookToken: "word", BaseURL: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			s, err := p.Subscription(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(s.URLs, " "); got != test.urls {
				t.Errorf("events go to %q, want %q", got, test.urls)
			}
			var missing, findings []string
			for _, m := range s.Missing {
				missing = append(missing, m.Name)
			}
			for _, f := range s.Findings {
				findings = append(findings, f.Text)
			}
			if got := strings.Join(missing, " "); got != test.missing {
				t.Errorf("missing %q, want %q", got, test.missing)
			}
			if got := strings.Join(findings, " "); !strings.Contains(got, test.finding) || (got == "") != (test.finding == "") {
				t.Errorf("findings %q, want %q", got, test.finding)
			}
		})
	}
}

package onemsg_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/onemsg"
)

var _ providers.TemplateWriter = (*onemsg.Provider)(nil)

// changing is a channel whose API answers as told.
func changing(t *testing.T, answer http.HandlerFunc) *onemsg.Provider {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return open(t, func(c *onemsg.Config) { c.BaseURL = server.URL })
}

// TestAnswersToChangesOfTemplates checks what 1msg's answers mean: a refusal is a 200
// with an error, as a text or as Meta's, and a success whose form is not known leaves
// it to the list.
func TestAnswersToChangesOfTemplates(t *testing.T) {
	spec := &account.Spec{Template: account.Template{Name: "news", Language: "en", Category: account.Utility, Content: account.Content{Body: "There is news."}}}
	for _, c := range []struct {
		name, body string
		status     int
		create     providers.TemplateOutcome
		remove     providers.TemplateOutcome
	}{
		{"with a status", `{"name":"news","language":"en","status":"submitted","namespace":"n"}`, 200, providers.TemplateDone, providers.TemplateDone},
		{"without one", `{}`, 200, providers.TemplateUnknown, providers.TemplateDone},
		{"a text", `{"error":"There is already en content for this template"}`, 200, providers.TemplateRefused, providers.TemplateRefused},
		{"Meta's error", `{"error":{"code":100,"error_subcode":2388024,"message":"(#100) Invalid parameter"}}`, 200, providers.TemplateThere, providers.TemplateThere},
		{"being deleted", `{"error":{"code":100,"error_subcode":2388023,"message":"(#100) Invalid parameter"}}`, 200, providers.TemplateLocked, providers.TemplateLocked},
		{"a wrong token", `Wrong token token-of-the-test`, 401, providers.TemplateRefused, providers.TemplateRefused},
		{"too fast", `{"error":"slow down"}`, 429, providers.TemplateBusy, providers.TemplateBusy},
		{"broken", `{"error":"no idea"}`, 502, providers.TemplateUnknown, providers.TemplateUnknown},
		{"no JSON", `<html>`, 200, providers.TemplateUnknown, providers.TemplateUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := ""
			p := changing(t, func(w http.ResponseWriter, r *http.Request) {
				asked = r.Method + " " + r.URL.Path
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			made := p.CreateTemplate(t.Context(), spec, "")
			if made.Outcome != c.create || asked != "POST /VID182868781/addTemplate" || strings.Contains(made.Detail, "token-of-the-test") || made.ID != "" {
				t.Errorf("create: %+v by %s", made, asked)
			}
			if made.Outcome == providers.TemplateDone && made.Status != "PENDING" {
				t.Errorf("status %q", made.Status)
			}
			if gone := p.DeleteTemplate(t.Context(), "news", ""); gone.Outcome != c.remove || asked != "POST /VID182868781/removeTemplate" {
				t.Errorf("remove: %+v by %s", gone, asked)
			}
		})
	}
	p := changing(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
	for what, a := range map[string]providers.TemplateAnswer{
		"edit": p.EditTemplate(t.Context(), "1", spec, "", false), "one language": p.DeleteTemplate(t.Context(), "news", "1"), "archive": p.ArchiveTemplate(t.Context(), "1"),
	} {
		if a.Outcome != providers.TemplateRefused || a.Detail == "" {
			t.Errorf("%s: %+v", what, a)
		}
	}
}

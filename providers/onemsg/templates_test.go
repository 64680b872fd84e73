package onemsg_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/onemsg"
)

var _ providers.TemplateReader = (*onemsg.Provider)(nil)

func readTemplates(t *testing.T, status int, answer string) ([]account.Template, error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/templates") || strings.Contains(r.URL.RawQuery, "token-of-the-test") {
			t.Errorf("asked %s %s", r.Method, r.URL)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	defer server.Close()
	return open(t, func(c *onemsg.Config) { c.BaseURL = server.URL }).Templates(t.Context())
}

func TestTemplates(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "templates", "list.json"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := readTemplates(t, 200, string(b))
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	if o, s := list[0], list[1]; o.Name != "order" || o.Status != "PAUSED" || o.ID != "" || o.Buttons[0].Type != "phone_number" || s.Header.Text != "News for {{1}}" || s.Category != "marketing" {
		t.Errorf("%+v", list)
	}
	for name, answer := range map[string]string{
		"no list": `{"message":"Method not found"}`, "no JSON": "<html>", "null": `{"templates":null}`, "a part of it": strings.Replace(string(b), "{", `{"total":3,`, 1),
		"a template without a status": `{"templates":[{"name":"a","language":"en"}]}`, "an error in a 200": `{"sent":false,"error":"Wrong token token-of-the-test"}`,
	} {
		if list, err := readTemplates(t, 200, answer); err == nil || list != nil || strings.Contains(err.Error(), "token-of-the-test") {
			t.Errorf("%s: %+v, %v", name, list, err)
		}
	}
	if list, err := readTemplates(t, 401, `{"error":"Wrong token"}`); err == nil || list != nil {
		t.Errorf("a wrong token: %+v, %v", list, err)
	}
}

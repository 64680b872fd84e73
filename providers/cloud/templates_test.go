package cloud_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/cloud"
)

var _ providers.TemplateReader = (*cloud.Provider)(nil)

// listing serves an account's list of templates, one page for each cursor.
func listing(t *testing.T, pages map[string]string) (base string, asked *[]string) {
	t.Helper()
	asked = &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		*asked = append(*asked, q.Get("after"))
		page, ok := pages[q.Get("after")]
		switch {
		case r.Method != http.MethodGet || r.URL.Path != "/v26.0/77/message_templates" || r.Header.Get("Authorization") != "Bearer token-of-the-test":
			t.Errorf("asked %s %s", r.Method, r.URL)
		case !strings.Contains(","+q.Get("fields")+",", ",quality_score,") || !strings.Contains(","+q.Get("fields")+",", ",correct_category,"):
			t.Errorf("fields that Meta returns only on request are not requested: %s", q.Get("fields"))
		case q.Has("access_token"):
			t.Error("the URL contains the token")
		case !ok:
			w.WriteHeader(http.StatusBadRequest)
			page = `{"error":{"message":"(#80008) There have been too many calls to this WhatsApp Business account","code":80008}}`
		}
		_, _ = w.Write([]byte(page))
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func page(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "templates", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func read(t *testing.T, base string) ([]account.Template, error) {
	t.Helper()
	c := config(base)
	c.WABAID = "77"
	return open(t, c).Templates(t.Context())
}

func TestTemplates(t *testing.T) {
	base, asked := listing(t, map[string]string{"": page(t, "page1.json"), "MjQZD": page(t, "page2.json")})
	list, err := read(t, base)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"", "MjQZD"}, *asked); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	var got []string
	for i := range list {
		got = append(got, fmt.Sprint(list[i].ID, " ", list[i].Name, " ", list[i].Language, " ", list[i].Status, " ", list[i].Category, " ", list[i].Quality))
	}
	want := []string{"545092045660001 login_code en_US PAUSED authentication RED", "1627019861106476 spring_reopen de PENDING marketing ", "1627019861106475 spring_reopen en_US APPROVED marketing GREEN"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("templates (-want +got):\n%s", diff)
	}
	spring := account.Template{ID: "1627019861106475", Name: "spring_reopen", Language: "en_US", Status: "APPROVED", Category: "marketing", Quality: "GREEN", Named: true, TTL: 43200,
		Footer: "Reply STOP to opt out", Content: account.Content{Header: &account.Header{Format: "image"}, Body: "Hello {{first_name}}, {{offer}} is open.",
			Buttons: []account.Button{{Type: "url", Text: "See it", URL: "https://go.example.com/{{1}}"}, {Type: "quick_reply", Text: "Stop"}}}}
	if !list[2].Same(&spring) {
		t.Errorf("got %+v", list[2])
	}
	if list[0].Buttons[0].Type != "otp" {
		t.Errorf("a code's button reads back as %+v", list[0].Buttons)
	}
}

// TestTemplatesWhole checks that an incomplete list gives an error and no
// templates.
func TestTemplatesWhole(t *testing.T) {
	first, second := page(t, "page1.json"), page(t, "page2.json")
	for name, c := range map[string]struct {
		pages map[string]string
		says  string
	}{
		"a page that is missing":       {map[string]string{"": first}, "page 2"},
		"a page that is no JSON":       {map[string]string{"": first, "MjQZD": "<html>"}, "page 2"},
		"a page without a list":        {map[string]string{"": first, "MjQZD": `{"paging":{}}`}, "page 2"},
		"a page of null":               {map[string]string{"": `{"data":null}`}, "page 1"},
		"a template without a status":  {map[string]string{"": `{"data":[{"name":"a","language":"en"}]}`}, "no name, no language or no status"},
		"a next page without a cursor": {map[string]string{"": strings.Replace(first, `"after":"MjQZD"`, `"after":""`, 1)}, "no cursor"},
		"a list without an end":        {map[string]string{"": first, "MjQZD": first}, "does not end"},
		"a template told in two ways":  {map[string]string{"": first, "MjQZD": strings.Replace(second, "PENDING", "REJECTED", 1)}, "twice"},
	} {
		base, _ := listing(t, c.pages)
		list, err := read(t, base)
		if err == nil || list != nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "token-of-the-test") {
			t.Errorf("%s: %d templates, %v", name, len(list), err)
		}
	}
	if _, err := open(t, config("http://127.0.0.1:1")).Templates(t.Context()); err == nil || !strings.Contains(err.Error(), "waba_id") {
		t.Errorf("without an account: %v", err)
	}
}

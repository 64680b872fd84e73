package dialog360_test

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
	"github.com/handbill/handbill/providers/dialog360"
)

var _ providers.TemplateReader = (*dialog360.Provider)(nil)

// readTemplates reads the templates of an account that pages by offset.
func readTemplates(t *testing.T, pages map[string]string) ([]account.Template, error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/v1/configs/templates" || r.Header.Get("D360-API-KEY") != "key-of-the-test" {
			t.Errorf("asked %s %s", r.Method, r.URL)
		}
		page, ok := pages[r.URL.Query().Get("offset")]
		if !ok {
			w.WriteHeader(http.StatusInternalServerError)
			page = `{"meta":{"developer_message":"key-of-the-test is broken"}}`
		}
		_, _ = w.Write([]byte(page))
	}))
	defer server.Close()
	return open(t, dialog360.Config{BaseURL: server.URL}).Templates(t.Context())
}

func templatePage(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "templates", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTemplates(t *testing.T) {
	list, err := readTemplates(t, map[string]string{"0": templatePage(t, "page1.json"), "2": templatePage(t, "page2.json")})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range list {
		got = append(got, fmt.Sprint(list[i].Name, " ", list[i].Language, " ", list[i].Status, " ", list[i].Category, " ", list[i].Reason, " ", list[i].Body))
	}
	want := []string{"login_code en REJECTED utility INCORRECT_CATEGORY {{1}} is your code", "spring_reopen de SUBMITTED marketing  Hallo {{1}}, {{2}}.", "spring_reopen en_US APPROVED marketing  Hello {{1}}, {{2}} is open."}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("templates (-want +got):\n%s", diff)
	}
}

// TestTemplatesWhole checks that an incomplete list gives an error and no
// templates.
func TestTemplatesWhole(t *testing.T) {
	first, second := templatePage(t, "page1.json"), templatePage(t, "page2.json")
	for name, pages := range map[string]map[string]string{
		"a page that is missing":    {"0": first},
		"an empty page in between":  {"0": first, "2": `{"waba_templates":[],"total":3}`},
		"a page without its total":  {"0": strings.Replace(first, `"total":3`, `"totals":3`, 1)},
		"a page without a list":     {"0": `{"total":0}`},
		"no JSON":                   {"0": "<html>"},
		"one twice and one skipped": {"0": first, "2": strings.Replace(first, `"count":2`, `"count":1`, 1)},
		"a template without a name": {"0": first, "2": strings.Replace(second, `"name":"login_code"`, `"name":""`, 1)},
	} {
		list, err := readTemplates(t, pages)
		if err == nil || list != nil || strings.Contains(err.Error(), "key-of-the-test") {
			t.Errorf("%s: %d templates, %v", name, len(list), err)
		}
	}
	if list, err := readTemplates(t, map[string]string{"0": `{"waba_templates":[],"count":0,"total":0,"offset":0,"limit":100}`}); err != nil || len(list) != 0 {
		t.Errorf("an account without templates: %v, %v", list, err)
	}
}

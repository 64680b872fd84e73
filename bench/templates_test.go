package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
)

// manyTemplates and templatePage are the account of the row about templates: Meta
// documents no page size, and clients ask for 100 to 1,000.
const (
	manyTemplates = 1000
	templatePage  = 100
)

// account serves the list of an account's templates, and counts how often it was asked.
type account struct{ asked atomic.Int64 }

func (a *account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.asked.Add(1)
	from, _ := strconv.Atoi(r.URL.Query().Get("after")) // "" is the beginning
	var data []map[string]any
	for i := from; i < min(from+templatePage, manyTemplates); i++ {
		data = append(data, map[string]any{"id": strconv.Itoa(1e9 + i), "name": fmt.Sprintf("news_%d", i), "language": "en", "status": "APPROVED", "category": "UTILITY",
			"parameter_format": "POSITIONAL", "components": []map[string]any{{"type": "BODY", "text": templateBody(i)}, {"type": "FOOTER", "text": "Example Shop"}}})
	}
	out := map[string]any{"data": data}
	if to := from + templatePage; to < manyTemplates {
		out["paging"] = map[string]any{"next": "https://graph.facebook.com/next", "cursors": map[string]string{"after": strconv.Itoa(to)}}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out) // an error means that the client has gone away
}

func templateBody(i int) string { return fmt.Sprintf("The %dth piece of news is there.", i) }

// templates measures a plan of many template blocks beside a process that reads the
// account's list and compares the texts.
func (b *book) templates() {
	a := &account{}
	server := httptest.NewServer(a)
	defer server.Close()
	dir := filepath.Join(b.dir, "templates")
	b.must(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(templateBlocks(server.URL)), 0o600))
	var ours, bare []used
	for range *runs {
		var equal int
		bare = append(bare, b.child("templates", &equal, server.URL))
		if equal != manyTemplates {
			b.t.Fatalf("%d templates are equal", equal)
		}
		a.asked.Store(0)
		u := b.handbill(dir, "plan")
		if !strings.Contains(u.out, fmt.Sprintf("%d to import", manyTemplates)) {
			b.t.Fatal(u.out[max(0, len(u.out)-400):])
		}
		ours = append(ours, u)
	}
	b.print(line{work: "plan, 1,000 templates", ours: seconds(median(ours, wall)), bare: seconds(median(bare, wall)), ratio: median(ours, wall) / median(bare, wall),
		peak: peak(ours), bound: "< 2 s", held: median(ours, wall) < 2})
	b.print(line{work: "- lists read", ours: strconv.FormatInt(a.asked.Load(), 10), bound: "<= 12", held: a.asked.Load() <= 12})
}

func templateBlocks(url string) string {
	var s strings.Builder
	fmt.Fprintf(&s, "variable \"token\" {\n  default   = \"a-token\"\n  sensitive = true\n}\n\nprovider \"cloud\" \"main\" {\n  base_url        = %q\n  access_token    = var.token\n  phone_number_id = \"1\"\n  waba_id         = \"77\"\n}\n", url)
	for i := range manyTemplates {
		fmt.Fprintf(&s, "template \"news_%d\" {\n  provider = provider.cloud.main\n  category = \"utility\"\n  translation \"en\" {\n    body   = %q\n    footer = \"Example Shop\"\n  }\n}\nimport {\n  to = template.news_%d\n  id = \"news_%d\"\n}\n",
			i, templateBody(i), i, i)
	}
	return s.String()
}

// bareTemplates reads the list and compares every text.
func bareTemplates(base string) (equal int, err error) {
	after := ""
	for {
		resp, err := http.Get(base + "/v26.0/77/message_templates?after=" + after)
		if err != nil {
			return 0, err
		}
		var page struct {
			Data []struct {
				Name       string
				Components []struct{ Type, Text string }
			}
			Paging struct {
				Next    string
				Cursors struct{ After string }
			}
		}
		err = json.NewDecoder(resp.Body).Decode(&page)
		resp.Body.Close()
		if err != nil {
			return 0, err
		}
		for _, t := range page.Data {
			i, err := strconv.Atoi(strings.TrimPrefix(t.Name, "news_"))
			if err == nil && t.Components[0].Text == templateBody(i) {
				equal++
			}
		}
		if after = page.Paging.Cursors.After; page.Paging.Next == "" {
			return equal, nil
		}
	}
}

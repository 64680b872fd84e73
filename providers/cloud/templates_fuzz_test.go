package cloud

import "testing"

// FuzzTemplates checks that a page is read completely or not at all.
func FuzzTemplates(f *testing.F) {
	f.Add([]byte(`{"data":[{"name":"a","language":"en","status":"APPROVED"}],"paging":{"cursors":{"after":"x"},"next":"y"}}`))
	f.Add([]byte(`{"waba_templates":[{"name":"a","language":"en","status":"approved"}],"total":1}`))
	f.Add([]byte(`{"data":[null,7],"waba_templates":[[]],"total":-1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		page, _, err := decodeTemplates(body)
		if err != nil && page != nil {
			t.Errorf("both templates and an error: %+v, %v", page, err)
		}
		for i := range page {
			if page[i].Name == "" || page[i].Status == "" {
				t.Errorf("a template without a name or a status: %+v", page[i])
			}
		}
	})
}

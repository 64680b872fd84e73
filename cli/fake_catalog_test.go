package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// fakeCatalog is a catalog at Meta's Graph API. It is written from Meta's pages and from
// what developers quote, independently of the sandbox, so that a misreading in one is not
// repeated in the other. Its list has three products a page, in the order in which they
// came; prices are shown as Germans write them; a batch takes twenty seconds.
type fakeCatalog struct {
	now func() time.Time

	mu      sync.Mutex
	items   []map[string]string // under the names that are read, by the order of their coming
	batches []*fakeBatch
	log     []string // "CREATE a", "UPDATE b", "refused CREATE a"
}

type fakeBatch struct {
	at       time.Time
	upsert   bool
	requests []fakeRequest
	done     bool
	errors   []map[string]any
	ids      []string
}

type fakeRequest struct {
	Method string
	Data   map[string]string
}

// readAs are the names under which the fields of a batch are read.
var readAs = map[string]string{"id": "retailer_id", "title": "name", "description": "description", "availability": "availability", "condition": "condition",
	"price": "price", "link": "url", "image_link": "image_url", "brand": "brand"}

func (f *fakeCatalog) writes() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.work()
	return slices.Clone(f.log)
}

func (f *fakeCatalog) find(id string) int {
	return slices.IndexFunc(f.items, func(it map[string]string) bool { return it["retailer_id"] == id })
}

// put is what somebody does by hand.
func (f *fakeCatalog) put(fields map[string]string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.set(fields)
}

func (f *fakeCatalog) set(fields map[string]string) {
	i := f.find(fields["id"])
	if i < 0 {
		f.items = append(f.items, map[string]string{"visibility": "published"})
		i = len(f.items) - 1
	}
	for name, v := range fields {
		if as := readAs[name]; as != "" {
			f.items[i][as] = v
		}
	}
}

// work carries out the batches that have had their time.
func (f *fakeCatalog) work() {
	for _, b := range f.batches {
		if b.done || f.now().Round(0).Sub(b.at) < 20*time.Second {
			continue
		}
		b.done = true
		for line, r := range b.requests {
			id := r.Data["id"]
			i := f.find(id)
			why := ""
			switch {
			case r.Method == "CREATE" && i >= 0:
				why = "Artikel ist schon vorhanden"
			case r.Method == "CREATE" && (r.Data["title"] == "" || r.Data["price"] == "" || r.Data["image_link"] == ""):
				why = "Pflichtfeld fehlt"
			case r.Method != "CREATE" && i < 0 && !(r.Method == "UPDATE" && b.upsert):
				why = "Artikel nicht gefunden"
			case strings.Contains(r.Data["image_link"], "broken"):
				why = "Bild konnte nicht geladen werden"
			}
			if why != "" {
				f.log = append(f.log, "refused "+r.Method+" "+id)
				b.ids = append(b.ids, id)
				b.errors = append(b.errors, map[string]any{"line": line, "id": id, "message": why})
				continue
			}
			f.log = append(f.log, r.Method+" "+id)
			if r.Method == "DELETE" {
				f.items = slices.Delete(f.items, i, i+1)
				continue
			}
			f.set(r.Data)
		}
	}
}

func (f *fakeCatalog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.work()
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	refuse := func(code, sub int) {
		answer(400, map[string]any{"error": map[string]any{"message": "Unsupported request", "type": "GraphMethodException", "code": code, "error_subcode": sub, "fbtrace_id": "Abc"}})
	}
	q := r.URL.Query()
	switch r.Method + " " + strings.TrimPrefix(r.URL.Path, "/v26.0") {
	default:
		refuse(100, 33)
	case "GET /881":
		answer(200, map[string]any{"id": "881", "name": "Shop", "feed_count": 0})
	case "GET /77/product_catalogs":
		answer(200, map[string]any{"data": []any{map[string]string{"id": "881", "name": "Shop"}}})
	case "GET /881/products":
		f.page(answer, q.Get("after"))
	case "POST /881/items_batch":
		body, _ := io.ReadAll(r.Body)
		f.batch(answer, refuse, body)
	case "GET /881/check_batch_request_status":
		n, err := strconv.Atoi(strings.TrimPrefix(q.Get("handle"), "AczH"))
		if err != nil || n >= len(f.batches) {
			refuse(100, 0)
			return
		}
		b := f.batches[n]
		status, ids := "started", []string{}
		if b.done {
			status = "finished"
		}
		if q.Get("load_ids_of_invalid_requests") == "true" {
			ids = append(ids, b.ids...)
		}
		answer(200, map[string]any{"data": []any{map[string]any{"handle": q.Get("handle"), "status": status, "errors_total_count": len(b.ids),
			"errors": b.errors[:min(len(b.errors), 1)], "warnings_total_count": 0, "warnings": []any{}, "ids_of_invalid_requests": ids}}})
	}
}

func (f *fakeCatalog) page(answer func(int, any), after string) {
	from, _ := strconv.Atoi(strings.TrimPrefix(after, "MTAx"))
	to := min(from+3, len(f.items))
	data := []any{}
	for _, it := range f.items[min(from, to):to] {
		out := map[string]any{"id": "9" + fmt.Sprintf("%08x", len(it["retailer_id"])*7919), "applinks": map[string]any{}, "review_status": ""}
		for k, v := range it {
			out[k] = v
		}
		amount, currency, _ := strings.Cut(it["price"], " ")
		out["price"], out["currency"] = strings.Replace(amount, ".", ",", 1)+"\u00a0€", currency
		data = append(data, out)
	}
	page := map[string]any{"data": data}
	if len(data) > 0 {
		paging := map[string]any{"cursors": map[string]string{"before": "MTAx" + strconv.Itoa(from), "after": "MTAx" + strconv.Itoa(to)}}
		if to < len(f.items) {
			paging["next"] = "https://graph.facebook.com/v26.0/881/products?after=MTAx" + strconv.Itoa(to)
		}
		page["paging"] = paging
	}
	answer(200, page)
}

func (f *fakeCatalog) batch(answer func(int, any), refuse func(code, sub int), body []byte) {
	var in struct {
		Type     string `json:"item_type"`
		Upsert   *bool  `json:"allow_upsert"`
		Requests []struct {
			Method string
			Data   map[string]any
		}
	}
	if json.Unmarshal(body, &in) != nil || in.Type != "PRODUCT_ITEM" || len(in.Requests) == 0 || len(in.Requests) > 5000 {
		refuse(100, 0)
		return
	}
	b := &fakeBatch{at: f.now().Round(0), upsert: in.Upsert == nil || *in.Upsert}
	verdicts := []any{}
	for _, r := range in.Requests {
		data := map[string]string{}
		for k, v := range r.Data {
			data[k] = fmt.Sprint(v)
		}
		if data["id"] == "" {
			verdicts = append(verdicts, map[string]any{"retailer_id": "", "errors": []any{map[string]string{"message": "Can not find required field id"}}})
			continue
		}
		verdicts = append(verdicts, map[string]any{"retailer_id": data["id"], "errors": []any{}, "warnings": []any{map[string]string{"message": "unknown field"}}})
		b.requests = append(b.requests, fakeRequest{r.Method, data})
	}
	handles := []string{}
	if len(b.requests) > 0 {
		handles = append(handles, "AczH"+strconv.Itoa(len(f.batches)))
		f.batches = append(f.batches, b)
	}
	answer(200, map[string]any{"handles": handles, "validation_status": verdicts})
}

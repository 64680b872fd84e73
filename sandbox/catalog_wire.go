package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The bounds of a batch. Source: Meta, catalog batch API, read 2026-08-19.
const (
	maxBatchRequests = 5000
	maxBatchBytes    = 28 << 20
)

// productRequest is one request of a batch.
type productRequest struct {
	Method string         `json:"method"`
	Data   CatalogProduct `json:"data"`
}

// batchBody is what a request to items_batch holds.
type batchBody struct {
	Type     string           `json:"item_type"`
	Upsert   *bool            `json:"allow_upsert"` // nil is true
	Requests []productRequest `json:"requests"`
}

// routeCatalogs serves Meta's catalog API. Source: Meta, catalog batch API and product
// item, read 2026-08-19.
func (s *Sandbox) routeCatalogs(mux *http.ServeMux) {
	mux.HandleFunc("POST /cloud/{version}/{catalog}/items_batch", s.cloudAuth(s.ownCatalog(s.takeBatch)))
	mux.HandleFunc("GET /cloud/{version}/{catalog}/check_batch_request_status", s.cloudAuth(s.ownCatalog(s.batchStatus)))
	mux.HandleFunc("GET /cloud/{version}/{catalog}/products", s.cloudAuth(s.ownCatalog(s.listProducts)))
	mux.HandleFunc("GET /cloud/{version}/{number}/product_catalogs", s.cloudAuth(s.ownAccount(s.linkedCatalogs)))
}

// ownCatalog refuses requests about unknown catalogs, and holds the lock.
func (s *Sandbox) ownCatalog(next func(http.ResponseWriter, *http.Request, *catalog)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.catalogs.mu.Lock()
		defer s.catalogs.mu.Unlock()
		s.catalogs.pass()
		one := s.catalogs.find(r.PathValue("catalog"))
		if one == nil {
			s.meta().refused(&refusal{code: 100, param: "Unsupported request. Object with ID '" + r.PathValue("catalog") + "' does not exist, cannot be loaded due to missing permissions", subcode: 33}).write(w)
			return
		}
		next(w, r, one)
	}
}

// wrong answers a request that a rule disturbs; false if the rule leaves it alone.
func (s *Sandbox) wrong(w http.ResponseWriter, rule *CatalogRule) bool {
	switch {
	case rule == nil:
		return false
	case rule.Does == catalogFails:
		jsonAnswer(http.StatusInternalServerError, map[string]any{"error": map[string]any{"message": "An unknown error occurred", "type": "OAuthException", "code": 2, "is_transient": true}}).write(w)
	case rule.Does == catalogBusy:
		w.Header().Set("X-Business-Use-Case-Usage", `{"`+AccountID+`":[{"type":"ads_management","call_count":100,"estimated_time_to_regain_access":1}]}`)
		s.meta().refused(&refusal{code: 80014, param: "There have been too many calls to this catalog's batch API"}).write(w)
	case rule.Does == catalogDenied:
		s.meta().refused(&refusal{code: 10, param: "This operation can not be performed on SMB business type"}).write(w)
	default:
		return false
	}
	return true
}

func (s *Sandbox) takeBatch(w http.ResponseWriter, r *http.Request, one *catalog) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBatchBytes+1))
	var b batchBody
	if err != nil || len(raw) > maxBatchBytes || json.Unmarshal(raw, &b) != nil || b.Type != "PRODUCT_ITEM" || len(b.Requests) == 0 || len(b.Requests) > maxBatchRequests {
		s.meta().refused(&refusal{code: 100, param: "Invalid parameter"}).write(w)
		return
	}
	rule := s.catalogs.rule(callCatalogBatch)
	if s.wrong(w, rule) {
		return
	}
	does := ""
	if rule != nil {
		does = rule.Does
	}
	verdicts, taken := validate(b.Requests)
	out := map[string]any{"handles": []string{}, "validation_status": verdicts}
	if does != catalogEmpty && len(taken) > 0 {
		out["handles"] = []string{s.catalogs.take(one.ID, taken, b.Upsert == nil || *b.Upsert, does)}
	}
	if does == catalogLost {
		reset(w)
		return
	}
	jsonAnswer(http.StatusOK, out).write(w)
}

// validate checks the shape of requests, which is all that the answer tells of.
func validate(list []productRequest) (verdicts []map[string]any, taken []productRequest) {
	for _, r := range list {
		errs := []map[string]string{}
		switch {
		case r.Data.ID == "":
			errs = append(errs, map[string]string{"message": "Can not find required field id"})
		case !slices.Contains([]string{"CREATE", "UPDATE", "DELETE"}, r.Method):
			errs = append(errs, map[string]string{"message": "Unknown method"})
		default:
			taken = append(taken, r)
		}
		verdicts = append(verdicts, map[string]any{"retailer_id": r.Data.ID, "errors": errs, "warnings": []string{}})
	}
	return verdicts, taken
}

// take keeps a batch and returns its handle.
func (c *catalogs) take(id string, list []productRequest, upsert bool, does string) string {
	handle := "Acx" + digits(hashString(c.key, fmt.Sprint("batch ", len(c.batches))), 20)
	b := &productBatch{catalog: id, due: c.clock().Round(0).Add(c.after), list: list, upsert: upsert, ends: "finished", invalid: map[string]string{}}
	switch does {
	case catalogError:
		b.ends = "error"
	case catalogStuck:
		b.ends = ""
	}
	c.batches[handle] = b
	return handle
}

// batchStatus answers a poll. The list of ids is empty unless it is asked for, and the
// errors are samples: three of them.
func (s *Sandbox) batchStatus(w http.ResponseWriter, r *http.Request, one *catalog) {
	b := s.catalogs.batches[r.URL.Query().Get("handle")]
	if b == nil || b.catalog != one.ID {
		s.meta().refused(&refusal{code: 100, param: "Invalid handle"}).write(w)
		return
	}
	if s.wrong(w, s.catalogs.rule(callCatalogPoll)) {
		return
	}
	status := "in_progress"
	if b.done {
		status = b.ends
	}
	errs, ids := []map[string]any{}, []string{}
	for i, r := range b.list {
		why, bad := b.invalid[r.Data.ID]
		if !bad {
			continue
		}
		ids = append(ids, r.Data.ID)
		if len(errs) < 3 {
			errs = append(errs, map[string]any{"line": i + 1, "id": r.Data.ID, "message": why})
		}
	}
	total := len(ids)
	if r.URL.Query().Get("load_ids_of_invalid_requests") != "true" {
		ids = []string{}
	}
	jsonAnswer(http.StatusOK, map[string]any{"data": []any{map[string]any{"handle": r.URL.Query().Get("handle"), "status": status,
		"errors_total_count": total, "errors": errs, "warnings_total_count": 0, "warnings": []any{}, "ids_of_invalid_requests": ids}}}).write(w)
}

// listProducts answers GET /{catalog}/products. Meta documents no page sizes; the
// sandbox uses 25 and 250.
func (s *Sandbox) listProducts(w http.ResponseWriter, r *http.Request, one *catalog) {
	if s.wrong(w, s.catalogs.rule(callCatalogList)) {
		return
	}
	q, list := r.URL.Query(), s.catalogs.list(one.ID)
	from, err := cursor(q.Get("after"))
	if err != nil || from > len(list) {
		s.meta().refused(&refusal{code: 100, param: "Invalid cursors values"}).write(w)
		return
	}
	to := min(from+pageSize(q, 25, 250), len(list))
	asked := strings.Split(q.Get("fields"), ",")
	data := []map[string]any{}
	for i := from; i < to; i++ {
		data = append(data, list[i].fields(s.key, asked))
	}
	out := map[string]any{"data": data}
	if len(data) > 0 {
		paging := map[string]any{"cursors": map[string]string{"before": cursorAt(from), "after": cursorAt(to)}}
		if to < len(list) {
			paging["next"] = "https://graph.facebook.com" + strings.TrimPrefix(r.URL.Path, "/cloud") + "?access_token=x&after=" + url.QueryEscape(cursorAt(to))
		}
		out["paging"] = paging
	}
	jsonAnswer(http.StatusOK, out).write(w)
}

// fields returns the requested fields of a product as Meta answers them: under other
// names than batches use, and with a price for people.
func (p *CatalogProduct) fields(key uint64, asked []string) map[string]any {
	amount, currency, _ := strings.Cut(p.Price, " ")
	all := map[string]any{"retailer_id": p.ID, "name": p.Title, "description": p.Description, "price": priceShown(amount, currency), "currency": currency,
		"availability": p.Availability, "condition": p.Condition, "image_url": p.ImageLink, "url": p.Link, "brand": p.Brand, "visibility": p.Visibility, "review_status": p.Review}
	out := map[string]any{"id": digits(hashString(key, "product "+p.ID), 16)}
	for name, v := range all {
		if slices.Contains(asked, name) {
			out[name] = v
		}
	}
	return out
}

// priceShown writes a price as Meta does for people: "€1,234.50".
func priceShown(amount, currency string) string {
	sign := map[string]string{"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹"}[currency]
	if sign == "" {
		sign = currency + " "
	}
	whole, fraction, point := strings.Cut(amount, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if point {
		whole += "." + fraction
	}
	return sign + whole
}

// linkedCatalogs answers GET /{account}/product_catalogs: the account has one catalog.
func (s *Sandbox) linkedCatalogs(w http.ResponseWriter, _ *http.Request) {
	c := s.catalogs
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.wrong(w, c.rule(callCatalogLink)) {
		return
	}
	data := []map[string]string{}
	for id, one := range c.byID {
		if !one.Unlinked {
			data = append(data, map[string]string{"id": id, "name": one.Name})
		}
	}
	slices.SortFunc(data, func(a, b map[string]string) int { return strings.Compare(a["id"], b["id"]) })
	jsonAnswer(http.StatusOK, map[string]any{"data": data}).write(w)
}

// catalogFields answers GET /{catalog}?fields=…; false when no catalog has that id.
func (s *Sandbox) catalogFields(w http.ResponseWriter, r *http.Request) bool {
	c := s.catalogs
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.byID[r.PathValue("number")]
	if strings.Contains(r.URL.Query().Get("fields"), "feed_count") {
		one = c.find(r.PathValue("number"))
	}
	if one == nil {
		return false
	}
	c.pass()
	jsonAnswer(http.StatusOK, map[string]any{"id": one.ID, "name": one.Name, "vertical": "commerce", "product_count": len(one.products), "feed_count": one.Feeds}).write(w)
	return true
}

// serveProduct adds or changes a product of a catalog: {"catalog": …, "id": …, …}.
func (s *Sandbox) serveProduct(w http.ResponseWriter, r *http.Request) {
	type product struct {
		Catalog string `json:"catalog"`
		CatalogProduct
	}
	servePut(w, r, func(p product) error { return s.PutProduct(p.Catalog, p.CatalogProduct) })
}

package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// fields returns the requested fields of a template, as Meta answers them.
func (t *Template) fields(asked []string) map[string]any {
	all := map[string]any{
		"name": t.Name, "language": t.Language, "status": t.Status, "category": t.Category, "parameter_format": t.Format,
		"components": t.Components, "quality_score": map[string]any{"score": t.Quality, "date": t.since.Unix()},
		"rejected_reason": t.Reason, "last_updated_time": t.since.Unix(),
	}
	if t.CorrectCategory != "" {
		all["correct_category"] = t.CorrectCategory
	}
	if t.TTL != 0 {
		all["message_send_ttl_seconds"] = t.TTL
	}
	out := map[string]any{"id": t.id}
	for name, v := range all {
		if slices.Contains(asked, name) {
			out[name] = v
		}
	}
	return out
}

// defaultFields are what Meta answers when no fields are requested. Source: Meta,
// reference of the template API, read 2026-09-11.
var defaultFields = []string{"name", "parameter_format", "components", "language", "status", "category"}

// cloudTemplates answers GET /{account}/message_templates. Meta documents neither
// the default page size nor the largest; the sandbox uses 25 and 250.
func (s *Sandbox) cloudTemplates(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("number") != AccountID {
		s.meta().refused(&refusal{code: 100, param: "Unsupported get request. Object with ID '" + r.PathValue("number") + "' does not exist"}).write(w)
		return
	}
	q := r.URL.Query()
	asked := defaultFields
	if f := q.Get("fields"); f != "" {
		asked = strings.Split(f, ",")
	}
	list := slices.DeleteFunc(s.Templates(), func(t Template) bool { return !strings.Contains(t.Name, q.Get("name")) })
	from, err := cursor(q.Get("after"))
	if err != nil || from > len(list) {
		s.meta().refused(&refusal{code: 100, param: "Invalid cursors values"}).write(w)
		return
	}
	to := min(from+pageSize(q, 25, 250), len(list))
	data := []map[string]any{}
	for i := from; i < to; i++ {
		data = append(data, list[i].fields(asked))
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

func cursorAt(i int) string {
	return base64.RawURLEncoding.EncodeToString([]byte("c" + strconv.Itoa(i)))
}

func cursor(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimPrefix(string(b), "c"))
}

func pageSize(q url.Values, otherwise, most int) int {
	n, err := strconv.Atoi(q.Get("limit"))
	if err != nil || n <= 0 {
		return otherwise
	}
	return min(n, most)
}

// accountNumbers answers GET /{account}/phone_numbers.
func (s *Sandbox) accountNumbers(w http.ResponseWriter, r *http.Request) {
	data := []map[string]any{}
	for _, n := range s.Rates() {
		if n.Provider == Cloud && r.PathValue("number") == AccountID {
			data = append(data, map[string]any{"id": n.Number})
		}
	}
	jsonAnswer(http.StatusOK, map[string]any{"data": data}).write(w)
}

// dialogTemplates answers GET /v1/configs/templates. Source: docs.360dialog.com,
// messaging API, read 2026-11-20.
func (s *Sandbox) dialogTemplates(w http.ResponseWriter, r *http.Request, _ *number) {
	q, list := r.URL.Query(), s.Templates()
	offset, _ := strconv.Atoi(q.Get("offset")) // anything but a number counts as 0
	from := min(max(offset, 0), len(list))
	to := min(from+pageSize(q, 20, 1000), len(list))
	data := []map[string]any{}
	for i := from; i < to; i++ {
		t := lower(&list[i])
		t["id"], t["namespace"] = list[i].id, "sandbox"
		data = append(data, t)
	}
	jsonAnswer(http.StatusOK, map[string]any{"waba_templates": data, "count": len(data), "total": len(list), "offset": from, "limit": to - from}).write(w)
}

// oneMsgTemplates answers GET /templates. Source: 1msg, OpenAPI 2.39, read
// 2026-11-20.
func (s *Sandbox) oneMsgTemplates(w http.ResponseWriter) {
	data := []map[string]any{}
	for _, t := range s.Templates() {
		o := lower(&t)
		o["namespace"] = "sandbox"
		data = append(data, o)
	}
	jsonAnswer(http.StatusOK, map[string]any{"templates": data}).write(w)
}

// lower returns a template's fields with the status in lower case, without an id.
func lower(t *Template) map[string]any {
	out := t.fields([]string{"name", "language", "category", "parameter_format", "components", "rejected_reason"})
	delete(out, "id")
	out["status"] = strings.ToLower(t.Status)
	return out
}

// serveTemplate adds or changes a template.
func (s *Sandbox) serveTemplate(w http.ResponseWriter, r *http.Request) {
	servePut(w, r, s.PutTemplate)
}

// servePut reads what somebody puts into an account by hand, as JSON.
func servePut[T any](w http.ResponseWriter, r *http.Request, put func(T) error) {
	if r.Header.Get("Content-Type") != "application/json" {
		forbid(w, "post application/json")
		return
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	var what T
	if err == nil {
		err = json.Unmarshal(b, &what)
	}
	if err == nil {
		err = put(what)
	}
	if err != nil {
		jsonAnswer(http.StatusBadRequest, map[string]string{"error": err.Error()}).write(w)
		return
	}
	jsonAnswer(http.StatusOK, map[string]bool{"success": true}).write(w)
}

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

// fakeMeta is an account at Meta's Cloud API. It is written from Meta's pages and
// from what developers quote, independently of the sandbox, so that a misreading in
// one is not repeated in the other. Its list has two templates; a template is
// approved twenty seconds after its submission.
type fakeMeta struct {
	now func() time.Time

	mu    sync.Mutex
	list  []*fakeTemplate
	log   []string // "create spring/en", "edit …", "refused …"
	sent  int      // messages that were taken
	early int      // messages on a template that was not approved
}

type fakeTemplate struct {
	id, name, language, category, status string
	components                           []map[string]any
	handed                               time.Time
}

func (f *fakeMeta) writes() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.log)
}

func (f *fakeMeta) messages() (sent, early int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent, f.early
}

func (f *fakeMeta) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.list {
		if t.status == "PENDING" && f.now().Round(0).Sub(t.handed) >= 20*time.Second {
			t.status = "APPROVED"
		}
	}
	body, _ := io.ReadAll(r.Body)
	at := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/") // v26.0, object, edge
	switch {
	case r.Header.Get("Authorization") == "Bearer a-token" && r.Method == http.MethodPost && r.URL.Path == "/77/message_templates/archive":
		f.archive(w, body)
	case r.Header.Get("Authorization") != "Bearer a-token" || len(at) < 2 || at[0] != "v26.0":
		f.refuse(w, 401, 190, 0, "Invalid OAuth access token")
	case r.Method == http.MethodGet && len(at) == 3 && at[1] == "77" && at[2] == "message_templates":
		f.page(w, r)
	case r.Method == http.MethodPost && len(at) == 3 && at[1] == "77" && at[2] == "message_templates":
		f.create(w, body)
	case r.Method == http.MethodDelete && len(at) == 3 && at[1] == "77" && at[2] == "message_templates":
		f.remove(w, r.URL.Query().Get("name"), r.URL.Query().Get("hsm_id"))
	case r.Method == http.MethodPost && len(at) == 3 && at[2] == "messages":
		f.message(w, body)
	case r.Method == http.MethodPost && len(at) == 2:
		f.edit(w, at[1], body)
	default:
		f.refuse(w, 400, 100, 33, "Unsupported request")
	}
}

func (f *fakeMeta) answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (f *fakeMeta) refuse(w http.ResponseWriter, status, code, sub int, text string) {
	f.answer(w, status, map[string]any{"error": map[string]any{"message": "(#" + strconv.Itoa(code) + ") Invalid parameter", "type": "OAuthException", "code": code,
		"error_subcode": sub, "is_transient": false, "error_user_title": "Kann nicht gespeichert werden", "error_user_msg": text, "fbtrace_id": "Abc"}})
}

func (f *fakeMeta) page(w http.ResponseWriter, r *http.Request) {
	from, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Query().Get("after"), "QVFI"))
	to := min(from+2, len(f.list))
	data := []any{}
	for _, t := range f.list[from:to] {
		data = append(data, map[string]any{"id": t.id, "name": t.name, "language": t.language, "status": t.status, "category": t.category,
			"components": t.components, "parameter_format": "NAMED", "quality_score": map[string]any{"score": "UNKNOWN"}, "rejected_reason": "NONE",
			"sub_category": "CUSTOM", "disable_ios_autofill": false})
	}
	out := map[string]any{"data": data, "paging": map[string]any{"cursors": map[string]string{"before": "QVFI" + strconv.Itoa(from), "after": "QVFI" + strconv.Itoa(to)}}}
	if to < len(f.list) {
		out["paging"].(map[string]any)["next"] = "https://graph.facebook.com/v26.0/77/message_templates?after=QVFI" + strconv.Itoa(to)
	}
	f.answer(w, 200, out)
}

func (f *fakeMeta) find(name, language string) *fakeTemplate {
	for _, t := range f.list {
		if t.name == name && t.language == language {
			return t
		}
	}
	return nil
}

// stored converts components to the form in which they are read back: keywords in
// upper case, and the samples of named parameters in another order.
func stored(raw json.RawMessage) []map[string]any {
	var list []map[string]any
	_ = json.Unmarshal(raw, &list)
	for _, c := range list {
		for _, key := range []string{"type", "format"} {
			if s, ok := c[key].(string); ok {
				c[key] = strings.ToUpper(s)
			}
		}
		if e, ok := c["example"].(map[string]any); ok {
			if named, ok := e["body_text_named_params"].([]any); ok {
				slices.Reverse(named)
			}
		}
	}
	return list
}

func (f *fakeMeta) create(w http.ResponseWriter, body []byte) {
	var in struct {
		Name, Language, Category string
		Format                   string          `json:"parameter_format"`
		Components               json.RawMessage `json:"components"`
	}
	if json.Unmarshal(body, &in) != nil || in.Name == "" || in.Language == "" || in.Components == nil || !strings.EqualFold(in.Format, "named") {
		f.refuse(w, 400, 100, 0, "")
		return
	}
	if f.find(in.Name, in.Language) != nil {
		f.log = append(f.log, "twice "+in.Name+"/"+in.Language)
		f.refuse(w, 400, 100, 2388024, "Es gibt bereits Inhalte in dieser Sprache")
		return
	}
	t := &fakeTemplate{id: strconv.Itoa(9007199254740993 + len(f.list)), name: in.Name, language: in.Language, category: strings.ToUpper(in.Category), status: "PENDING",
		components: stored(in.Components), handed: f.now().Round(0)}
	f.list = append(f.list, t)
	f.log = append(f.log, "create "+in.Name+"/"+in.Language)
	f.answer(w, 200, map[string]string{"id": t.id, "status": t.status, "category": t.category})
}

func (f *fakeMeta) edit(w http.ResponseWriter, id string, body []byte) {
	var in struct {
		Components json.RawMessage `json:"components"`
	}
	i := slices.IndexFunc(f.list, func(t *fakeTemplate) bool { return t.id == id })
	switch {
	case i < 0 || json.Unmarshal(body, &in) != nil || in.Components == nil:
		f.refuse(w, 400, 100, 33, "")
	case f.list[i].status == "PENDING":
		f.log = append(f.log, "refused edit of "+f.list[i].name)
		f.refuse(w, 400, 100, 2388039, "")
	default:
		t := f.list[i]
		t.components, t.status, t.handed = stored(in.Components), "PENDING", f.now().Round(0)
		f.log = append(f.log, "edit "+t.name+"/"+t.language)
		f.answer(w, 200, map[string]bool{"success": true})
	}
}

// remove deletes one language by name and id, or every language of a name. An
// unknown name is an error.
func (f *fakeMeta) remove(w http.ResponseWriter, name, id string) {
	n := len(f.list)
	f.list = slices.DeleteFunc(f.list, func(t *fakeTemplate) bool {
		gone := t.name == name && (id == "" || t.id == id)
		if gone {
			f.log = append(f.log, "delete "+t.name+"/"+t.language)
		}
		return gone
	})
	if n == len(f.list) {
		f.log = append(f.log, "refused delete of "+name)
		f.refuse(w, 400, 100, 2593002, "")
		return
	}
	f.answer(w, 200, map[string]bool{"success": true})
}

// archive reports partial success in the body, with ids as numbers.
func (f *fakeMeta) archive(w http.ResponseWriter, body []byte) {
	var in struct {
		IDs []string `json:"hsm_ids"`
	}
	_ = json.Unmarshal(body, &in)
	done, failed := []json.Number{}, map[string]any{}
	for _, id := range in.IDs {
		failed[id] = map[string]string{"reason": "not found"}
		for _, t := range f.list {
			if t.id == id && (t.status == "APPROVED" || t.status == "REJECTED") {
				t.status = "ARCHIVED"
				f.log = append(f.log, "archive "+t.name+"/"+t.language)
				done = append(done, json.Number(id))
				delete(failed, id)
			}
		}
	}
	f.answer(w, 200, map[string]any{"archived_templates": done, "failed_templates": failed})
}

func (f *fakeMeta) message(w http.ResponseWriter, body []byte) {
	var in struct {
		Template struct {
			Name     string
			Language struct{ Code string }
		}
	}
	_ = json.Unmarshal(body, &in)
	if t := f.find(in.Template.Name, in.Template.Language.Code); t == nil || t.status != "APPROVED" {
		f.early++
		f.refuse(w, 404, 132001, 0, "")
		return
	}
	f.sent++
	f.answer(w, 200, map[string]any{"messaging_product": "whatsapp", "contacts": []any{map[string]string{"input": "x", "wa_id": "x"}},
		"messages": []any{map[string]string{"id": fmt.Sprintf("wamid.HBgLNDkxNTExMjM0NTYVAgARGBI%04d", f.sent)}}})
}

package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// appID is the app that files of templates are uploaded to.
const appID = "670843887433847"

// routeCloudTemplates serves Meta's template API and resumable upload. Source:
// Meta, both pages read 2026-09-11.
func (s *Sandbox) routeCloudTemplates(mux *http.ServeMux) {
	mux.HandleFunc("GET /cloud/{version}/{number}/message_templates", s.cloudAuth(s.cloudTemplates))
	mux.HandleFunc("POST /cloud/{version}/{number}/message_templates", s.cloudAuth(s.ownAccount(s.cloudCreate)))
	mux.HandleFunc("DELETE /cloud/{version}/{number}/message_templates", s.cloudAuth(s.ownAccount(s.cloudDelete)))
	// Meta archives on a host of its own, in paths without a version.
	mux.HandleFunc("POST /cloud/{number}/message_templates/archive", s.bearer(s.ownAccount(s.cloudArchive)))
	mux.HandleFunc("POST /cloud/{version}/{object}", func(w http.ResponseWriter, r *http.Request) {
		if id, ok := strings.CutPrefix(r.PathValue("object"), "upload:"); ok {
			s.takeUpload(w, r, id)
			return
		}
		s.cloudAuth(s.changeObject)(w, r)
	})
	mux.HandleFunc("GET /cloud/{version}/app", s.cloudAuth(func(w http.ResponseWriter, _ *http.Request) {
		jsonAnswer(http.StatusOK, map[string]string{"id": appID}).write(w)
	}))
	mux.HandleFunc("POST /cloud/{version}/{number}/uploads", s.cloudAuth(s.announceUpload))
}

// ownAccount refuses requests about another account.
func (s *Sandbox) ownAccount(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("number") != AccountID {
			s.meta().refused(&refusal{code: 100, param: "Unsupported request. Object with ID '" + r.PathValue("number") + "' does not exist", subcode: 33}).write(w)
			return
		}
		next(w, r)
	}
}

func readTemplate(r *http.Request) (*templateBody, *refusal) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	var b templateBody
	if err != nil || json.Unmarshal(raw, &b) != nil {
		return nil, &refusal{code: 100, param: "The request is no JSON of a template"}
	}
	return &b, nil
}

// createTemplate creates the template of a request.
func (s *Sandbox) createTemplate(r *http.Request) (t Template, lost bool, bad *refusal) {
	b, bad := readTemplate(r)
	if bad != nil {
		return t, false, bad
	}
	return s.templates.create(b)
}

func (s *Sandbox) cloudCreate(w http.ResponseWriter, r *http.Request) {
	t, lost, bad := s.createTemplate(r)
	s.conclude(w, lost, bad, func() answer {
		return jsonAnswer(http.StatusOK, map[string]string{"id": t.id, "status": t.Status, "category": t.Category})
	})
}

// conclude answers a change in Meta's form; when lost is set, it cuts the
// connection instead.
func (s *Sandbox) conclude(w http.ResponseWriter, lost bool, bad *refusal, done func() answer) {
	switch {
	case lost:
		reset(w)
	case bad != nil:
		s.meta().refused(bad).write(w)
	default:
		done().write(w)
	}
}

func success() answer { return jsonAnswer(http.StatusOK, map[string]bool{"success": true}) }

// changeObject changes a number's webhook, or a template.
func (s *Sandbox) changeObject(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err == nil && bytes.Contains(raw, []byte(`"webhook_configuration"`)) {
		s.configureNumber(w, r, s.number(Cloud, r.PathValue("object")).id, raw)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	s.cloudEdit(w, r)
}

func (s *Sandbox) cloudEdit(w http.ResponseWriter, r *http.Request) {
	b, bad := readTemplate(r)
	lost := false
	if bad == nil {
		lost, bad = s.templates.edit(r.PathValue("object"), b)
	}
	s.conclude(w, lost, bad, success)
}

func (s *Sandbox) cloudDelete(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("name")
	if name == "" {
		s.meta().refused(required("name")).write(w)
		return
	}
	lost, bad := s.templates.delete(name, r.URL.Query().Get("hsm_id"))
	s.conclude(w, lost, bad, success)
}

func (s *Sandbox) cloudArchive(w http.ResponseWriter, r *http.Request) {
	var body struct {
		IDs []string `json:"hsm_ids"`
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil || json.Unmarshal(raw, &body) != nil || len(body.IDs) == 0 || len(body.IDs) > 100 {
		s.meta().refused(required("hsm_ids")).write(w)
		return
	}
	done, failed, lost := s.templates.archive(body.IDs)
	s.conclude(w, lost, nil, func() answer {
		return jsonAnswer(http.StatusOK, map[string]any{"archived_templates": done, "failed_templates": failed})
	})
}

// templateFields answers GET /{template id}?fields=…; false when no template has
// that id.
func (s *Sandbox) templateFields(w http.ResponseWriter, r *http.Request) bool {
	for _, t := range s.Templates() {
		if t.id != r.PathValue("number") {
			continue
		}
		asked := defaultFields
		if f := r.URL.Query().Get("fields"); f != "" {
			asked = strings.Split(f, ",")
		}
		jsonAnswer(http.StatusOK, t.fields(asked)).write(w)
		return true
	}
	return false
}

// announceUpload answers the first step of a resumable upload.
func (s *Sandbox) announceUpload(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	size, err := strconv.Atoi(q.Get("file_length"))
	kinds := []string{"image/jpeg", "image/jpg", "image/png", "video/mp4", "application/pdf"}
	if r.PathValue("number") != appID || err != nil || size <= 0 || !slices.Contains(kinds, q.Get("file_type")) {
		s.meta().refused(&refusal{code: 100, param: "file_length and file_type of an upload to the app are needed"}).write(w)
		return
	}
	reg := s.templates
	reg.mu.Lock()
	defer reg.mu.Unlock()
	id := "MTph" + digits(hashString(reg.key, fmt.Sprint("upload", len(reg.uploads))), 12)
	reg.uploads[id] = size
	jsonAnswer(http.StatusOK, map[string]string{"id": "upload:" + id}).write(w)
}

// takeUpload answers the second step. Here the Authorization scheme is OAuth, not
// Bearer.
func (s *Sandbox) takeUpload(w http.ResponseWriter, r *http.Request, id string) {
	token, oauth := strings.CutPrefix(r.Header.Get("Authorization"), "OAuth ")
	raw, err := io.ReadAll(io.LimitReader(r.Body, 100<<20))
	reg := s.templates
	reg.mu.Lock()
	defer reg.mu.Unlock()
	switch size, known := reg.uploads[id]; {
	case !oauth || s.badToken(token):
		s.meta().refused(&refusal{code: 190, param: "Invalid OAuth access token - Cannot parse access token"}).write(w)
	case !known || err != nil || r.Header.Get("file_offset") != "0" || len(raw) != size:
		s.meta().refused(&refusal{code: 100, param: "The upload is not known, or not whole"}).write(w)
	default:
		handle := "4::aW" + digits(hashString(reg.key, id+string(raw)), 14)
		reg.handles[handle] = true
		jsonAnswer(http.StatusOK, map[string]string{"h": handle}).write(w)
	}
}

// dialogRefused returns Meta's refusal as 360dialog passes it on: as JSON inside
// a string.
func (s *Sandbox) dialogRefused(bad *refusal) answer {
	return jsonAnswer(bad.status(), map[string]any{"meta": map[string]any{
		"success": false, "http_code": bad.status(), "developer_message": string(s.meta().refused(bad).body)}})
}

// dialogCreate answers POST /v1/configs/templates. Source: docs.360dialog.com,
// messaging API, read 2026-11-20.
func (s *Sandbox) dialogCreate(w http.ResponseWriter, r *http.Request, _ *number) {
	t, lost, bad := s.createTemplate(r)
	switch {
	case lost:
		reset(w)
	case bad != nil:
		s.dialogRefused(bad).write(w)
	default:
		out := lower(&t)
		out["id"], out["namespace"], out["status"] = t.id, "sandbox", "submitted"
		jsonAnswer(http.StatusCreated, out).write(w)
	}
}

func (s *Sandbox) dialogDelete(w http.ResponseWriter, r *http.Request, _ *number) {
	lost, bad := s.templates.delete(r.PathValue("name"), "")
	switch {
	case lost:
		reset(w)
	case bad != nil:
		s.dialogRefused(bad).write(w)
	default:
		jsonAnswer(http.StatusOK, map[string]any{"meta": map[string]any{"success": true, "http_code": 200}}).write(w)
	}
}

// oneMsgCreate answers POST /addTemplate; even a refusal is a 200. Source: 1msg,
// OpenAPI 2.39, read 2026-11-20.
func (s *Sandbox) oneMsgCreate(w http.ResponseWriter, r *http.Request) {
	t, lost, bad := s.createTemplate(r)
	s.oneMsgConclude(w, lost, bad, func() any {
		out := lower(&t)
		out["namespace"] = "sandbox"
		return out
	})
}

func (s *Sandbox) oneMsgDelete(w http.ResponseWriter, r *http.Request) {
	b, bad := readTemplate(r)
	lost := false
	if bad == nil {
		lost, bad = s.templates.delete(b.Name, "")
	}
	s.oneMsgConclude(w, lost, bad, func() any { return map[string]bool{"success": true} })
}

func (s *Sandbox) oneMsgConclude(w http.ResponseWriter, lost bool, bad *refusal, done func() any) {
	switch {
	case lost:
		reset(w)
	case bad != nil:
		text := bad.text()
		if bad.user != "" {
			text = bad.user
		}
		jsonAnswer(http.StatusOK, map[string]string{"error": text}).write(w)
	default:
		jsonAnswer(http.StatusOK, done()).write(w)
	}
}

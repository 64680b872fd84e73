package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// metaWire is the answer format of Cloud API, which 360dialog passes on.
type metaWire struct{ key uint64 }

func (metaWire) late() bool { return false }

func (metaWire) accepted(o *outbound, m receipt) answer {
	b := make([]byte, 0, 256)
	b = append(b, `{"messaging_product":"whatsapp","contacts":[{`...)
	if isUserID(o.to) {
		b = appendField(b, "input", o.to)
		b = append(b, ',')
		b = appendField(b, "user_id", o.to)
	} else {
		b = appendField(b, "input", o.to)
		b = append(b, ',')
		b = appendField(b, "wa_id", o.to)
	}
	b = append(b, `}],"messages":[{`...)
	if !m.noID {
		b = appendField(b, "id", m.id)
	}
	if m.status != "" {
		if !m.noID {
			b = append(b, ',')
		}
		b = appendField(b, "message_status", m.status)
	}
	return answer{status: http.StatusOK, body: append(b, `}]}`...)}
}

// appendField writes a JSON member. Most of our own strings need no escaping;
// encoding/json quotes those that do.
func appendField(b []byte, name, value string) []byte {
	b = append(b, '"')
	b = append(b, name...)
	b = append(b, `":`...)
	// Marshalling a string can't fail.
	q, _ := json.Marshal(value)
	return append(b, q...)
}

type metaError struct {
	Message   string         `json:"message"`
	Type      string         `json:"type"`
	Code      int            `json:"code"`
	Subcode   int            `json:"error_subcode,omitempty"`
	UserTitle string         `json:"error_user_title,omitempty"`
	UserText  string         `json:"error_user_msg,omitempty"`
	ErrorData *metaErrorData `json:"error_data,omitempty"`
	Trace     string         `json:"fbtrace_id"`
}

type metaErrorData struct {
	Product string `json:"messaging_product"`
	Details string `json:"details"`
}

func (mw metaWire) refused(r *refusal) answer {
	e := metaError{Message: r.text(), Type: "OAuthException", Code: r.code, Trace: trace(mw.key, r), Subcode: r.subcode}
	if r.subcode != 0 {
		e.UserTitle, e.UserText = r.title(), r.user
	}
	if r.details != "" {
		e.ErrorData = &metaErrorData{"whatsapp", r.details}
	}
	return jsonAnswer(r.status(), map[string]any{"error": e})
}

// trace looks like Meta's fbtrace_id.
func trace(key uint64, r *refusal) string {
	return "A" + strings.ToUpper(strconv.FormatUint(hashString(key, r.text()+r.details), 36)) + "Q"
}

// jsonAnswer encodes one of our own values; a failure is a bug here.
func jsonAnswer(status int, v any) answer {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("sandbox: encoding an answer: %v", err))
	}
	return answer{status: status, body: b}
}

func (s *Sandbox) routeCloud(mux *http.ServeMux) {
	mux.HandleFunc("POST /cloud/{version}/{number}/messages", s.cloudSend(false))
	mux.HandleFunc("POST /cloud/{version}/{number}/marketing_messages", s.cloudSend(true))
	mux.HandleFunc("POST /cloud/{version}/{number}/media", s.cloudAuth(s.uploadMedia))
	mux.HandleFunc("GET /cloud/{version}/{number}/message_history", s.cloudAuth(s.messageHistory))
	mux.HandleFunc("GET /cloud/{version}/{number}/events", s.cloudAuth(s.messageEvents))
	s.routeCloudTemplates(mux)
	s.routeCatalogs(mux)
	s.routeSingletons(mux)
	mux.HandleFunc("GET /cloud/{version}/{number}/phone_numbers", s.cloudAuth(s.accountNumbers))
	mux.HandleFunc("GET /cloud/{version}/{number}", s.cloudAuth(s.phoneFields))
	mux.HandleFunc("/cloud/", func(w http.ResponseWriter, r *http.Request) {
		s.meta().refused(&refusal{code: 100, http: http.StatusNotFound, param: "Unsupported request",
			details: "unknown path " + r.URL.Path}).write(w)
	})
}

func (s *Sandbox) meta() metaWire { return metaWire{s.key} }

func (s *Sandbox) cloudSend(marketing bool) http.HandlerFunc {
	return s.cloudAuth(func(w http.ResponseWriter, r *http.Request) {
		s.sendMeta(w, r, s.number(Cloud, r.PathValue("number")), marketing)
	})
}

// sendMeta handles a POST to either of Meta's two endpoints for messages.
func (s *Sandbox) sendMeta(w http.ResponseWriter, r *http.Request, num *number, marketing bool) {
	if !marketing {
		s.sendOrRead(w, r, num)
		return
	}
	s.send(w, r, num, s.meta(), func(b []byte) (*outbound, *refusal) { return decodeObject(b, true) })
}

// cloudAuth checks the bearer token and the version in the path.
func (s *Sandbox) cloudAuth(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch v := r.PathValue("version"); {
		case len(v) < 2 || v[0] != 'v' || v[1] < '0' || v[1] > '9':
			s.meta().refused(&refusal{code: 2500, param: "Unknown path components: /" + v}).write(w)
		default:
			s.bearer(next)(w, r)
		}
	}
}

// bearer requires the token.
func (s *Sandbox) bearer(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); s.badToken(token) {
			s.meta().refused(&refusal{code: 190, param: "Invalid OAuth access token - Cannot parse access token"}).write(w)
			return
		}
		next(w, r)
	}
}

// phoneFields answers GET /{phone number id}?fields=…
func (s *Sandbox) phoneFields(w http.ResponseWriter, r *http.Request) {
	if s.templateFields(w, r) || s.catalogFields(w, r) {
		return
	}
	num := s.number(Cloud, r.PathValue("number"))
	if s.disturbedField(w, r.URL.Query().Get("fields")) {
		return
	}
	all := map[string]any{
		"verified_name": "Sandbox", "display_phone_number": "+" + num.display, "quality_rating": "GREEN",
		"throughput": map[string]any{"level": s.throughputLevel()}, "platform_type": "CLOUD_API",
		"code_verification_status": "VERIFIED", "status": "CONNECTED", "name_status": "APPROVED",
		"messaging_limit_tier": "TIER_100K", "whatsapp_business_manager_messaging_limit": "TIER_100K",
		"health_status": s.health(num), "webhook_configuration": s.webhookFields(num.id),
		conversational: nil, // absent where it was never set
	}
	if c := s.conversational(num.id); len(c) > 0 {
		all[conversational] = c
	}
	fields := r.URL.Query().Get("fields")
	if fields == "" {
		fields = "verified_name,display_phone_number,quality_rating"
	}
	out := map[string]any{"id": num.id}
	for f := range strings.SplitSeq(fields, ",") {
		if v, ok := all[f]; ok {
			if v != nil {
				out[f] = v
			}
			continue
		}
		s.meta().refused(&refusal{code: 100, param: "Tried accessing nonexisting field (" + f + ")"}).write(w)
		return
	}
	jsonAnswer(http.StatusOK, out).write(w)
}

func (s *Sandbox) throughputLevel() string {
	if s.opt.Throughput < 0 || s.opt.Throughput > 80 {
		return "HIGH"
	}
	return "STANDARD"
}

func (s *Sandbox) health(num *number) map[string]any {
	return map[string]any{"can_send_message": "AVAILABLE", "entities": []map[string]any{
		{"entity_type": "PHONE_NUMBER", "id": num.id, "can_send_message": "AVAILABLE"},
		{"entity_type": "WABA", "id": AccountID, "can_send_message": "AVAILABLE"},
		{"entity_type": "BUSINESS", "id": portfolio, "can_send_message": "AVAILABLE"},
	}}
}

// AccountID is the WhatsApp business account of every number.
const AccountID = "102290129340398"

// portfolio is the business portfolio that the account belongs to.
const portfolio = "506914307656634"

// messageHistory answers the poll of one message's events. Source: Meta
// OpenAPI v23.0, message_history.
func (s *Sandbox) messageHistory(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("message_id")
	if id == "" {
		s.meta().refused(required("message_id")).write(w)
		return
	}
	data := []map[string]any{}
	if _, steps, ok := s.History(id); ok {
		data = append(data, map[string]any{"id": historyID(id), "message_id": id, "events": map[string]any{"data": historyEvents(steps)}})
	}
	jsonAnswer(http.StatusOK, map[string]any{"data": data}).write(w)
}

// historyID turns a message id into one that fits a URL path; messageEvents
// reverses it.
func historyID(wamid string) string { return strings.ReplaceAll(wamid, "/", "~") }

func (s *Sandbox) messageEvents(w http.ResponseWriter, r *http.Request) {
	_, steps, ok := s.History(strings.ReplaceAll(r.PathValue("number"), "~", "/"))
	if !ok {
		s.meta().refused(&refusal{code: 100, http: http.StatusNotFound, param: "Object does not exist"}).write(w)
		return
	}
	only := r.URL.Query().Get("status_filter")
	events := historyEvents(steps)
	if only != "" {
		kept := events[:0]
		for _, e := range events {
			if e["delivery_status"] == only {
				kept = append(kept, e)
			}
		}
		events = kept
	}
	jsonAnswer(http.StatusOK, map[string]any{"data": events}).write(w)
}

func historyEvents(steps []Status) []map[string]any {
	out := make([]map[string]any, 0, len(steps))
	for _, st := range steps {
		e := map[string]any{
			"delivery_status": strings.ToUpper(st.Word), "timestamp": st.At.Unix(), "webhook_update_state": "DELIVERED",
		}
		if st.Code != 0 {
			e["error_description"] = (&refusal{code: st.Code}).text()
		}
		out = append(out, e)
	}
	return out
}

// uploadMedia accepts a file and keeps nothing of its content.
func (s *Sandbox) uploadMedia(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 100<<20)
	if err := r.ParseMultipartForm(8 << 20); err != nil || r.FormValue("messaging_product") != "whatsapp" || len(r.MultipartForm.File["file"]) != 1 {
		s.meta().refused(&refusal{code: 100, param: "Invalid parameter", details: "multipart with messaging_product and one file is needed"}).write(w)
		return
	}
	_ = r.MultipartForm.RemoveAll()
	jsonAnswer(http.StatusOK, map[string]string{"id": s.mediaID()}).write(w)
}

func (s *Sandbox) mediaID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.media++
	return "10" + digits(mix(uint64(s.media), s.key), 14)
}

package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
)

// routeDialog360 serves paths without a number: the API key names it. Source:
// docs.360dialog.com messaging API reference, read 2026-11-20.
func (s *Sandbox) routeDialog360(mux *http.ServeMux) {
	for path, marketing := range map[string]bool{"messages": false, "marketing_messages": true} {
		mux.HandleFunc("POST /dialog360/"+path, s.dialogAuth(func(w http.ResponseWriter, r *http.Request, num *number) {
			s.sendMeta(w, r, num, marketing)
		}))
	}
	mux.HandleFunc("POST /dialog360/media", s.dialogAuth(func(w http.ResponseWriter, r *http.Request, _ *number) { s.uploadMedia(w, r) }))
	mux.HandleFunc("GET /dialog360/health_status", s.dialogAuth(func(w http.ResponseWriter, _ *http.Request, num *number) {
		jsonAnswer(http.StatusOK, map[string]any{"health_status": s.health(num)}).write(w)
	}))
	mux.HandleFunc("POST /dialog360/v1/configs/webhook", s.dialogAuth(setDialogWebhook))
	mux.HandleFunc("GET /dialog360/v1/configs/webhook", s.dialogAuth(getDialogWebhook))
	mux.HandleFunc("GET /dialog360/v1/configs/templates", s.dialogAuth(s.dialogTemplates))
	mux.HandleFunc("POST /dialog360/v1/configs/templates", s.dialogAuth(s.dialogCreate))
	mux.HandleFunc("DELETE /dialog360/v1/configs/templates/{name}", s.dialogAuth(s.dialogDelete))
	s.routeDialogSingletons(mux)
	mux.HandleFunc("/dialog360/", func(w http.ResponseWriter, _ *http.Request) {
		jsonAnswer(http.StatusNotFound, map[string]string{"error": "Not Found"}).write(w)
	})
}

// DialogNumber returns the number that the sandbox derives from a 360dialog key,
// as the ledger and Inbound.Number use it. The key itself is never stored.
func DialogNumber(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "key-" + hex.EncodeToString(sum[:4])
}

func (s *Sandbox) dialogAuth(next func(http.ResponseWriter, *http.Request, *number)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("D360-API-KEY")
		if s.badToken(key) {
			jsonAnswer(http.StatusUnauthorized, map[string]string{"error": "Invalid api key"}).write(w)
			return
		}
		next(w, r, s.number(Dialog360, DialogNumber(key)))
	}
}

func setDialogWebhook(w http.ResponseWriter, r *http.Request, num *number) {
	var in struct {
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers"`
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
	if err != nil || json.Unmarshal(b, &in) != nil || !isWebURL(in.URL) {
		jsonAnswer(http.StatusBadRequest, map[string]string{"error": "url is required"}).write(w)
		return
	}
	num.register([]WebhookTarget{{Provider: Dialog360, URL: in.URL, Headers: in.Headers}})
	jsonAnswer(http.StatusOK, in).write(w)
}

func getDialogWebhook(w http.ResponseWriter, _ *http.Request, num *number) {
	out := map[string]string{"url": ""}
	if ts, _ := num.registered(); len(ts) > 0 {
		out["url"] = ts[0].URL
	}
	jsonAnswer(http.StatusOK, out).write(w)
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// register replaces the number's webhook targets.
func (n *number) register(ts []WebhookTarget) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.targets, n.set = ts, true
}

func (n *number) registered() ([]WebhookTarget, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.targets, n.set
}

package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/handbill/handbill/sandbox"
)

// FuzzBodies checks that every wire format answers with JSON, and that the page
// can still be rendered, whatever a body contains.
func FuzzBodies(f *testing.F) {
	f.Add(text("b"))
	f.Add(template(bodyParam("Ana")))
	f.Add(interactive(list("", "b", "", "B", section("S", rows(0, 2)))))
	f.Add(interactive(`{"type":"carousel","body":{"text":"b"},"action":{"cards":[` + cards(2, "b") + `]}}`))
	f.Add(`{"phone":"491511234567","body":"b","sections":[{"rows":[{"id":"1","title":"t"}]}],"buttonText":"B"}`)
	f.Add(`{"messaging_object":` + text("b") + `,"extra_info":{"ref":"r"}}`)
	f.Add(`{"phone":1e400,"contacts":null}`)
	f.Add(`[null]`)
	h := sandbox.New(sandbox.Options{Hosts: []string{"example.com"}, Clock: newClock().Now, AssumeOpen: true, Throughput: -1, Chats: 2}).Handler()
	paths := []string{"/cloud/v23.0/1/messages", "/cloud/v23.0/1/marketing_messages", "/dialog360/messages", "/kaleyra/v2/SID/whatsapp/919812345678/messages"}
	for _, m := range []string{"sendMessage", "sendList", "sendButton", "sendProduct", "sendTemplate", "sendFile", "sendCarousel", "sendFlow", "webhook", "settings"} {
		paths = append(paths, "/onemsg/VID1/"+m)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, p := range paths {
			req := httptest.NewRequest(http.MethodPost, p, strings.NewReader(body))
			req.Header.Set("Authorization", "Bearer t")
			req.Header.Set("D360-API-KEY", "t")
			req.Header.Set("api-key", "t")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			if !json.Valid(w.Body.Bytes()) || w.Code >= 500 {
				t.Errorf("%s: %d %q", p, w.Code, w.Body)
			}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if w.Code != http.StatusOK {
			t.Errorf("page: %d %s", w.Code, w.Body)
		}
	})
}

// TestFailureRate checks that about the given share of recipients is refused,
// and that a second send to each has the same result.
func TestFailureRate(t *testing.T) {
	n := serve(t, sandbox.Options{AssumeOpen: true, Throughput: -1, FailureRate: 0.2})
	refused := 0
	for i := range 200 {
		body := strings.Replace(text("b"), user, fmt.Sprintf("4915110%05d", i), 1)
		a, b := n.send(sandbox.Cloud, body), n.send(sandbox.Cloud, body)
		if a.status != b.status {
			t.Fatalf("first %d, then %d", a.status, b.status)
		}
		if strings.Contains(a.body, "131026") {
			refused++
		}
	}
	if refused < 20 || refused > 60 {
		t.Errorf("%d of 200 refused, want about 40", refused)
	}
}

package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// webhookBody is a change of where events go.
type webhookBody struct {
	URL   string `json:"override_callback_uri"`
	Token string `json:"verify_token,omitempty"`
}

// checkWebhook checks the address of a webhook.
func checkWebhook(body map[string]json.RawMessage) *refusal {
	var address string
	if json.Unmarshal(body["url"], &address) != nil || len(address) > 200 || address != "" && !isWebURL(address) {
		return badField("override_callback_uri", "must be an address of at most 200 characters")
	}
	return nil
}

// override returns the address to which a number's messages go in place of the app's:
// the number's own, or else the account's; "" for none.
// Source: Meta, webhooks/override, read 2026-09-11.
func (s *Sandbox) override(number string) string {
	s.singletons.mu.Lock()
	defer s.singletons.mu.Unlock()
	for _, owner := range []string{number, AccountID} {
		if address := s.singletons.address(owner); address != "" {
			return address
		}
	}
	return ""
}

// address is the override of a number or of the account; "" for none. s.mu is held.
func (s *singletons) address(owner string) (out string) {
	_ = json.Unmarshal(s.of("webhook", owner)["url"], &out) // a text, checked when it was set
	return out
}

// webhookFields is what a number tells of its webhook.
func (s *Sandbox) webhookFields(number string) map[string]string {
	s.singletons.mu.Lock()
	defer s.singletons.mu.Unlock()
	out := map[string]string{}
	for _, t := range s.opt.Webhooks {
		if t.Provider == Cloud {
			out["application"] = t.URL
		}
	}
	for name, owner := range map[string]string{"phone_number": number, "whatsapp_business_account": AccountID} {
		if address := s.singletons.address(owner); address != "" {
			out[name] = address
		}
	}
	return out
}

// configureNumber answers POST /{phone number id} with a webhook_configuration.
func (s *Sandbox) configureNumber(w http.ResponseWriter, r *http.Request, number string, raw []byte) {
	var body struct {
		Webhook *webhookBody `json:"webhook_configuration"`
	}
	if json.Unmarshal(raw, &body) != nil || body.Webhook == nil {
		s.meta().refused(required("webhook_configuration")).write(w)
		return
	}
	s.putWebhook(w, r, number, *body.Webhook)
}

func (s *Sandbox) subscribedApps(w http.ResponseWriter, _ *http.Request) {
	s.singletons.mu.Lock()
	defer s.singletons.mu.Unlock()
	if s.disturbed(w, s.singletons.rule(singletonRead, "webhook")) {
		return
	}
	app := map[string]any{"whatsapp_business_api_data": map[string]string{"id": appID, "link": "https://www.facebook.com/games/?app_id=" + appID, "name": "sandbox"}}
	if address := s.singletons.address(AccountID); address != "" {
		app["override_callback_uri"] = address
	}
	jsonAnswer(http.StatusOK, map[string]any{"data": []any{app}}).write(w)
}

// subscribeApp subscribes the app, which it always is. A request without a body takes
// the override away.
func (s *Sandbox) subscribeApp(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
	var body webhookBody
	if err != nil || len(raw) > 0 && json.Unmarshal(raw, &body) != nil {
		s.meta().refused(&refusal{code: 100, param: "Invalid parameter"}).write(w)
		return
	}
	s.putWebhook(w, r, AccountID, body)
}

// putWebhook asks the address whether it is right, as Meta does during the request, and
// sets it.
func (s *Sandbox) putWebhook(w http.ResponseWriter, r *http.Request, owner string, b webhookBody) {
	if bad := s.asked(r.Context(), b); bad != nil {
		s.meta().refused(bad).write(w)
		return
	}
	address, _ := json.Marshal(b.URL)
	s.putSingleton(w, "webhook", owner, map[string]json.RawMessage{"url": address}, func() { jsonAnswer(http.StatusOK, map[string]bool{"success": true}).write(w) })
}

// asked carries out the handshake of a webhook.
func (s *Sandbox) asked(ctx context.Context, b webhookBody) *refusal {
	if b.URL == "" || s.singletons.unasked || !isWebURL(b.URL) {
		return nil
	}
	if b.Token == "" {
		return required("verify_token")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	challenge := strconv.FormatUint(hashString(s.key, b.URL)%1e9, 10)
	query := url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {challenge}, "hub.verify_token": {b.Token}}
	glue := "?"
	if strings.Contains(b.URL, "?") {
		glue = "&"
	}
	why := "the address does not repeat the challenge"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.URL+glue+query.Encode(), nil)
	if err == nil {
		var reply *http.Response
		if reply, err = handshakes.Do(req); err == nil {
			defer reply.Body.Close()
			got, _ := io.ReadAll(io.LimitReader(reply.Body, 1<<10))
			if reply.StatusCode == http.StatusOK && string(got) == challenge {
				return nil
			}
			why = fmt.Sprintf("HTTP Status Code = %d; HTTP Message = %s", reply.StatusCode, http.StatusText(reply.StatusCode))
		}
	}
	if err != nil {
		why = "the address does not answer"
	}
	return &refusal{code: 2200, param: "Callback verification failed with the following errors: " + why}
}

// handshakes asks addresses of webhooks. It follows no redirect, as Meta does not.
var handshakes = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

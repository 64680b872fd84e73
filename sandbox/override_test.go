package sandbox_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/handbill/handbill/sandbox"
)

// TestOverriddenWebhooks checks where messages go: to the number's address, without one
// to the account's, without that to the app's. An address that does not know the word is
// refused and changes nothing.
func TestOverriddenWebhooks(t *testing.T) {
	got := map[string]int{}
	at := map[string]string{}
	for _, name := range []string{"app", "account", "number"} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				got[name]++ // one at a time: Tick posts them
				return
			}
			if r.URL.Query().Get("hub.verify_token") == "the-word" {
				fmt.Fprint(w, r.URL.Query().Get("hub.challenge"))
			}
		}))
		t.Cleanup(srv.Close)
		at[name] = srv.URL
	}
	n := serve(t, sandbox.Options{Webhooks: []sandbox.WebhookTarget{{Provider: sandbox.Cloud, URL: at["app"]}}})
	put := func(path, body string) reply {
		t.Helper()
		return n.post("/cloud/v23.0/"+path, body, "Authorization", "Bearer secret")
	}
	write := func(want string) {
		t.Helper()
		before := got[want]
		if _, err := n.Inbound(sandbox.Inbound{Provider: sandbox.Cloud, Number: "106540352242922", From: "+" + user, Text: "Hi"}); err != nil {
			t.Fatal(err)
		}
		n.Tick(context.Background())
		if got[want] != before+1 {
			t.Errorf("not told to the address of the %s: %v", want, got)
		}
	}
	account, number := sandbox.AccountID+"/subscribed_apps", "106540352242922"
	configured := func(address, word string) string {
		return fmt.Sprintf(`{"webhook_configuration":{"override_callback_uri":%q,"verify_token":%q}}`, address, word)
	}
	write("app")
	if r := put(account, fmt.Sprintf(`{"override_callback_uri":%q,"verify_token":"the-word"}`, at["account"])); r.status != 200 {
		t.Fatal(r.body)
	}
	write("account")
	if r := put(number, configured(at["number"], "another word")); r.status != 400 || !strings.Contains(r.body, "2200") {
		t.Errorf("another word: %d %s", r.status, r.body)
	}
	write("account")
	if r := put(number, configured(at["number"], "the-word")); r.status != 200 {
		t.Fatal(r.body)
	}
	write("number")
	put(number, `{"webhook_configuration":{"override_callback_uri":""}}`)
	write("account")
	put(account, "")
	write("app")
	if body := n.get("/cloud/v23.0/"+account, "Authorization", "Bearer secret").body; !strings.Contains(body, "whatsapp_business_api_data") || strings.Contains(body, "override") {
		t.Errorf("the app is not subscribed as before: %s", body)
	}
}

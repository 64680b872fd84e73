package cloud_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/cloud"
	"github.com/handbill/handbill/providers/metaobject"
)

const (
	configured = `{"webhook_configuration":{"application":"https://shop.example/webhooks/cloud/main"},"id":"1"}`
	oneApp     = `{"data":[{"whatsapp_business_api_data":{"id":"55","link":"https://www.facebook.com/games/?app_id=55","name":"Shop"}}]}`
	allFields  = `{"data":[{"object":"page","active":true,"fields":[]},{"object":"whatsapp_business_account","callback_url":"https://shop.example/webhooks/cloud/main","active":true,"fields":[
		{"name":"messages","version":"v26.0"},{"name":"user_preferences"},"user_id_update",{"name":"message_template_status_update"},{"name":"message_template_quality_update"},
		{"name":"template_category_update"},{"name":"message_template_components_update"},{"name":"phone_number_quality_update"},{"name":"business_capability_update"},{"name":"account_update"},{"name":"account_alerts"}]}]}`
)

// app is a server that answers as the Graph API does: to a number's token and,
// for the app's subscriptions, to the app's token.
func app(t *testing.T, answers map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/v26.0/")
		want := "Bearer token-of-the-test"
		if strings.HasSuffix(path, "/subscriptions") {
			want = "Bearer 55|secret-of-the-test"
		}
		text, ok := answers[path]
		switch got := r.Header.Get("Authorization"); {
		case r.Method != http.MethodGet:
			t.Errorf("%s %s: reading changes nothing", r.Method, path)
		case got != want:
			w.WriteHeader(http.StatusUnauthorized)
			text = `{"error":{"message":"Invalid token","code":190}}`
		case !ok:
			w.WriteHeader(http.StatusBadRequest)
			text = `{"error":{"message":"(#100) Tried accessing nonexisting field","code":100}}`
		}
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestSubscription(t *testing.T) {
	const phone, waba = "106540352242922", "77"
	without := func(names ...string) string {
		text := allFields
		for _, n := range names {
			text = strings.Replace(text, `{"name":"`+n+`"},`, "", 1)
		}
		return text
	}
	for _, test := range []struct {
		name     string
		answers  map[string]string
		change   func(*cloud.Config)
		urls     []string
		missing  []string
		severe   bool
		findings []string
	}{
		{"all is there", map[string]string{phone: configured, waba + "/subscribed_apps": oneApp, "app": `{"id":"55"}`, "55/subscriptions": allFields}, nil,
			[]string{"https://shop.example/webhooks/cloud/main"}, nil, false, nil},
		{"two fields are missing", map[string]string{phone: configured, waba + "/subscribed_apps": oneApp, "app": `{"id":"55"}`, "55/subscriptions": without("user_preferences", "account_update")}, nil,
			[]string{"https://shop.example/webhooks/cloud/main"}, []string{"user_preferences", "account_update"}, true, nil},
		{"one that stops don't need", map[string]string{phone: configured, waba + "/subscribed_apps": oneApp, "app": `{"id":"55"}`, "55/subscriptions": without("account_update")}, nil,
			[]string{"https://shop.example/webhooks/cloud/main"}, []string{"account_update"}, false, nil},
		{"no app is subscribed", map[string]string{phone: configured, waba + "/subscribed_apps": `{"data":[]}`}, nil,
			[]string{"https://shop.example/webhooks/cloud/main"}, names(metaobject.Fields()), true, []string{"no app is subscribed to the account"}},
		{"the app's webhook is not active", map[string]string{phone: configured, waba + "/subscribed_apps": oneApp, "app": `{"id":"55"}`, "55/subscriptions": strings.ReplaceAll(allFields, "true", "false")}, nil,
			[]string{"https://shop.example/webhooks/cloud/main"}, names(metaobject.Fields()), true, []string{"no active webhook"}},
		{"the number's own address", map[string]string{phone: `{"webhook_configuration":{"phone_number":"https://a.example/x","whatsapp_business_account":"https://b.example","application":"https://c.example"}}`,
			waba + "/subscribed_apps": oneApp, "app": `{"id":"55"}`, "55/subscriptions": allFields}, nil,
			[]string{"https://a.example/x"}, nil, false, []string{"only messages go to this address"}},
		{"another secret", map[string]string{phone: configured, waba + "/subscribed_apps": oneApp, "app": `{"id":"55"}`, "55/subscriptions": allFields},
			func(c *cloud.Config) { c.AppSecret = "guess-of-the-test" },
			[]string{"https://shop.example/webhooks/cloud/main"}, nil, false, []string{"the fields that the app gets can't be read"}},
		{"the secret before the change", map[string]string{phone: configured, waba + "/subscribed_apps": oneApp, "app": `{"id":"55"}`, "55/subscriptions": allFields},
			func(c *cloud.Config) { c.AppSecret = "new-of-the-test,secret-of-the-test" },
			[]string{"https://shop.example/webhooks/cloud/main"}, nil, false, nil},
		{"no secret and no account", map[string]string{phone: configured}, func(c *cloud.Config) { c.AppSecret, c.WABAID = "", "" },
			[]string{"https://shop.example/webhooks/cloud/main"}, nil, false, []string{"whether the app is subscribed to the account is not known", "app_secret is not set"}},
		{"an app of no good name", map[string]string{phone: configured, waba + "/subscribed_apps": oneApp, "app": `{"id":"../55"}`}, nil,
			[]string{"https://shop.example/webhooks/cloud/main"}, nil, false, []string{"the fields that the app gets can't be read"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config(app(t, test.answers))
			c.WABAID, c.AppSecret = waba, "secret-of-the-test"
			if test.change != nil {
				test.change(&c)
			}
			s, err := open(t, c).Subscription(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.urls, s.URLs); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.missing, names(s.Missing)); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
			severe := false
			for _, m := range s.Missing {
				severe = severe || m.Severe
				if m.Lost == "" {
					t.Errorf("%s is missing, and nothing is lost?", m.Name)
				}
			}
			if severe != test.severe {
				t.Errorf("severe: %v, want %v", severe, test.severe)
			}
			if len(s.Findings) != len(test.findings) {
				t.Fatalf("findings %+v, want %q", s.Findings, test.findings)
			}
			for i, want := range test.findings {
				if f := s.Findings[i]; !strings.Contains(f.Text, want) || f.Advice == "" || strings.Contains(f.Text+f.Advice, "of-the-test") {
					t.Errorf("finding %+v, want %q", f, want)
				}
			}
		})
	}
}

func names(list []providers.Missing) []string {
	var out []string
	for _, m := range list {
		out = append(out, m.Name)
	}
	return out
}

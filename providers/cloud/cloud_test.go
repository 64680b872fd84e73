package cloud_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/cloud"
)

func open(t *testing.T, c cloud.Config) *cloud.Provider {
	t.Helper()
	p, err := cloud.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// graph answers by path and query, as the Graph API does.
func graph(t *testing.T, answers map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer token-of-the-test" {
			t.Errorf("authorization %q", got)
		}
		key := r.URL.Path
		if f := r.URL.Query().Get("fields"); strings.Contains(f, "limit") {
			key += "?" + f
		}
		text, ok := answers[key]
		if !ok {
			w.WriteHeader(http.StatusBadRequest)
			text = `{"error":{"message":"(#100) Tried accessing nonexisting field","code":100}}`
		} else if strings.Contains(text, `"error"`) {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

const number = "/v26.0/106540352242922"

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name    string
		answers map[string]string
		change  func(*cloud.Config)
		want    providers.Health
	}{
		{"all is well", map[string]string{
			number: `{"verified_name":"Garden shop","quality_rating":"GREEN","status":"CONNECTED","code_verification_status":"VERIFIED","throughput":{"level":"STANDARD"},"health_status":{"can_send_message":"AVAILABLE","entities":[{"entity_type":"WABA","id":"1022","can_send_message":"AVAILABLE"},{"entity_type":"BUSINESS","id":"506914307656634","can_send_message":"AVAILABLE"}]}}`,
			number + "?whatsapp_business_manager_messaging_limit": `{"whatsapp_business_manager_messaging_limit":"TIER_2K"}`,
		}, nil, providers.Health{Status: "CONNECTED", Quality: "GREEN", Tier: "2K", Limit: 2000, Portfolio: "506914307656634", Throughput: 80, Name: "Garden shop"}},
		{"the older name of the limit", map[string]string{
			number:                           `{"status":"CONNECTED"}`,
			number + "?messaging_limit_tier": `{"messaging_limit_tier":"TIER_250"}`,
		}, nil, providers.Health{Status: "CONNECTED", Tier: "250", Limit: 250}},
		{"blocked, red, too fast", map[string]string{
			number: `{"quality_rating":"RED","status":"RESTRICTED","throughput":{"level":"STANDARD"},"health_status":{"entities":[{"entity_type":"BUSINESS","can_send_message":"BLOCKED","errors":[{"error_code":141006,"error_description":"There is a payment problem","possible_solution":"Add a card"}]}]}}`,
		}, func(c *cloud.Config) { c.Throughput = 200 }, providers.Health{
			Status: "RESTRICTED", Quality: "RED", Throughput: 80,
			Findings: []providers.Finding{
				{Severe: true, Text: "the number's status is RESTRICTED", Advice: "open WhatsApp Manager, Phone numbers"},
				{Severe: true, Text: "people block or report the number: its quality is RED", Advice: "send to fewer people, and only to those who asked for it"},
				{Severe: true, Text: "throughput is 200 in the configuration and 80 at Meta", Advice: "lower throughput in the provider block"},
				{Severe: true, Text: "Meta reports BLOCKED for BUSINESS: There is a payment problem", Advice: "Add a card"},
			}}},
		{"another account's number", map[string]string{
			number: `{"status":"CONNECTED"}`, "/v26.0/1022/phone_numbers": `{"data":[{"id":"1"}]}`,
		}, func(c *cloud.Config) { c.WABAID = "1022" }, providers.Health{
			Status: "CONNECTED", Findings: []providers.Finding{
				{Severe: true, Text: "phone_number_id is not a number of waba_id", Advice: "compare both with WhatsApp Manager"}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config(graph(t, test.answers))
			if test.change != nil {
				test.change(&c)
			}
			got, err := open(t, c).Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Errorf("the health differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPoll(t *testing.T) {
	history := `{"data":[{"id":"h1","message_id":"wamid.A","events":{"data":[{"delivery_status":"SENT","timestamp":1777896000},{"delivery_status":"DELETED","timestamp":1777896001},{"delivery_status":"FAILED","timestamp":"1777896002","error_description":"(#131026) Message undeliverable"}]}},{"message_id":"wamid.B","events":{"data":[{"delivery_status":"READ"}]}}]}`
	p := open(t, config(graph(t, map[string]string{number + "/message_history": history})))
	events, err := p.Poll(t.Context(), "wamid.A")
	if err != nil || len(events) != 2 {
		t.Fatalf("got %+v, %v", events, err)
	}
	if events[0].Rank != message.RankSent || !events[1].Failed || events[1].Code != "131026" || events[1].ID != "wamid.A" {
		t.Errorf("got %+v", events)
	}
	t.Run("an account without the history", func(t *testing.T) {
		events, err := open(t, config(graph(t, nil))).Poll(t.Context(), "wamid.A")
		if err != nil || events != nil {
			t.Errorf("got %v, %v", events, err)
		}
	})
	t.Run("an expired token", func(t *testing.T) {
		base := graph(t, map[string]string{number + "/message_history": `{"error":{"code":190,"message":"token-of-the-test expired"}}`})
		_, err := open(t, config(base)).Poll(t.Context(), "wamid.A")
		if err == nil || strings.Contains(err.Error(), "token-of-the-test") || !strings.Contains(err.Error(), "expired") {
			t.Errorf("got %v", err)
		}
	})
}

func TestHandshake(t *testing.T) {
	c := config("")
	c.VerifyToken = "word"
	query := func(mode, token, challenge string) url.Values {
		return url.Values{"hub.mode": {mode}, "hub.verify_token": {token}, "hub.challenge": {challenge}}
	}
	if body, ok := open(t, c).Handshake(query("subscribe", "word", "1158201444")); !ok || body != "1158201444" {
		t.Errorf("got %q, %v", body, ok)
	}
	for name, q := range map[string]url.Values{
		"another word": query("subscribe", "guess", "1"), "another mode": query("unsubscribe", "word", "1"),
		"markup": query("subscribe", "word", "<script>"), "too long": query("subscribe", "word", strings.Repeat("1", 300)),
		"nothing": {},
	} {
		if body, ok := open(t, c).Handshake(q); ok || body != "" {
			t.Errorf("%s: answered %q", name, body)
		}
	}
	if _, ok := open(t, config("")).Handshake(query("subscribe", "", "1")); ok {
		t.Error("a handshake without a verify_token was answered")
	}
}

func TestAuthenticate(t *testing.T) {
	body := []byte(`{"object":"whatsapp_business_account","entry":[]}`)
	mac := hmac.New(sha256.New, []byte("old-secret"))
	mac.Write(body)
	h := http.Header{}
	h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	c := config("")
	c.AppSecret = "new-secret,old-secret"
	if signed, err := open(t, c).Authenticate(h, body); !signed || err != nil {
		t.Errorf("got %v, %v", signed, err)
	}
	c.AppSecret = "new-secret"
	if signed, err := open(t, c).Authenticate(h, body); signed || err == nil {
		t.Error("another secret's signature was let in")
	}
	if signed, err := open(t, config("")).Authenticate(h, body); signed || err == nil {
		t.Error("a webhook was let in without app_secret")
	}
}

func TestNewRefuses(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*cloud.Config)
		want   string
	}{
		{"no number", func(c *cloud.Config) { c.PhoneNumberID = "" }, "phone_number_id is missing"},
		{"a path", func(c *cloud.Config) { c.PhoneNumberID = "1/../2" }, "phone_number_id: expected letters"},
		{"no token", func(c *cloud.Config) { c.AccessToken = "" }, "access_token is missing"},
		{"version", func(c *cloud.Config) { c.APIVersion = "25" }, "api_version: expected a version such as v26.0"},
		{"plain http", func(c *cloud.Config) { c.BaseURL = "http://graph.facebook.com" }, "http is for this machine only"},
		{"credentials in the address", func(c *cloud.Config) { c.BaseURL = "https://u:p@graph.facebook.com" }, "without user"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config("")
			test.change(&c)
			_, err := cloud.New(c)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// BenchmarkSender encodes a list of ten rows whose body contains a name.
func BenchmarkSender(b *testing.B) {
	p, err := cloud.New(config(""))
	if err != nil {
		b.Fatal(err)
	}
	rows := make([]message.Row, 10)
	for i := range rows {
		rows[i] = message.Row{ID: "row-" + string(rune('a'+i)), Title: "A plant of spring", Description: "In a pot of 12 cm, with earth"}
	}
	d := &message.Draft{
		Message: &message.List{Header: "Spring", Footer: "Garden shop", Button: "See plants", Sections: []message.Section{{Title: "Sun", Rows: rows}}},
		Bindings: []message.Binding{{Path: "body", Parts: []message.Part{
			{Text: "Hello ", Slot: -1}, {Slot: 0}, {Text: ", pick a plant in ", Slot: -1}, {Slot: 1}}}},
		Slots: []string{"recipient.name", "recipient.city"},
	}
	s := providers.NewSender(p)
	to, values := message.Address{Phone: "+12025550123"}, []string{"Ana Díaz", "Berlin"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Encode(to, d, values, "hb1.AAAAAAAA.BBBBBBBBBBBBBBBBBBBBBBBB.CCCCCCCC"); err != nil {
			b.Fatal(err)
		}
	}
}

package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/handbill/handbill/cli/view"
)

// fakes answers as Meta's Graph API and 1msg do, by path.
func fakes(t *testing.T, answers map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := strings.TrimPrefix(r.URL.Path, "/v26.0")
		if f := r.URL.Query().Get("fields"); f == "webhook_configuration" {
			key += "?" + f
		}
		text, ok := answers[key]
		if !ok {
			w.WriteHeader(http.StatusBadRequest)
			text = `{"error":{"message":"(#100) Tried accessing nonexisting field","code":100}}`
		}
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

const checked = `
provider "cloud" "shop" {
  phone_number_id = "7001"
  waba_id         = "88"
  access_token    = env("TOKEN")
  app_secret      = env("SECRET")
  base_url        = env("FAKE")
}
provider "onemsg" "south" {
  channel_id    = "C1"
  token         = env("TOKEN")
  webhook_token = env("WORD")
  base_url      = env("FAKE")
}
provider "kaleyra" "india" {
  sid          = "S1"
  api_key      = env("TOKEN")
  phone_number = "+914400000000"
}
`

func TestProvidersCheckReadsSubscriptions(t *testing.T) {
	answers := map[string]string{
		"/7001":                       `{"id":"7001","status":"CONNECTED","quality_rating":"GREEN"}`,
		"/7001?webhook_configuration": `{"webhook_configuration":{"application":"https://shop.example/in/webhooks/cloud/shop"}}`,
		"/88/phone_numbers":           `{"data":[{"id":"7001"}]}`,
		"/88/subscribed_apps":         `{"data":[{"whatsapp_business_api_data":{"id":"55"}}]}`,
		"/app":                        `{"id":"55"}`,
		"/55/subscriptions":           `{"data":[{"object":"whatsapp_business_account","active":true,"fields":[{"name":"messages"},{"name":"account_update"}]}]}`,
		"/C1/status":                  `{"status":"connected"}`,
		"/C1/webhook":                 `{"webhookUrl":["https://crm.example/hooks/long-random-word"]}`,
		"/C1/settings":                `{"ackNotificationsOn":false}`,
	}
	check := func(code int) (text string, numbers []view.NumberHealth) {
		t.Helper()
		d := newDesk(t)
		d.env = append(d.env, "TOKEN=token-of-the-test", "SECRET=secret-of-the-test", "WORD=long-random-word", "FAKE="+fakes(t, answers))
		d.write("main.hcl", checked)
		text = d.must(code, "providers", "check")
		var doc struct{ Numbers []view.NumberHealth }
		out := d.must(code, "providers", "check", "-json")
		if err := json.Unmarshal([]byte(out), &doc); err != nil || len(doc.Numbers) != 3 {
			t.Fatalf("%v: %s%s", err, out, d.stderr.String())
		}
		if all := text + out; strings.Contains(all, "of-the-test") || strings.Contains(all, "long-random-word") {
			t.Errorf("a secret is shown:\n%s", all)
		}
		return text, doc.Numbers
	}

	// The check fails for a number that would not receive stops.
	text, numbers := check(1)
	for _, want := range []string{
		"webhook    https://shop.example\n", "not subscribed to user_preferences\n    People who stop marketing in WhatsApp itself",
		"not subscribed to message_template_status_update\n", "not subscribed to ackNotificationsOn\n",
		"its events go to a path that handbill serve does not have\n    register https://HOST/webhooks/onemsg/south/WEBHOOK_TOKEN",
		"provider.kaleyra.india: Kaleyra tells neither how the number is nor where it posts events",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "subscribed to account_update") || strings.Contains(text, "subscribed to messages") {
		t.Errorf("said to be missing although it is there:\n%s", text)
	}
	missing := numbers[0].Webhook.Missing
	if len(missing) != 9 || missing[0].Name != "user_preferences" || !missing[0].Severe || missing[0].Lost == "" || missing[1].Severe {
		t.Errorf("missing: %+v", missing)
	}

	// A missing event that loses no stops is a warning; a correct address is not.
	answers["/55/subscriptions"] = strings.Replace(answers["/55/subscriptions"], `{"name":"messages"}`, `{"name":"messages"},{"name":"user_preferences"}`, 1)
	answers["/C1/webhook"] = `"https://crm.example/webhooks/onemsg/south/long-random-word"`
	if text, _ = check(0); strings.Contains(text, "a path that handbill serve does not have") || !strings.Contains(text, "not subscribed to user_id_update") {
		t.Errorf("got:\n%s", text)
	}
}

// The limit that the provider reports is stored, and the next plan is checked
// against it.
func TestPlansAreCheckedAgainstTheReportedLimit(t *testing.T) {
	d := newDesk(t)
	answers := map[string]string{
		"/7001": `{"id":"7001","status":"CONNECTED","whatsapp_business_manager_messaging_limit":"TIER_250"}`,
	}
	d.env = append(d.env, "TOKEN=token-of-the-test", "FAKE="+fakes(t, answers))
	var list strings.Builder
	list.WriteString("phone\n")
	for i := range 300 {
		fmt.Fprintf(&list, "+4915112%06d\n", i)
	}
	d.write("people.csv", list.String())
	d.write("main.hcl", `
provider "cloud" "shop" {
  phone_number_id = "7001"
  access_token    = env("TOKEN")
  base_url        = env("FAKE")
}
template_message "news" {
  template = "news"
  language = "en"
  category = "utility"
}
audience "all" {
  source "csv" { path = "people.csv" }
  consent = true
}
campaign "spring" {
  provider = provider.cloud.shop
  audience = audience.all
  message  = template_message.news
}
`)
	if out := d.must(0, "plan"); !strings.Contains(out, "starts 300 conversations, messaging limit unknown") {
		t.Errorf("without a state:\n%s", out)
	}
	d.must(0, "init")
	if out := d.must(0, "plan"); !strings.Contains(out, "starts 300 conversations, messaging limit unknown") {
		t.Errorf("before the check:\n%s", out)
	}
	d.must(0, "providers", "check")
	out := d.must(1, "plan")
	if !strings.Contains(out, "starts 300 conversations, 250 allowed in 24 h (told 2026-03-02)") || !strings.Contains(d.stderr.String(), "limit { total = 250 }") {
		t.Errorf("after it is told:\n%s%s", out, d.stderr.String())
	}
	fits(t, schema(t, "plan.json"), func() string { d.run("plan", "-format=json"); return d.stdout.String() }(), false)
	answers["/7001"] = strings.Replace(answers["/7001"], "TIER_250", "TIER_2K", 1)
	d.must(0, "providers", "check")
	if out := d.must(0, "plan"); !strings.Contains(out, "2,000 allowed in 24 h") {
		t.Errorf("after it is raised:\n%s", out)
	}
}

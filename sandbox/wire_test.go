package sandbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/handbill/handbill/internal/golden"
	"github.com/handbill/handbill/sandbox"
)

// TestAnswers shows every kind of answer of every wire format.
func TestAnswers(t *testing.T) {
	script := func(code sandbox.Code) *sandbox.Script {
		return &sandbox.Script{Rules: []sandbox.Rule{{Match: sandbox.Match{Contains: "scripted"}, Answer: &sandbox.ScriptAnswer{Code: code}}}}
	}
	tooLong := interactive(list("", "b", "", x(21), section("S", rows(0, 1))))
	for _, p := range sandbox.Providers() {
		t.Run(string(p), func(t *testing.T) {
			var out bytes.Buffer
			show := func(what string, r reply) {
				fmt.Fprintf(&out, "%s\n  %d %s\n", what, r.status, strings.TrimSpace(r.body))
			}
			n := serve(t, sandbox.Options{Script: script("131056")}).open()
			if p == sandbox.OneMsg {
				show("text", n.oneMsg("sendMessage", `{"phone":"`+user+`","body":"Hello"}`))
				show("template", n.oneMsg("sendTemplate", `{"phone":"`+user+`","template":"start","language":{"code":"en"},"params":[]}`))
				show("over a limit", n.oneMsg("sendList", `{"phone":"`+user+`","body":"b","buttonText":"`+x(21)+`","sections":[{"rows":[{"id":"1","title":"t"}]}]}`))
				show("unknown field", n.oneMsg("sendMessage", `{"phone":"`+user+`","body":"b","bold":true}`))
				show("no template", n.oneMsg("sendTemplate", `{"phone":"`+user+`"}`))
				show("closed window", n.oneMsg("sendMessage", `{"phone":"491500000000","body":"b"}`))
				show("wrong token", n.post("/onemsg/VID1/sendMessage", `{}`, "Authorization", "Bearer bad"))
				show("pair rate", n.oneMsg("sendMessage", `{"phone":"`+user+`","body":"scripted"}`))
				show("unknown method", n.oneMsg("sendPigeon", `{}`))
				show("status", n.get("/onemsg/VID1/status", "Authorization", "Bearer secret"))
				show("webhook", n.oneMsg("webhook", `{"webhookUrl":"https://a.example/hook"}`))
				show("webhooks", n.get("/onemsg/VID1/webhook?token=secret"))
				show("settings", n.oneMsg("settings", `{"ackNotificationsOn":true,"rawHooks":true}`))
				other := serve(t, sandbox.Options{Script: script("blocked")}).open()
				show("blocked", other.oneMsg("sendMessage", `{"phone":"`+user+`","body":"scripted"}`))
			} else {
				show("text", n.send(p, text("Hello")))
				show("template", n.send(p, template(bodyParam("Ana"))))
				show("over a limit", n.send(p, tooLong))
				show("unknown field", n.send(p, message(`"type":"text","texts":{}`)))
				show("closed window", n.send(p, strings.Replace(text("b"), user, "491500000000", 1)))
				show("pair rate", n.send(p, text("scripted")))
			}
			switch p {
			case sandbox.Cloud:
				show("wrong token", n.post("/cloud/v23.0/1/messages", "{}", "Authorization", "Bearer bad"))
				show("marketing", n.post("/cloud/v23.0/106540352242922/marketing_messages", text("x"), "Authorization", "Bearer secret"))
				show("fields", n.get("/cloud/v23.0/106540352242922?fields=verified_name,quality_rating,throughput,messaging_limit_tier,health_status", "Authorization", "Bearer secret"))
				show("unknown field of the number", n.get("/cloud/v23.0/106540352242922?fields=colour", "Authorization", "Bearer secret"))
			case sandbox.Dialog360:
				show("wrong key", n.post("/dialog360/messages", "{}", "D360-API-KEY", "bad"))
				show("health", n.get("/dialog360/health_status", "D360-API-KEY", "secret"))
			case sandbox.Kaleyra:
				show("wrong key", n.post("/kaleyra/v2/SID/whatsapp/+919812345678/messages", "{}", "api-key", "bad"))
				show("wrong number", n.post("/kaleyra/v2/SID/whatsapp/me/messages", "{}", "api-key", "secret"))
				show("no wrapper", n.post("/kaleyra/v2/SID/whatsapp/+919812345678/messages", text("x"), "api-key", "secret"))
				for _, code := range []sandbox.Code{"WA500", "E110", "WAV2101", "WA-401"} {
					show(string(code), serve(t, sandbox.Options{Script: script(code)}).open().send(p, text("scripted")))
				}
			}
			golden.Assert(t, out.Bytes(), "testdata/answers-"+string(p)+".golden")
		})
	}
}

// TestSeedMessages sends the bodies from the providers' documentation.
func TestSeedMessages(t *testing.T) {
	n := serve(t, sandbox.Options{}).open()
	got := n.oneMsg("sendList", `{"phone":"`+user+`","body":"Browse our catalog for spring promotion:","buttonText":"View catalog","action":"catalog","sections":[
		{"title":"Featured products","rows":[{"id":"prod_alpha","title":"Alpha Widget","description":"Compact model"},{"id":"prod_beta","title":"Beta Widget","description":"Standard model"}]},
		{"title":"Bundles","rows":[{"id":"bundle_starter","title":"Starter pack","description":"Two items included"}]}]}`)
	if !strings.Contains(got.body, `"sent":true`) {
		t.Errorf("list: %d %s", got.status, got.body)
	}
	for _, body := range []string{
		`{"type":"product","body":{"text":"B"},"footer":{"text":"F"},"action":{"catalog_id":"1","product_retailer_id":"SKU-1"}}`,
		`{"type":"product_list","header":{"type":"text","text":"H"},"body":{"text":"B"},"footer":{"text":"F"},"action":{"catalog_id":"1","sections":[{"title":"A","product_items":[{"product_retailer_id":"1"}]},{"title":"B","product_items":[{"product_retailer_id":"2"}]}]}}`,
	} {
		if got := n.send(sandbox.Dialog360, interactive(body)); got.status != 200 {
			t.Errorf("product: %d %s", got.status, got.body)
		}
	}
}

// TestOneMsgMethods sends a valid body to every method.
func TestOneMsgMethods(t *testing.T) {
	n := serve(t, sandbox.Options{AssumeOpen: true})
	to := `"phone":"` + user + `",`
	for method, body := range map[string]string{
		"sendMessage":         `{"chatId":"` + user + `@c.us","body":"b"}`,
		"sendButton":          `{` + to + `"body":"b","footer":"f","header":{"type":"text","text":"h"},"sections":[` + replyButtons(2) + `]}`,
		"sendProduct":         `{` + to + `"header":"H","body":"b","action":{"catalog_id":"1","sections":[{"title":"S","product_items":[{"product_retailer_id":"1"}]}]}}`,
		"sendCtaUrl":          `{` + to + `"body":"b","displayText":"Open","url":"https://a.example"}`,
		"sendTemplate":        `{` + to + `"namespace":"n","template":"start","language":{"policy":"deterministic","code":"en"},"params":[` + bodyParam("Ana") + `],"useMMlite":false}`,
		"sendFile":            `{` + to + `"body":"https://a.example/a.pdf","filename":"a.pdf","caption":"c"}`,
		"sendLocation":        `{` + to + `"lat":"1.5","lng":2.5,"name":"N","address":"A"}`,
		"sendContact":         `{` + to + `"contacts":[{"name":{"formatted_name":"Ana"}}]}`,
		"sendReaction":        `{` + to + `"msgId":"wamid.x","emoji":"👍"}`,
		"sendLocationRequest": `{` + to + `"body":"b"}`,
		"sendFlow":            `{` + to + `"body":"b","flowId":"1","flowToken":"t","flowCta":"Open","flowAction":"navigate","flowActionPayload":{"screen":"S"},"flowMessageVersion":"3","mode":"published"}`,
		"sendCarousel":        `{` + to + `"body":"b","cards":[` + cards(2, "b") + `]}`,
	} {
		got := n.oneMsg(method, body)
		if got.status != 200 || !strings.Contains(got.body, `"sent":true`) {
			t.Errorf("%s: %d %s", method, got.status, got.body)
		}
	}
}

func TestUserIDs(t *testing.T) {
	n := serve(t, sandbox.Options{AssumeOpen: true})
	got := n.send(sandbox.Cloud, `{"messaging_product":"whatsapp","recipient":"US.13491208655302741918","type":"text","text":{"body":"b"}}`)
	if got.status != 200 || !strings.Contains(got.body, `"user_id":"US.13491208655302741918"`) {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if e := n.entries()[0]; e.To != "US.13491208655302741918" || !e.Accepted {
		t.Errorf("entry %+v", e)
	}
}

// id returns the message id in an answer.
func id(t *testing.T, r reply) string {
	t.Helper()
	var a struct {
		ID       string
		Messages []struct{ ID string }
		Data     struct {
			MessageID string `json:"message_id"`
		}
	}
	if err := json.Unmarshal([]byte(r.body), &a); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	if len(a.Messages) == 1 {
		return a.Messages[0].ID
	}
	return a.ID + a.Data.MessageID
}

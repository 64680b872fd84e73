package kaleyra_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/kaleyra"
	"github.com/handbill/handbill/providers/providertest"
)

func open(t testing.TB, c kaleyra.Config) *kaleyra.Provider {
	t.Helper()
	p, err := kaleyra.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPublishedRequest compares with the sample in Kaleyra's documentation of
// lists, put into the wrapper that the same page requires and its sample omits.
func TestPublishedRequest(t *testing.T) {
	c := config("")
	c.Ref1, c.Ref2 = "marketing", "dictionary"
	r, err := open(t, c).Encode(message.Address{Phone: "+919876543210"}, &message.List{
		Header: "Shipping Options", Body: "Choose your shipping option", Footer: "Trendy apparel: your ultimate style choices",
		Button: "Shipping Options",
		Sections: []message.Section{
			{Title: "I want it pretty quick!", Rows: []message.Row{
				{ID: "priority_express", Title: "Quick Mail Express", Description: "Next 2 days"},
				{ID: "priority_mail", Title: "Priority Mail", Description: "2–3 Days"},
			}},
			{Title: "I am not in a hurry", Rows: []message.Row{
				{ID: "ups_ground_advantage", Title: "ups ground advantage", Description: "4–5 Days"},
				{ID: "media_mail", Title: "Media Mail", Description: "4–8 Days"},
			}},
		},
	}, "customer1")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"messaging_object":{
		"messaging_product":"whatsapp","recipient_type":"individual","to":"+919876543210","type":"interactive",
		"interactive":{"type":"list","header":{"type":"text","text":"Shipping Options"},"body":{"text":"Choose your shipping option"},
		"footer":{"text":"Trendy apparel: your ultimate style choices"},
		"action":{"button":"Shipping Options","sections":[
			{"title":"I want it pretty quick!","rows":[
				{"id":"priority_express","title":"Quick Mail Express","description":"Next 2 days"},
				{"id":"priority_mail","title":"Priority Mail","description":"2–3 Days"}]},
			{"title":"I am not in a hurry","rows":[
				{"id":"ups_ground_advantage","title":"ups ground advantage","description":"4–5 Days"},
				{"id":"media_mail","title":"Media Mail","description":"4–8 Days"}]}]}}},
		"extra_info":{"ref":"customer1","ref1":"marketing","ref2":"dictionary","wa_source":"api"}}`
	if diff := cmp.Diff(parse(t, want), parse(t, string(r.Body))); diff != "" {
		t.Errorf("the request differs (-published +ours):\n%s", diff)
	}
}

func parse(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWithoutExtraInfo(t *testing.T) {
	p := open(t, kaleyra.Config{SID: "S", APIKey: "k", PhoneNumber: "914400000000", CallbackProfileID: "cb-1"})
	r, err := p.Encode(message.Address{Phone: "+919876543210"}, &message.Text{Body: "Hi"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(r.Body), "extra_info") || !strings.HasSuffix(string(r.Body), `,"callback_profile_id":"cb-1"}`) {
		t.Errorf("got %s", r.Body)
	}
}

func TestDecode(t *testing.T) {
	ana := message.Address{Phone: "+919876543210"}
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name, body string
		want       []message.Event
	}{
		{"status with our reference", `{"meta_object":{"field":"messages","value":{"statuses":[{"id":"k-1","status":"delivered","timestamp":"1777896000","recipient_id":"919876543210"}]}},"extra_info":{"ref":"hb1.r","message_id":"wamid.W"},"status":"delivered","message_id":"wamid.W"}`,
			[]message.Event{{Kind: message.EventStatus, ID: "k-1", Ref: "hb1.r", At: at, From: ana, Rank: message.RankDelivered}}},
		{"failed", `{"meta_object":{"field":"messages","value":{"statuses":[{"id":"k-1","status":"failed","timestamp":"1777896000","recipient_id":"919876543210","errors":[{"code":131047,"title":"Re-engagement message"}]}]}},"extra_info":{"ref":"hb1.r"}}`,
			[]message.Event{{Kind: message.EventStatus, ID: "k-1", Ref: "hb1.r", At: at, From: ana, Failed: true, Code: "131047", Title: "the 24-hour window is closed"}}},
		{"never handed to Meta", `{"extra_info":{"ref":"hb1.r","trace_id":"t-1"},"status":"NOT-SENT","message_id":"k-1"}`,
			[]message.Event{{Kind: message.EventStatus, ID: "k-1", Ref: "hb1.r", Failed: true, Code: "NOT-SENT", Title: "Kaleyra did not hand the message to WhatsApp"}}},
		{"list reply", `{"meta_object":{"field":"messages","value":{"contacts":[{"wa_id":"919876543210","profile":{"name":"Sam"}}],"messages":[{"context":{"id":"wamid.W"},"from":"919876543210","id":"wamid.I","timestamp":"1777896000","type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"aloe","title":"Aloe"}}}]}},"extra_info":{"ref":"hb1.r","reply_to":"k-1"}}`,
			[]message.Event{{Kind: message.EventInbound, ID: "wamid.I", At: at, From: ana, ProfileName: "Sam", Type: "interactive", Text: "Aloe", ReplyID: "aloe", ReplyKind: "list_reply", ContextID: "k-1"}}},
		{"image", `{"meta_object":{"field":"messages","value":{"messages":[{"from":"919876543210","id":"wamid.I","timestamp":"1777896000","type":"image","image":{"id":"7"}}]}},"extra_info":{"media_url":"https://media.example/7"}}`,
			[]message.Event{{Kind: message.EventInbound, ID: "wamid.I", At: at, From: ana, Type: "image", Data: `{"id":"7","url":"https://media.example/7"}`}}},
		{"Meta's envelope", `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messages":[{"from":"919876543210","id":"wamid.I","timestamp":"1777896000","type":"text","text":{"body":"Hi"}}]}}]}]}`,
			[]message.Event{{Kind: message.EventInbound, AccountID: "1", ID: "wamid.I", At: at, From: ana, Type: "text", Text: "Hi"}}},
		{"neither", `{"hello":1}`,
			[]message.Event{{Kind: message.EventOther, Reason: "the callback has neither meta_object nor status", Raw: []byte(`{"hello":1}`)}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := open(t, config("")).Decode([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("the events differ (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"meta_object":{"field":7},"status":"sent"}`))
	f.Add([]byte(`{"meta_object":{"value":{"messages":[{"from":"1","id":"a","type":"image","image":null}]}},"extra_info":{"media_url":"u"}}`))
	f.Add([]byte(`{"extra_info":[],"status":"NOT_SENT","message_id":"k"}`))
	p := open(f, config(""))
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := p.Decode(body)
		providertest.CheckEvents(t, events, err)
	})
}

func TestAuthenticate(t *testing.T) {
	c := config("")
	c.WebhookUser, c.WebhookPassword = "hook", "pass-of-the-test"
	p := open(t, c)
	request := func(user, password string) http.Header {
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth(user, password)
		return r.Header
	}
	if _, err := p.Authenticate(request("hook", "pass-of-the-test"), nil); err != nil {
		t.Error(err)
	}
	for name, h := range map[string]http.Header{"wrong": request("hook", "x"), "none": {}} {
		if _, err := p.Authenticate(h, nil); err == nil {
			t.Errorf("%s password was let in", name)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*kaleyra.Config)
		want   string
	}{
		{"no sid", func(c *kaleyra.Config) { c.SID = "" }, "sid is missing"},
		{"no key", func(c *kaleyra.Config) { c.APIKey = "" }, "api_key is missing"},
		{"number", func(c *kaleyra.Config) { c.PhoneNumber = "0441" }, "phone_number: expected"},
		{"region", func(c *kaleyra.Config) { c.BaseURL, c.Region = "", "us" }, "region: expected in, eu, sg or na"},
		{"source", func(c *kaleyra.Config) { c.Source = "me" }, "source: expected one of"},
		{"reference", func(c *kaleyra.Config) { c.Ref2 = strings.Repeat("x", 256) }, "ref2: at most 255"},
		{"user alone", func(c *kaleyra.Config) { c.WebhookUser = "u" }, "belong together"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config("")
			test.change(&c)
			_, err := kaleyra.New(c)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

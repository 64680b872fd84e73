package onemsg_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/metaobject"
	"github.com/handbill/handbill/providers/providertest"
)

func TestDecode(t *testing.T) {
	ana := message.Address{Phone: "+12025550123"}
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name, body string
		want       []message.Event
	}{
		{"text", `{"instanceId":"V","messages":[{"id":"m1","type":"chat","body":"Hi","fromMe":false,"self":0,"time":1777896000,"chatId":"12025550123@c.us","author":"12025550123@c.us","senderName":"Ana","quotedMsgId":"wamid.Q"}]}`,
			[]message.Event{{Kind: message.EventInbound, ID: "m1", At: at, NumberID: "V", Type: "text", Text: "Hi", From: ana, ProfileName: "Ana", ContextID: "wamid.Q"}}},
		{"our own message", `{"messages":[{"id":"m1","type":"chat","body":"Hi","fromMe":true,"chatId":"12025550123@c.us"}]}`, nil},
		{"our own message by self", `{"messages":[{"id":"m1","type":"chat","body":"Hi","self":1,"chatId":"12025550123@c.us"}]}`, nil},
		{"user id", `{"messages":[{"id":"m1","type":"chat","body":"Hi","time":"1777896000","chatId":"US.1349@lid"}]}`,
			[]message.Event{{Kind: message.EventInbound, ID: "m1", At: at, Type: "text", Text: "Hi", From: message.Address{UserID: "US.1349"}}}},
		{"list reply with Meta's object", `{"messages":[{"id":"m1","type":"interactive","body":"Aloe","chatId":"12025550123@c.us","metadata":{"list_reply":{"id":"aloe","title":"Aloe"}}}]}`,
			[]message.Event{{Kind: message.EventInbound, ID: "m1", Type: "interactive", ReplyKind: "list_reply", ReplyID: "aloe", Text: "Aloe", From: ana}}},
		{"button with its title only", `{"messages":[{"id":"m1","type":"button","body":"Yes","chatId":"12025550123@c.us"}]}`,
			[]message.Event{{Kind: message.EventInbound, ID: "m1", Type: "button", ReplyKind: "button", Text: "Yes", From: ana}}},
		{"document", `{"messages":[{"id":"m1","type":"document","body":"https://files.example/x.pdf","caption":"the bill","chatId":"12025550123@c.us"}]}`,
			[]message.Event{{Kind: message.EventInbound, ID: "m1", Type: "document", Text: "the bill", Data: `{"link":"https://files.example/x.pdf"}`, From: ana}}},
		{"acks", `{"ack":[{"id":"m1","chatId":"12025550123@c.us","status":"viewed"},{"id":"m2","chatId":"12025550123@c.us","status":"failed","error":"User's number is part of an experiment"}]}`,
			[]message.Event{
				{Kind: message.EventStatus, ID: "m1", From: ana, Rank: message.RankRead},
				{Kind: message.EventStatus, ID: "m2", From: ana, Failed: true, Code: "130472", Title: "the person is part of an experiment of Meta and gets no marketing"},
			}},
		{"hooks", `{"hooks":[{"id":"m1","type":"message","status":"delivered","timestamp":"1777896000","recipient_id":"12025550123"}]}`,
			[]message.Event{{Kind: message.EventStatus, ID: "m1", At: at, From: ana, Rank: message.RankDelivered}}},
		{"Meta's envelope", `{"entry":[{"changes":[{"field":"messages","value":{"messages":[{"from":"12025550123","id":"m1","timestamp":"1777896000","type":"text","text":{"body":"Hi"}}]}}]}]}`,
			[]message.Event{{Kind: message.EventInbound, ID: "m1", At: at, Type: "text", Text: "Hi", From: ana}}},
		{"nothing known", `{"instanceId":"V","foo":1}`,
			[]message.Event{{Kind: message.EventOther, NumberID: "V", Reason: "the body has no messages, ack or hooks", Raw: []byte(`{"instanceId":"V","foo":1}`)}}},
		{"a group", `{"messages":[{"id":"m1","type":"chat","body":"Hi","chatId":"120@g.us","author":"12025550123@c.us"}]}`,
			[]message.Event{{Kind: message.EventGroup, ID: "m1", GroupID: "120", Type: "text", Text: "Hi", From: ana, Field: "messages", Reason: metaobject.InGroup}}},
		{"a group, and nobody wrote", `{"messages":[{"id":"m1","type":"chat","body":"Hi","chatId":"120@g.us"}]}`,
			[]message.Event{{Kind: message.EventOther, Field: "messages", Reason: "a message names no sender", Raw: []byte(`{"id":"m1","type":"chat","body":"Hi","chatId":"120@g.us"}`)}}},
		{"a channel by its longer name", `{"instanceId":"instanceV7","hooks":[{"id":"m1","status":"read"}]}`,
			[]message.Event{{Kind: message.EventStatus, ID: "m1", NumberID: "V7", Rank: message.RankRead}}},
		{"Meta's envelope names another number than the channel", `{"instanceId":"V","entry":[{"changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"77","display_phone_number":"1 555"},"statuses":[{"id":"m1","status":"read"}]}}]}]}`,
			[]message.Event{{Kind: message.EventStatus, ID: "m1", NumberID: "V", Number: "1555", Rank: message.RankRead}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := open(t, nil).Decode([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("the events differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeRefusesWhatIsNotJSON(t *testing.T) {
	if _, err := open(t, nil).Decode([]byte("hello")); err == nil {
		t.Error("a text was decoded")
	}
}

func TestWebhookTokens(t *testing.T) {
	if diff := cmp.Diff([]string{"new-secret", "old-secret"}, open(t, nil).WebhookTokens()); diff != "" {
		t.Error(diff)
	}
	if signed, err := open(t, nil).Authenticate(nil, nil); signed || err != nil {
		t.Errorf("1msg signs nothing, got %v, %v", signed, err)
	}
}

// TestCorpus decodes webhooks of a live channel.
func TestCorpus(t *testing.T) {
	for _, c := range providertest.Corpus(t, "fixtures/onemsg.jsonl", "body") {
		events, err := open(t, nil).Decode(c)
		if err != nil {
			t.Errorf("%v: %s", err, c)
		}
		echoes := strings.Contains(string(c), `"fromMe": true`) || strings.Contains(string(c), `"fromMe":true`)
		if len(events) == 0 && !echoes {
			t.Errorf("no event of %s", c)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"messages":[{"id":"m1","type":"interactive","body":7,"metadata":{"list_reply":{"id":"a"}},"chatId":"1@c.us","time":1e99}],"ack":[{}],"hooks":[1]}`))
	f.Add([]byte(`{"entry":[]}`))
	p := open(f, nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := p.Decode(body)
		providertest.CheckEvents(t, events, err)
	})
}

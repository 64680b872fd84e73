package metaobject_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/metaobject"
	"github.com/handbill/handbill/providers/providertest"
)

// envelope wraps the value of one change as Meta does.
func envelope(field, value string) []byte {
	return []byte(fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"1022","time":1777896000,"changes":[{"field":%q,"value":%s}]}]}`, field, value))
}

var (
	ana   = message.Address{Phone: "+12025550123"}
	anaID = message.Address{Phone: "+12025550123", UserID: "US.1349"}
	at    = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
)

func inbound(change func(*message.Event)) []message.Event {
	e := message.Event{Kind: message.EventInbound, ID: "wamid.I", At: at, From: ana}
	change(&e)
	return []message.Event{e}
}

func TestDecodeMessages(t *testing.T) {
	const head = `"from":"12025550123","id":"wamid.I","timestamp":"1777896000"`
	for _, test := range []struct {
		name, message string
		want          []message.Event
	}{
		{"text", `{` + head + `,"type":"text","text":{"body":"Hi"},"context":{"id":"wamid.Q"}}`,
			inbound(func(e *message.Event) { e.Type, e.Text, e.ContextID = "text", "Hi", "wamid.Q" })},
		{"question about a product", `{` + head + `,"type":"text","text":{"body":"Hi"},"context":{"referred_product":{"catalog_id":"1"}}}`,
			inbound(func(e *message.Event) { e.Type, e.Text, e.Data = "text", "Hi", `{"catalog_id":"1"}` })},
		{"from an ad", `{` + head + `,"type":"text","text":{"body":"Hi"},"referral":{"source_id":"ad-7"}}`,
			inbound(func(e *message.Event) { e.Type, e.Text, e.Ad = "text", "Hi", "ad-7" })},
		{"list reply without context", `{` + head + `,"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"aloe","title":"Aloe"}}}`,
			inbound(func(e *message.Event) {
				e.Type, e.ReplyKind, e.ReplyID, e.Text = "interactive", "list_reply", "aloe", "Aloe"
			})},
		{"button reply", `{` + head + `,"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"yes","title":"Yes"}}}`,
			inbound(func(e *message.Event) {
				e.Type, e.ReplyKind, e.ReplyID, e.Text = "interactive", "button_reply", "yes", "Yes"
			})},
		{"flow", `{` + head + `,"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow","body":"Sent","response_json":"{\"a\":1}"}}}`,
			inbound(func(e *message.Event) {
				e.Type, e.ReplyKind, e.Text, e.Data = "interactive", "flow", "Sent", `{"a":1}`
			})},
		{"template's quick reply", `{` + head + `,"type":"button","button":{"payload":"stop","text":"Stop"}}`,
			inbound(func(e *message.Event) { e.Type, e.ReplyKind, e.ReplyID, e.Text = "button", "button", "stop", "Stop" })},
		{"order with numbers and strings", `{` + head + `,"type":"order","order":{"catalog_id":"7","text":"soon","product_items":[{"product_retailer_id":"aloe","quantity":"2","item_price":12.5,"currency":"EUR"},{"product_retailer_id":"sage","quantity":1,"item_price":"3","currency":"EUR"}]}}`,
			inbound(func(e *message.Event) {
				e.Type, e.Text = "order", "soon"
				e.Order = &message.Order{CatalogID: "7", Note: "soon", Items: []message.OrderItem{
					{ProductID: "aloe", Quantity: 2, Price: "12.5", Currency: "EUR"}, {ProductID: "sage", Quantity: 1, Price: "3", Currency: "EUR"}}}
			})},
		{"image", `{` + head + `,"type":"image","image":{"id":"1","caption":"my plant"}}`,
			inbound(func(e *message.Event) {
				e.Type, e.Text, e.Data = "image", "my plant", `{"id":"1","caption":"my plant"}`
			})},
		{"edited text", `{` + head + `,"type":"edit","edit":{"original_message_id":"wamid.O","message":{"type":"text","text":{"body":"Stop"}}}}`,
			inbound(func(e *message.Event) {
				e.Type, e.ContextID, e.Text = "edit", "wamid.O", "Stop"
				e.Data = `{"original_message_id":"wamid.O","message":{"type":"text","text":{"body":"Stop"}}}`
			})},
		{"edited caption", `{` + head + `,"type":"edit","edit":{"original_message_id":"wamid.O","message":{"type":"image","image":{"caption":"No more","id":"1"}}}}`,
			inbound(func(e *message.Event) {
				e.Type, e.ContextID, e.Text = "edit", "wamid.O", "No more"
				e.Data = `{"original_message_id":"wamid.O","message":{"type":"image","image":{"caption":"No more","id":"1"}}}`
			})},
		{"deleted", `{` + head + `,"type":"revoke","revoke":{"original_message_id":"wamid.O"}}`,
			inbound(func(e *message.Event) {
				e.Type, e.ContextID, e.Data = "revoke", "wamid.O", `{"original_message_id":"wamid.O"}`
			})},
		{"unsupported", `{` + head + `,"type":"unsupported","errors":[{"code":131051}]}`,
			inbound(func(e *message.Event) { e.Type, e.Data = "unsupported", `[{"code":131051}]` })},
		{"in a group", `{` + head + `,"group_id":"G1","type":"text","text":{"body":"Hi all"}}`,
			inbound(func(e *message.Event) {
				e.Kind, e.GroupID, e.Type, e.Text, e.Field, e.Reason = message.EventGroup, "G1", "text", "Hi all", "messages", metaobject.InGroup
			})},
		{"text that is null", `{` + head + `,"type":"text","text":null}`, inbound(func(e *message.Event) { e.Type = "text" })},
		{"changed number", `{"from":"12025550123","id":"wamid.I","timestamp":"1777896000","type":"system","system":{"type":"user_changed_number","wa_id":"12025550199","body":"x"}}`,
			[]message.Event{{Kind: message.EventIdentity, ID: "wamid.I", At: at, From: ana, NewAddress: message.Address{Phone: "+12025550199"}}}},
		{"user id in from", `{"from":"US.1349","id":"wamid.I","timestamp":1777896000000,"type":"text","text":{"body":"Hi"}}`,
			inbound(func(e *message.Event) { e.From, e.Type, e.Text = message.Address{UserID: "US.1349"}, "text", "Hi" })},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := metaobject.DecodeEnvelope(envelope("messages", `{"messages":[`+test.message+`]}`))
			if err != nil {
				t.Fatal(err)
			}
			for i := range test.want {
				test.want[i].AccountID = "1022"
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("the events differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeChanges(t *testing.T) {
	for _, test := range []struct {
		name, field, value string
		want               []message.Event
	}{
		{"sender by contact", "messages", `{"contacts":[{"profile":{"name":"Ana"},"wa_id":"12025550123","user_id":"US.1349"}],"messages":[{"id":"wamid.I","from_user_id":"US.1349","timestamp":"1777896000","type":"text","text":{"body":"Hi"}}]}`,
			inbound(func(e *message.Event) { e.From, e.ProfileName, e.Type, e.Text = anaID, "Ana", "text", "Hi" })},
		{"sender with every id", "messages", `{"contacts":[{"profile":{"name":"Ana","username":"ana.d"},"wa_id":"12025550123","user_id":"US.1349","parent_user_id":"US.ENT.7"}],"messages":[{"from":"12025550123","from_user_id":"US.1349","id":"wamid.I","timestamp":"1777896000","type":"text","text":{"body":"Hi"}}]}`,
			inbound(func(e *message.Event) {
				e.From, e.Parent, e.ProfileName, e.Username, e.Type, e.Text = anaID, "US.ENT.7", "Ana", "ana.d", "text", "Hi"
			})},
		{"number shared when asked for", "messages", `{"messages":[{"from_user_id":"US.1349","id":"wamid.I","timestamp":"1777896000","type":"contacts","origin":"contact_request","contacts":[{"phones":[{"phone":"+1 202-555-0123"}]}]}]}`,
			inbound(func(e *message.Event) {
				e.From, e.Type, e.Data = anaID, "contacts", `[{"phones":[{"phone":"+1 202-555-0123"}]}]`
			})},
		{"card of somebody", "messages", `{"messages":[{"from_user_id":"US.1349","id":"wamid.I","timestamp":"1777896000","type":"contacts","contacts":[{"phones":[{"wa_id":"12025550123"}]}]}]}`,
			inbound(func(e *message.Event) {
				e.From, e.Type, e.Data = message.Address{UserID: "US.1349"}, "contacts", `[{"phones":[{"wa_id":"12025550123"}]}]`
			})},
		{"ids in a status", "messages", `{"statuses":[{"id":"wamid.A","status":"sent","timestamp":"1777896000","recipient_id":"12025550123","recipient_user_id":"US.1349","parent_recipient_user_id":"US.ENT.7"}]}`,
			[]message.Event{{Kind: message.EventStatus, ID: "wamid.A", At: at, From: anaID, Parent: "US.ENT.7", Rank: message.RankSent}}},
		{"new ids", "user_id_update", `{"user_id_update":[{"user_id":{"previous":"US.1","current":"US.2"},"parent_user_id":{"previous":"US.ENT.1","current":"US.ENT.2"},"timestamp":"1777896000"}]}`,
			[]message.Event{{Kind: message.EventIdentity, At: at, From: message.Address{UserID: "US.1"}, Parent: "US.ENT.1", NewAddress: message.Address{UserID: "US.2"}, NewParent: "US.ENT.2"}}},
		{"statuses", "messages", `{"statuses":[{"id":"wamid.A","status":"read","timestamp":"1777896000","recipient_id":"12025550123","biz_opaque_callback_data":"hb1.r"},{"id":"wamid.B","status":"failed","timestamp":"1777896000","errors":[{"code":131049,"title":"t"}]}]}`,
			[]message.Event{
				{Kind: message.EventStatus, ID: "wamid.A", Ref: "hb1.r", At: at, From: ana, Rank: message.RankRead},
				{Kind: message.EventStatus, ID: "wamid.B", At: at, Failed: true, Code: "131049", Title: "Meta chose not to deliver, to limit marketing per person"},
			}},
		{"a status that is not known", "messages", `{"statuses":[{"id":"wamid.A","status":"in_orbit"}]}`,
			[]message.Event{{Kind: message.EventOther, At: at, Field: "messages", Reason: `a status of "in_orbit" is not known`, Raw: []byte(`{"id":"wamid.A","status":"in_orbit"}`)}}},
		{"stop", "user_preferences", `{"user_preferences":[{"wa_id":"12025550123","user_id":"US.1349","category":"marketing_messages","value":"stop","timestamp":1777896000}]}`,
			[]message.Event{{Kind: message.EventPreference, At: at, From: anaID, OptOut: true, Category: "marketing_messages"}}},
		{"resume", "user_preferences", `{"user_preferences":[{"wa_id":"12025550123","category":"marketing_messages","value":"resume"}]}`,
			[]message.Event{{Kind: message.EventPreference, At: at, From: ana, Category: "marketing_messages"}}},
		{"signed up", "user_preferences", `{"user_preferences":[{"wa_id":"12025550123","category":"marketing_messages","value":"signup"}]}`,
			[]message.Event{{Kind: message.EventPreference, At: at, From: ana, Category: "marketing_messages"}}},
		{"stop of a category of tomorrow", "user_preferences", `{"user_preferences":[{"wa_id":"12025550123","category":"moon_messages","value":"stop"}]}`,
			[]message.Event{{Kind: message.EventPreference, At: at, From: ana, OptOut: true, Category: "moon_messages"}}},
		{"opt-in to a category of tomorrow", "user_preferences", `{"user_preferences":[{"wa_id":"12025550123","category":"moon_messages","value":"resume"}]}`,
			[]message.Event{{Kind: message.EventOther, At: at, Field: "user_preferences", Reason: "a preference opts in to something else than marketing messages",
				Raw: []byte(`{"wa_id":"12025550123","category":"moon_messages","value":"resume"}`)}}},
		{"a preference of tomorrow", "user_preferences", `{"user_preferences":[{"wa_id":"12025550123","category":"marketing_messages","value":"maybe"}]}`,
			[]message.Event{{Kind: message.EventOther, At: at, Field: "user_preferences", Reason: "a preference says neither stop, resume nor signup",
				Raw: []byte(`{"wa_id":"12025550123","category":"marketing_messages","value":"maybe"}`)}}},
		{"new user id", "user_id_update", `{"user_id_update":[{"wa_id":"12025550123","user_id":{"previous":"US.1","current":"US.2"},"timestamp":"1777896000"}]}`,
			[]message.Event{{Kind: message.EventIdentity, At: at, From: message.Address{Phone: ana.Phone, UserID: "US.1"}, NewAddress: message.Address{Phone: ana.Phone, UserID: "US.2"}}}},
		{"template paused", "message_template_status_update", `{"event":"PAUSED","message_template_name":"spring"}`,
			[]message.Event{{Kind: message.EventAccount, At: at, Field: "message_template_status_update", Title: "PAUSED spring", Raw: []byte(`{"event":"PAUSED","message_template_name":"spring"}`)}}},
		{"a template's quality under another name", "message_template_components_updated", `{"message_template_id":17,"message_template_name":"spring","previous_quality_score":"GREEN","new_quality_score":"RED"}`,
			[]message.Event{{Kind: message.EventAccount, At: at, Field: "message_template_components_updated", Title: "spring GREEN RED",
				Raw: []byte(`{"message_template_id":17,"message_template_name":"spring","previous_quality_score":"GREEN","new_quality_score":"RED"}`)}}},
		{"another limit", "business_capability_update", `{"max_daily_conversations_per_business":2000,"max_phone_numbers_per_business":25}`,
			[]message.Event{{Kind: message.EventAccount, At: at, Field: "business_capability_update", Title: "2000", Limit: 2000,
				Raw: []byte(`{"max_daily_conversations_per_business":2000,"max_phone_numbers_per_business":25}`)}}},
		{"what was billed", "messages", `{"statuses":[
			{"id":"wamid.A","status":"sent","timestamp":"1777896000","pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"marketing_lite"}},
			{"id":"wamid.B","status":"sent","timestamp":"1777896000","pricing":{"pricing_model":"PMP","type":"regular","category":"service"}},
			{"id":"wamid.C","status":"sent","timestamp":"1777896000","pricing":{"billable":"?","type":"free_entry_point","category":"Utility"}},
			{"id":"wamid.D","status":"sent","timestamp":"1777896000","pricing":{"billable":true,"category":"+1 202 555 0123"}},
			{"id":"wamid.E","status":"delivered","timestamp":"1777896000","pricing":{"billable":null,"pricing_model":"pmp","type":"regular","category":"authentication-international"}},
			{"id":"wamid.F","status":"sent","timestamp":"1777896000","pricing":{"billable":false,"pricing_model":"XYZ","type":"a_gift","category":"moonlight"}},
			{"id":"wamid.G","status":"sent","timestamp":"1777896000","pricing":{}},
			{"id":"wamid.H","status":"sent","timestamp":"1777896000","pricing":"free"}]}`,
			[]message.Event{
				{Kind: message.EventStatus, ID: "wamid.A", At: at, Rank: message.RankSent, Billing: &message.Billing{Billable: true, Category: "marketing_lite", Model: "PMP", Type: "regular"}},
				{Kind: message.EventStatus, ID: "wamid.B", At: at, Rank: message.RankSent, Billing: &message.Billing{Billable: true, Category: "service", Model: "PMP", Type: "regular"}},
				{Kind: message.EventStatus, ID: "wamid.C", At: at, Rank: message.RankSent, Billing: &message.Billing{Category: "utility", Type: "free_entry_point"}},
				{Kind: message.EventStatus, ID: "wamid.D", At: at, Rank: message.RankSent, Billing: &message.Billing{Billable: true, Category: "unknown"}},
				{Kind: message.EventStatus, ID: "wamid.E", At: at, Rank: message.RankDelivered, Billing: &message.Billing{Billable: true, Category: "authentication-international", Model: "PMP", Type: "regular"}},
				{Kind: message.EventStatus, ID: "wamid.F", At: at, Rank: message.RankSent, Billing: &message.Billing{Category: "moonlight", Model: "XYZ", Type: "a_gift"}},
				{Kind: message.EventStatus, ID: "wamid.G", At: at, Rank: message.RankSent},
				{Kind: message.EventStatus, ID: "wamid.H", At: at, Rank: message.RankSent},
			}},
		{"an error of the account", "messages", `{"errors":[{"code":130429,"title":"t"}]}`,
			[]message.Event{{Kind: message.EventAccount, At: at, Field: "errors", Code: "130429", Title: "the number sends too fast", Raw: []byte(`{"code":130429,"title":"t"}`)}}},
		{"a field of tomorrow", "moon_phase", `{"phase":"full"}`,
			[]message.Event{{Kind: message.EventOther, Field: "moon_phase", Reason: `nothing in a change of "moon_phase" is known`, Raw: []byte(`{"phase":"full"}`)}}},
		{"statuses that are a text", "messages", `{"statuses":"none"}`,
			[]message.Event{{Kind: message.EventOther, At: at, Field: "messages", Reason: "statuses is not an array", Raw: []byte(`"none"`)}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := metaobject.DecodeEnvelope(envelope(test.field, test.value))
			if err != nil {
				t.Fatal(err)
			}
			for i := range test.want {
				test.want[i].AccountID = "1022"
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("the events differ (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCorpus decodes webhooks that independent projects received: every body
// gives events, or is kept with a reason, and decoding it again gives the same.
func TestCorpus(t *testing.T) {
	kept := 0
	for _, body := range providertest.Corpus(t, "fixtures/webhooks.jsonl", "payload") {
		events, err := metaobject.DecodeEnvelope(body)
		if err != nil {
			t.Errorf("%v: %s", err, body)
		}
		providertest.CheckEvents(t, events, err)
		again, _ := metaobject.DecodeEnvelope(body)
		if diff := cmp.Diff(events, again); diff != "" {
			t.Errorf("decoding twice differs:\n%s", diff)
		}
		if len(events) == 0 && !strings.Contains(string(body), `"changes": []`) && !strings.Contains(string(body), `"entry": []`) {
			t.Errorf("nothing came of %s", body)
		}
		for _, e := range events {
			if e.Kind == message.EventOther {
				kept++
				t.Logf("kept: %s", e.Reason)
			}
		}
	}
	if kept > 40 {
		t.Errorf("%d of the corpus's events are not understood", kept)
	}
}

func FuzzDecodeEnvelope(f *testing.F) {
	f.Add(envelope("messages", `{"contacts":[{}],"messages":[{"id":"a","from":"1","type":"order","order":{"product_items":[{"quantity":"1e400"}]}}]}`))
	f.Add(envelope("messages", `{"statuses":[{"id":"a","status":"failed","errors":[{"code":"x"}]}]}`))
	f.Add([]byte(`{"entry":[{"changes":[1]},2]}`))
	for _, c := range notToTheNumber {
		f.Add(envelope(c.field, c.value))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := metaobject.DecodeEnvelope(body)
		providertest.CheckEvents(t, events, err)
	})
}

func TestSignature(t *testing.T) {
	body := []byte(`{"entry":[]}`)
	sign := func(secret string) http.Header {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		h := http.Header{}
		h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		return h
	}
	secrets := []string{"new", "old"}
	for _, s := range secrets {
		if err := metaobject.CheckSignature(sign(s), body, secrets); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	short := http.Header{}
	short.Set("X-Hub-Signature-256", "sha256=abcd")
	for name, h := range map[string]http.Header{"another's": sign("theirs"), "none": {}, "short": short} {
		if err := metaobject.CheckSignature(h, body, secrets); err == nil {
			t.Errorf("%s signature was let in", name)
		}
	}
	if err := metaobject.CheckSignature(sign("new"), append(body, ' '), secrets); err == nil {
		t.Error("another body was let in")
	}
}

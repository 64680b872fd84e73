package metaobject_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/metaobject"
)

const ofShop = `"metadata":{"display_phone_number":"1 555-010-0000","phone_number_id":"77"}`

// notToTheNumber are changes whose messages and statuses were not written to
// the number and are not about messages that we sent.
var notToTheNumber = []struct {
	name, field, value string
	want               message.Event
}{
	{"written in the app", "smb_message_echoes", `{` + ofShop + `,"message_echoes":[{"from":"15550100000","to":"12025550123","id":"wamid.E","timestamp":"1777896000","type":"text","text":{"body":"We deliver on Tuesday"}}]}`,
		message.Event{Kind: message.EventEcho, ID: "wamid.E", Type: "text", From: ana}},
	{"written in the app, under the name of messages", "smb_message_echoes", `{"messages":[{"from":"15550100000","to":"12025550123","id":"wamid.E","timestamp":"1777896000","type":"image"}]}`,
		message.Event{Kind: message.EventEcho, ID: "wamid.E", Type: "image", From: ana}},
	{"written in the app, under messages' own name", "messages", `{` + ofShop + `,"messages":[{"from":"15550100000","to":"12025550123","id":"wamid.E","timestamp":"1777896000","type":"text","text":{"body":"STOP"}}]}`,
		message.Event{Kind: message.EventEcho, ID: "wamid.E", Type: "text", From: ana}},
	{"old chats", "history", `{` + ofShop + `,"history":[{"metadata":{"phase":1,"chunk_order":2,"progress":55},"threads":[{"id":"12025550123","messages":[{"from":"12025550123","id":"wamid.O","type":"text","text":{"body":"STOP"}},{"from":"15550100000","id":"wamid.P"}]},{"id":"12025550124","messages":[{"id":"wamid.Q"}]}]}]}`,
		message.Event{Kind: message.EventHistory, Title: "3 messages of 2 chats (phase 1, 55 %)"}},
	{"old chats that were not shared", "history", `{"history":[{"errors":[{"code":2593109,"title":"History sharing is turned off"}]}]}`,
		message.Event{Kind: message.EventHistory, Code: "2593109", Title: "History sharing is turned off"}},
	{"a medium of an old chat", "history", `{` + ofShop + `,"messages":[{"from":"12025550123","id":"wamid.M","timestamp":"1777896000","type":"image","image":{"id":"9"}}]}`,
		message.Event{Kind: message.EventHistory, Title: "1 media"}},
	{"contacts of the app", "smb_app_state_sync", `{"state_sync":[{"type":"contact","contact":{"full_name":"Ana","phone_number":"12025550123"},"action":"add"},{"type":"contact"}]}`,
		message.Event{Kind: message.EventHistory, Title: "2 contacts"}},
	{"a call", "calls", `{"calls":[{"id":"wacid.1","from":"12025550123","to":"15550100000","event":"connect","direction":"USER_INITIATED","timestamp":"1777896000"}]}`,
		message.Event{Kind: message.EventCall, ID: "wacid.1", Type: "user_initiated", Title: "connect", From: ana}},
	{"a call of ours", "calls", `{"calls":[{"id":"wacid.1","from":"15550100000","to":"12025550123","event":"terminate","direction":"BUSINESS_INITIATED","timestamp":"1777896000"}]}`,
		message.Event{Kind: message.EventCall, ID: "wacid.1", Type: "business_initiated", Title: "terminate", From: ana}},
	{"what became of a call", "calls", `{"statuses":[{"id":"wacid.1","type":"call","status":"REJECTED","recipient_id":"12025550123","timestamp":"1777896000"}]}`,
		message.Event{Kind: message.EventCall, ID: "wacid.1", Title: "rejected", From: ana}},
	{"a group that was made", "group_lifecycle_update", `{"groups":[{"timestamp":1777896000,"group_id":"G1","type":"group_create","subject":"Friends of plants"}]}`,
		message.Event{Kind: message.EventGroup, GroupID: "G1", Title: "group_create"}},
	{"who joined a group", "group_participants_update", `{"groups":[{"timestamp":1777896000,"group_id":"G1","type":"group_participants_add","added_participants":[{"wa_id":"12025550123"}]}]}`,
		message.Event{Kind: message.EventGroup, GroupID: "G1", Title: "group_participants_add"}},
	{"what became of a message to a group", "messages", `{"statuses":[{"id":"wamid.G","status":"read","recipient_type":"group","recipient_id":"G1","recipient_participant_id":"12025550123","timestamp":"1777896000"}]}`,
		message.Event{Kind: message.EventGroup, ID: "wamid.G", GroupID: "G1", Title: "read"}},
}

func TestWhatIsNoMessageToTheNumber(t *testing.T) {
	for _, test := range notToTheNumber {
		t.Run(test.name, func(t *testing.T) {
			got, err := metaobject.DecodeEnvelope(envelope(test.field, test.value))
			if err != nil || len(got) != 1 {
				t.Fatalf("%d events, %v", len(got), err)
			}
			e := got[0]
			if e.Reason == "" || e.Field != test.field || e.At != at {
				t.Errorf("kept without the reason, the field or the time: %+v", e)
			}
			if e.Text+e.ProfileName+e.Data != "" || len(e.Raw) > 0 {
				t.Errorf("what people said to each other is kept: %+v", e)
			}
			e.Reason, e.Field, e.At, e.NumberID, e.Number, e.AccountID = "", "", test.want.At, "", "", ""
			if diff := cmp.Diff(test.want, e); diff != "" {
				t.Errorf("the event differs (-want +got):\n%s", diff)
			}
		})
	}
}

// A change may contain both kinds; neither is lost.
func TestAMessageBesideACall(t *testing.T) {
	got, err := metaobject.DecodeEnvelope(envelope("calls", `{"calls":[{"id":"wacid.1","from":"12025550123"}],"messages":[{"from":"12025550123","id":"wamid.I","type":"text","text":{"body":"STOP"}}]}`))
	if err != nil || len(got) != 2 || got[0].Kind != message.EventCall || got[1].Kind != message.EventInbound || got[1].Text != "STOP" {
		t.Errorf("%v: %+v", err, got)
	}
}

func TestTier(t *testing.T) {
	for text, want := range map[string]int{"TIER_250": 250, "TIER_2K": 2000, "TIER_100K": 100_000, "2000": 2000, "TIER_UNLIMITED": -1, "UNLIMITED": -1, "-1": -1,
		"": 0, "TIER_": 0, "TIER_NOT_SET": 0, "0": 0, "-5": 0, "99999999999K": 0, "2K people": 0} {
		if got := metaobject.Tier(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

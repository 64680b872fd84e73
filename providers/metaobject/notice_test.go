package metaobject_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/metaobject"
)

// TestTemplateNotices checks what is read from notices about templates. Keys decide,
// and not the field's name, since Meta's samples mix up both.
func TestTemplateNotices(t *testing.T) {
	const head = `"message_template_id":12345678901234567890,"message_template_name":"spring","message_template_language":"en-US"`
	of := func(change func(*message.TemplateNotice)) *message.TemplateNotice {
		n := &message.TemplateNotice{Account: "1022", ID: "12345678901234567890", Name: "spring", Language: "en-US"}
		change(n)
		return n
	}
	for _, c := range []struct {
		name, value string
		want        *message.TemplateNotice
	}{
		{"approved", `{"event":"APPROVED",` + head + `,"reason":"NONE","message_template_category":"UTILITY"}`,
			of(func(n *message.TemplateNotice) { n.Status, n.Category = "APPROVED", "utility" })},
		{"rejected", `{"event":"REJECTED",` + head + `,"reason":"PROMOTIONAL","rejection_info":{"reason":"…"}}`,
			of(func(n *message.TemplateNotice) { n.Status, n.Reason = "REJECTED", "PROMOTIONAL" })},
		{"to be deleted", `{"event":"PENDING_DELETION",` + head + `,"reason":null}`, of(func(n *message.TemplateNotice) { n.Status = "PENDING_DELETION" })},
		{"sendable again", `{"event":"REINSTATED",` + head + `}`, of(func(n *message.TemplateNotice) { n.Status = "APPROVED" })},
		{"an unknown event", `{"event":"FROZEN",` + head + `}`, of(func(n *message.TemplateNotice) { n.Status = "FROZEN" })},
		{"flagged, which changes no status", `{"event":"FLAGGED",` + head + `}`, nil},
		{"a category that is announced", `{` + head + `,"new_category":"UTILITY","correct_category":"MARKETING","category_update_timestamp":1777896000}`,
			of(func(n *message.TemplateNotice) { n.Category, n.Announced = "utility", "marketing" })},
		{"a category that is changed", `{` + head + `,"previous_category":"UTILITY","new_category":"MARKETING"}`,
			of(func(n *message.TemplateNotice) { n.Category, n.Recategorized = "marketing", true })},
		{"the quality", `{` + head + `,"previous_quality_score":"GREEN","new_quality_score":"YELLOW"}`, of(func(n *message.TemplateNotice) { n.Quality = "YELLOW" })},
		{"other words", `{` + head + `,"message_template_element":"Hello"}`, of(func(n *message.TemplateNotice) { n.Content = true })},
		{"no name", `{"event":"APPROVED","message_template_id":1}`, nil},
		{"a name that no template has", `{"event":"APPROVED","message_template_id":1,"message_template_name":"a/b","message_template_language":"en"}`, nil},
		{"an id that is none", `{"event":"APPROVED","message_template_id":"1/2","message_template_name":"spring","message_template_language":"en"}`, nil},
	} {
		events, err := metaobject.DecodeEnvelope(envelope("message_template_quality_update", c.value))
		if err != nil || len(events) != 1 || events[0].Kind != message.EventAccount {
			t.Fatalf("%s: %+v, %v", c.name, events, err)
		}
		if diff := cmp.Diff(c.want, events[0].Template); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

package kaleyra

import (
	"encoding/json"
	"fmt"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
)

// extra is what Kaleyra puts beside Meta's object in a callback.
type extra struct {
	TraceID   string `json:"trace_id"`
	MessageID string `json:"message_id"`
	Ref       string `json:"ref"`
	ReplyTo   string `json:"reply_to"`
	MediaURL  string `json:"media_url"`
}

// callback is Kaleyra's own form: one of Meta's changes and Kaleyra's own fields.
type callback struct {
	Object *struct {
		Field string          `json:"field"`
		Value json.RawMessage `json:"value"`
	} `json:"meta_object"`
	Extra     extra  `json:"extra_info"`
	Status    string `json:"status"`
	MessageID string `json:"message_id"`
}

// events merges both parts. Only the reference certainly names the message:
// Kaleyra does not document which id the answer to a send holds. A status keeps
// the id in Meta's object, which in Kaleyra's samples is not Meta's id.
func (c *callback) events(raw []byte) []message.Event {
	var events []message.Event
	if c.Object != nil && len(c.Object.Value) > 0 {
		events = metaobject.DecodeChange(c.Object.Field, c.Object.Value, metaobject.Time(""))
	}
	found := false
	for i := range events {
		e := &events[i]
		switch e.Kind {
		case message.EventStatus:
			found = true
			if c.Extra.Ref != "" {
				e.Ref = c.Extra.Ref
			}
		case message.EventInbound:
			found = true
			if c.Extra.ReplyTo != "" {
				e.ContextID = providers.ID(c.Extra.ReplyTo) // the id from the answer to the send; we do not know Meta's
			}
			c.media(e)
		}
	}
	if !found && c.Status != "" {
		return []message.Event{c.bare(raw)}
	}
	return events
}

// media adds Kaleyra's URL of a medium; Meta's object has only an id.
func (c *callback) media(e *message.Event) {
	var data map[string]json.RawMessage
	if c.Extra.MediaURL == "" || json.Unmarshal([]byte(e.Data), &data) != nil || data == nil || data["url"] != nil {
		return
	}
	data["url"] = providers.AppendString(nil, c.Extra.MediaURL)
	if out, err := json.Marshal(data); err == nil {
		e.Data = string(out)
	}
}

// bare reads a status without Meta's object, such as NOT-SENT: Kaleyra never passed
// the message to Meta.
// Source: Kaleyra, WhatsApp status, 2026-11-20.
func (c *callback) bare(raw []byte) message.Event {
	rank, failed, ok := metaobject.Statuses(c.Status)
	id := c.MessageID
	for _, other := range []string{c.Extra.MessageID, c.Extra.TraceID} {
		if id == "" {
			id = other
		}
	}
	if !ok {
		return metaobject.Other(raw, "", fmt.Sprintf("a status of %q is not known", c.Status))
	}
	if id == "" && c.Extra.Ref == "" {
		return metaobject.Other(raw, "", "a status names no message")
	}
	e := message.Event{Kind: message.EventStatus, ID: providers.ID(id), Ref: c.Extra.Ref, Rank: rank, Failed: failed}
	if failed {
		e.Code, e.Title = c.Status, "Kaleyra did not hand the message to WhatsApp"
	}
	return e
}

package metaobject

import (
	"encoding/json"
	"fmt"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
)

// Reasons why these events are not messages to the number.
const (
	// InGroup is the reason for a message in a group, which is stored and nothing more.
	InGroup = "it was written in a group: it opens no private window and is not answered"

	inApp      = "a person wrote it from the number, in the WhatsApp Business app: it is no message to the number"
	ofOldChats = "it is about chats of the WhatsApp Business app from before: they are counted, not kept, and open no window"
	ofAppBook  = "it is about contacts of the WhatsApp Business app: they are counted, not kept"
	ofGroup    = "it is about a group, and handbill sends to none"
	ofCall     = "handbill takes no calls; a call opens no window here"
)

// apart decodes the parts of a change that only look like messages to the number
// or statuses of our messages.
// Source: Meta, webhooks/reference/{calls,history,smb_message_echoes,
// smb_app_state_sync,group_*}, 2026-05-21.
func (d *decoder) apart() {
	d.each("message_echoes", d.echo)
	d.each("history", d.history)
	d.tally("state_sync", "contacts", ofAppBook)
	d.each("calls", d.call)
	d.each("groups", d.group)
}

// tally makes an event of a list's length; the list itself is dropped.
func (d *decoder) tally(key, what, reason string) {
	if n := len(d.value.list(key)); n > 0 {
		d.events = append(d.events, message.Event{Kind: message.EventHistory, Field: d.field, Reason: reason, Title: fmt.Sprintf("%d %s", n, what)})
	}
}

// echo decodes a message that somebody wrote from the number in the WhatsApp
// Business app. Its text is private and is dropped.
func (d *decoder) echo(o object, raw json.RawMessage) message.Event {
	e := message.Event{Kind: message.EventEcho, Field: d.field, Reason: inApp,
		ID: providers.ID(o.text("id")), At: o.time("timestamp"), Type: word(o.text("type")), From: address(o.text("to"), o.text("to_user_id"))}
	if e.ID == "" {
		return Other(raw, d.field, "an echo has no id")
	}
	return e
}

// history counts the messages in one part of the app's old chats.
func (d *decoder) history(o object, _ json.RawMessage) message.Event {
	messages := 0
	threads := o.list("threads")
	for _, t := range threads {
		messages += len(toObject(t).list("messages"))
	}
	title := fmt.Sprintf("%d messages of %d chats", messages, len(threads))
	if part := o.sub("metadata"); part.text("phase") != "" {
		title += fmt.Sprintf(" (phase %s, %s %%)", part.text("phase"), part.text("progress"))
	}
	e := message.Event{Kind: message.EventHistory, Field: d.field, Reason: ofOldChats, Title: providers.Safe(title, nil)}
	if errs := o.list("errors"); len(errs) > 0 {
		e.Code, e.Title = firstError(errs)
	}
	return e
}

// call decodes a call or its result.
func (d *decoder) call(o object, raw json.RawMessage) message.Event {
	e := message.Event{Kind: message.EventCall, Field: d.field, Reason: ofCall, ID: providers.ID(o.text("id")), At: o.time("timestamp"),
		Type: word(o.text("direction")), Title: word(o.text("event"))}
	switch {
	case o["recipient_id"] != nil || o["recipient_user_id"] != nil:
		e.From = address(o.text("recipient_id"), o.text("recipient_user_id"))
	case e.Type == "business_initiated":
		e.From = address(o.text("to"), o.text("to_user_id"))
	default:
		e.From = address(o.text("from"), o.text("from_user_id"))
	}
	if e.Title == "" {
		e.Title = word(o.text("status"))
	}
	if e.ID == "" {
		return Other(raw, d.field, "a call has no id")
	}
	return e
}

// group decodes a change of a group: created, deleted, joined, left.
func (d *decoder) group(o object, _ json.RawMessage) message.Event {
	return message.Event{Kind: message.EventGroup, Field: d.field, Reason: ofGroup,
		At: o.time("timestamp"), GroupID: providers.ID(o.text("group_id")), Title: word(o.text("type"))}
}

// groupStatus decodes the status of a message to a group; we send no such messages.
func (d *decoder) groupStatus(o object) message.Event {
	return message.Event{Kind: message.EventGroup, Field: d.field, Reason: ofGroup, ID: providers.ID(o.text("id")),
		At: o.time("timestamp"), GroupID: providers.ID(o.text("recipient_id")), Title: word(o.text("status"))}
}

package onemsg

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
)

// Handshake answers nothing: 1msg does not verify the address.
func (p *Provider) Handshake(url.Values) (string, bool) { return "", false }

// Authenticate checks nothing: 1msg signs nothing, so only the secret in the path
// authenticates a webhook.
func (p *Provider) Authenticate(http.Header, []byte) (bool, error) { return false, nil }

// WebhookTokens returns the secrets of which the webhook's path must hold one.
func (p *Provider) WebhookTokens() []string { return p.config.WebhookToken.Split() }

// WebhookNumber returns how events name the number: 1msg's own form by the
// channel, Meta's form by the telephone number.
func (p *Provider) WebhookNumber() (id, phone string) {
	return p.config.ChannelID, p.config.PhoneNumber
}

// Decode reads both of 1msg's forms: the normalised one with messages, ack or
// hooks, and Meta's envelope, which it posts where rawHooks is set. Our own
// messages, which 1msg posts back, give no event.
// Source: 1msg's OpenAPI and n8n node, captures of ebor94/1msg, 2026-11-20.
func (p *Provider) Decode(body []byte) ([]message.Event, error) {
	var envelope struct {
		Channel  any             `json:"instanceId"`
		Entry    json.RawMessage `json:"entry"`
		Messages json.RawMessage `json:"messages"`
		Ack      json.RawMessage `json:"ack"`
		Hooks    json.RawMessage `json:"hooks"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, errors.New("the body is not a JSON object")
	}
	if envelope.Entry != nil {
		events, err := metaobject.DecodeEnvelope(body)
		return ofChannel(events, envelope.Channel), err
	}
	if envelope.Messages == nil && envelope.Ack == nil && envelope.Hooks == nil {
		return ofChannel([]message.Event{metaobject.Other(body, "", "the body has no messages, ack or hooks")}, envelope.Channel), nil
	}
	var events []message.Event
	events = append(events, each(envelope.Messages, "messages", decodeMessage)...)
	events = append(events, each(envelope.Ack, "ack", decodeAck)...)
	if list, err := elements(envelope.Hooks); err == nil {
		events = append(events, decodeHooks(list)...)
	} else {
		events = append(events, metaobject.Other(envelope.Hooks, "hooks", "hooks is not an array"))
	}
	return ofChannel(events, envelope.Channel), nil
}

// ofChannel sets which channel events are about. It drops Meta's id of the
// number, which is not configured here.
func ofChannel(events []message.Event, channel any) []message.Event {
	id := strings.TrimPrefix(plain(channel), "instance")
	for i := range events {
		events[i].NumberID = id
	}
	return events
}

func elements(raw json.RawMessage) ([]json.RawMessage, error) {
	var list []json.RawMessage
	if raw == nil {
		return nil, nil
	}
	err := json.Unmarshal(raw, &list)
	return list, err
}

// each decodes an array; what can't be read is kept with the reason.
func each(raw json.RawMessage, field string, decode func(json.RawMessage) (message.Event, bool)) []message.Event {
	list, err := elements(raw)
	if err != nil {
		return []message.Event{metaobject.Other(raw, field, field+" is not an array")}
	}
	var events []message.Event
	for _, element := range list {
		if e, ok := decode(element); ok {
			events = append(events, e)
		}
	}
	return events
}

// inbound is one of messages[]. A boolean may come as 0 or 1, and a time as a
// number or a string.
type inbound struct {
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	Body     any             `json:"body"`
	Caption  string          `json:"caption"`
	FromMe   any             `json:"fromMe"`
	Self     any             `json:"self"`
	Time     any             `json:"time"`
	ChatID   string          `json:"chatId"`
	Author   string          `json:"author"`
	UserID   string          `json:"authorBsuid"`
	Name     string          `json:"senderName"`
	Username string          `json:"authorUserName"`
	Quoted   string          `json:"quotedMsgId"`
	Metadata json.RawMessage `json:"metadata"`
	Tap      json.RawMessage `json:"interactive"`
}

func decodeMessage(raw json.RawMessage) (message.Event, bool) {
	var m inbound
	if json.Unmarshal(raw, &m) != nil {
		return metaobject.Other(raw, "messages", "a message is not an object of the documented form"), true
	}
	if isTrue(m.FromMe) || isTrue(m.Self) {
		return message.Event{}, false
	}
	e := message.Event{
		Kind: message.EventInbound, ID: m.ID, At: metaobject.Time(plain(m.Time)), Type: wireType(m.Type),
		From: m.from(), ProfileName: m.Name, Username: m.Username, ContextID: providers.ID(m.Quoted),
	}
	switch {
	case e.ID == "":
		return metaobject.Other(raw, "messages", "a message has no id"), true
	case e.From.Key() == "":
		return metaobject.Other(raw, "messages", "a message names no sender"), true
	}
	m.content(&e)
	if group, ok := strings.CutSuffix(m.ChatID, "@g.us"); ok {
		e.Kind, e.GroupID, e.Field, e.Reason = message.EventGroup, group, "messages", metaobject.InGroup
	}
	return e, true
}

func isTrue(v any) bool { return v == true || v == float64(1) || v == "1" || v == "true" }

// plain returns a number or a string as text.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return fmt.Sprintf("%.0f", v)
	}
	return ""
}

func (m *inbound) from() message.Address {
	chat := m.Author
	if chat == "" {
		chat = m.ChatID
	}
	id, domain, _ := strings.Cut(chat, "@")
	a := message.Address{UserID: m.UserID}
	switch {
	case domain == "lid":
		a.UserID = id
	case domain == "g.us": // a group is not a person
	case id != "" && strings.Trim(id, "0123456789") == "":
		a.Phone = "+" + id
	}
	return a
}

// wireType returns Meta's name for 1msg's type.
func wireType(t string) string {
	switch t {
	case "chat":
		return "text"
	case "ptt", "voice":
		return "audio"
	case "contact", "vcard":
		return "contacts"
	}
	return t
}

// content reads what a message says. The normalised form of a tap is not
// documented: body holds the title, and the id is in Meta's object if metadata or
// interactive holds it.
func (m *inbound) content(e *message.Event) {
	body := plain(m.Body)
	switch e.Type {
	case "text":
		e.Text = body
	case "button", "interactive":
		e.ReplyKind, e.Text = "button", body
		if e.Type == "interactive" {
			e.ReplyKind = "interactive"
		}
		for _, raw := range []json.RawMessage{m.Tap, m.Metadata} {
			tap(e, raw)
		}
	default:
		e.Text = m.Caption
		if data, err := json.Marshal(map[string]any{"link": m.Body}); err == nil {
			e.Data = string(data)
		}
	}
}

func tap(e *message.Event, raw json.RawMessage) {
	type reply struct{ ID, Title, Payload string }
	var o struct {
		reply
		List   *reply `json:"list_reply"`
		Button *reply `json:"button_reply"`
	}
	if len(raw) == 0 || json.Unmarshal(raw, &o) != nil {
		return
	}
	r := &o.reply
	if o.List != nil {
		e.ReplyKind, r = "list_reply", o.List
	} else if o.Button != nil {
		e.ReplyKind, r = "button_reply", o.Button
	}
	if r.ID == "" {
		r.ID = r.Payload
	}
	if r.ID != "" {
		e.ReplyID = r.ID
	}
	if e.Text == "" {
		e.Text = r.Title
	}
}

// decodeAck reads one of ack[]: a status without a time; an error is a text.
func decodeAck(raw json.RawMessage) (message.Event, bool) {
	var a struct {
		ID     string `json:"id"`
		Status string `json:"status"`
		Phone  any    `json:"phone"`
		ChatID string `json:"chatId"`
		UserID string `json:"bsuid"`
		Error  any    `json:"error"`
	}
	if json.Unmarshal(raw, &a) != nil || a.ID == "" {
		return metaobject.Other(raw, "ack", "an ack names no message"), true
	}
	rank, failed, ok := metaobject.Statuses(a.Status)
	if !ok {
		return metaobject.Other(raw, "ack", fmt.Sprintf("a status of %q is not known", a.Status)), true
	}
	from := inbound{ChatID: a.ChatID, UserID: a.UserID}
	e := message.Event{Kind: message.EventStatus, ID: providers.ID(a.ID), From: from.from(), Rank: rank, Failed: failed}
	if failed {
		text := plain(a.Error)
		e.Title = providers.Safe(text, nil)
		if known, ok := classify(text, codeIn(text)); ok {
			e.Code, e.Title = known.Code, known.Title
		}
	}
	return e, true
}

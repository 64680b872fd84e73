package metaobject

import (
	"cmp"
	"encoding/json"
	"strconv"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
)

// inbound reads one message from a person.
func (d *decoder) inbound(o object, raw json.RawMessage) message.Event {
	kind := o.text("type")
	if kind == "system" {
		return d.system(o, raw)
	}
	e := message.Event{
		Kind: message.EventInbound, ID: o.text("id"), At: o.time("timestamp"), Type: kind,
		From:      address(o.text("from"), o.text("from_user_id")),
		ContextID: providers.ID(o.sub("context").text("id")), Ad: o.sub("referral").text("source_id"),
	}
	d.contact(&e)
	shared(&e, o)
	if e.ID == "" {
		return Other(raw, d.field, "a message has no id")
	}
	if e.From.Key() == "" {
		return Other(raw, d.field, "a message names no sender")
	}
	if d.fromUs(o) {
		return d.echo(o, raw)
	}
	content(&e, o)
	if e.GroupID = o.text("group_id"); e.GroupID != "" {
		e.Kind, e.Field, e.Reason = message.EventGroup, d.field, InGroup
	}
	return e
}

// fromUs reports whether a message was written from the number itself.
func (d *decoder) fromUs(o object) bool {
	from := providers.Digits(o.text("from"))
	return len(from) > 6 && from == providers.Digits(d.value.sub("metadata").text("display_phone_number"))
}

// contact adds what the contacts say about the sender.
func (d *decoder) contact(e *message.Event) {
	for _, raw := range d.contacts {
		c := toObject(raw)
		who := address(c.text("wa_id"), c.text("user_id"))
		same := who.Phone != "" && who.Phone == e.From.Phone || who.UserID != "" && who.UserID == e.From.UserID
		if !same && !(e.From.Key() == "" && len(d.contacts) == 1) {
			continue
		}
		if e.From.Phone == "" {
			e.From.Phone = who.Phone
		}
		if e.From.UserID == "" {
			e.From.UserID = who.UserID
		}
		profile := c.sub("profile")
		e.Parent, e.ProfileName, e.Username = c.text("parent_user_id"), profile.text("name"), profile.text("username")
		return
	}
}

// shared reads the sender's number from a contact card that they sent because we
// asked for it. Any other card may be somebody else's.
// Source: Meta, business-scoped-user-ids, read 2026-09-11.
func shared(e *message.Event, o object) {
	cards := o.list("contacts")
	if e.Type != "contacts" || e.From.Phone != "" || e.From.UserID == "" || len(cards) != 1 {
		return
	}
	card := toObject(cards[0])
	if o.text("origin") != "contact_request" && card.text("origin") != "contact_request" {
		return
	}
	phones := card.list("phones")
	if len(phones) != 1 {
		return
	}
	number := toObject(phones[0])
	id := number.text("wa_id")
	if id == "" {
		id = providers.Digits(number.text("phone"))
	}
	e.From.Phone = address(id, "").Phone
}

// content reads the object named after the message's type.
func content(e *message.Event, o object) {
	body := o.sub(e.Type)
	switch e.Type {
	case "text":
		e.Text = body.text("body")
		if p := o.sub("context")["referred_product"]; p != nil {
			e.Data = string(p)
		}
	case "button":
		e.ReplyKind, e.ReplyID, e.Text = "button", body.text("payload"), body.text("text")
		if e.ReplyID == "" {
			e.ReplyID = e.Text // Meta repeats the label if the button has no payload
		}
	case "interactive":
		reply(e, body)
	case "order":
		e.Order = order(body)
		e.Text = e.Order.Note
	case "edit", "revoke":
		// The text after the edit. Source: Meta, webhooks/reference/messages/edit, updated 2026-07-20.
		now := body.sub("message")
		part := now.sub(now.text("type"))
		e.ContextID, e.Text = body.text("original_message_id"), cmp.Or(part.text("body"), part.text("caption"))
		e.Data = string(o[e.Type])
	case "unsupported":
		e.Data = string(o["errors"])
	default:
		e.Text = body.text("caption")
		e.Data = string(o[e.Type])
	}
}

// reply reads what a tap on an interactive message sent.
func reply(e *message.Event, body object) {
	e.ReplyKind = body.text("type")
	inner := body.sub(e.ReplyKind)
	switch e.ReplyKind {
	case "list_reply", "button_reply":
		e.ReplyID, e.Text = inner.text("id"), inner.text("title")
	case "nfm_reply":
		e.ReplyKind, e.Text, e.Data = "flow", inner.text("body"), inner.text("response_json")
		if name := inner.text("name"); name != "" {
			e.ReplyKind = name
		}
	default:
		e.Data = string(body[e.ReplyKind])
	}
}

func order(body object) *message.Order {
	out := &message.Order{CatalogID: body.text("catalog_id"), Note: body.text("text")}
	for _, raw := range body.list("product_items") {
		item := toObject(raw)
		out.Items = append(out.Items, message.OrderItem{
			ProductID: item.text("product_retailer_id"), Quantity: quantity(item.text("quantity")),
			Price: item.text("item_price"), Currency: item.text("currency"),
		})
	}
	return out
}

// quantity reads "2", 2 and 2.0; 0 for anything else.
func quantity(s string) int {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 0 || f > 1e9 {
		return 0
	}
	return int(f)
}

// system reads notices that come as messages. Only a change of a person's number
// or user id matters.
func (d *decoder) system(o object, raw json.RawMessage) message.Event {
	body := o.sub("system")
	now := body.text("wa_id")
	if now == "" {
		now = body.text("new_wa_id")
	}
	to := address(now, body.text("user_id"))
	if to.Key() == "" {
		return Other(raw, d.field, "a system message that changes nobody's number")
	}
	return message.Event{
		Kind: message.EventIdentity, ID: o.text("id"), At: o.time("timestamp"),
		From: address(o.text("from"), o.text("from_user_id")), NewAddress: to, NewParent: body.text("parent_user_id"),
	}
}

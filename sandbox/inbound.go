package sandbox

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// firstInbound is where inbound messages start to count, so that their numbers
// differ from those of sends.
const firstInbound = 1 << 31

// Inbound is something that a person does on the phone.
type Inbound struct {
	Provider Provider `json:"provider"`
	Number   string   `json:"number"` // the business number, as in the ledger
	From     string   `json:"from"`   // the person's phone number or business-scoped user id
	Name     string   `json:"name,omitempty"`

	// Type is text, list_reply, button_reply, button (a template's quick
	// reply), order, location, reaction, flow, image, video, audio, document,
	// sticker, stop or resume (of marketing). Empty is text.
	Type    string `json:"type"`
	Text    string `json:"text,omitempty"`    // body, caption, or the note of an order
	Context string `json:"context,omitempty"` // wamid of the message that this answers

	ID          string `json:"id,omitempty"` // of the row or button; payload of a quick reply; product of a question
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`

	Catalog string        `json:"catalog,omitempty"`
	Items   []InboundItem `json:"items,omitempty"`

	Link      string  `json:"link,omitempty"` // of media, where the format has one
	MIME      string  `json:"mime,omitempty"`
	Filename  string  `json:"filename,omitempty"`
	Latitude  float64 `json:"latitude,omitempty"`
	Longitude float64 `json:"longitude,omitempty"`
	Emoji     string  `json:"emoji,omitempty"`
	Data      string  `json:"data,omitempty"` // response_json of a flow
}

// InboundItem is a line of an order.
type InboundItem struct {
	Product  string  `json:"product_retailer_id"`
	Quantity int     `json:"quantity"`
	Price    float64 `json:"item_price"`
	Currency string  `json:"currency"`
}

// Inbound acts as a phone: it opens the window, shows in the chat, and posts
// the webhook to the number's targets. It returns the message's wamid.
func (s *Sandbox) Inbound(in Inbound) (id string, err error) {
	if in.Type == "" {
		in.Type = "text"
	}
	from := userKey(in.From)
	if err := in.check(from); err != nil {
		return "", err
	}
	in.From = from
	if in.Name == "" {
		in.Name = "Guest " + from[max(0, len(from)-4):]
	}
	now, num := s.opt.Clock(), s.number(in.Provider, in.Number)
	s.mu.Lock()
	s.inbound++
	n := s.inbound
	s.mu.Unlock()
	id = messageID(s.key, digitsOf(from), firstInbound+n, now)
	if in.Type != "stop" && in.Type != "resume" {
		num.openWindow(from, now)
		s.chats.received(num, in, id, now)
	}
	for _, t := range s.targetsOf(num) {
		s.out.add(t, now, func() []byte { return s.encodeInbound(t, num, in, id, now) })
	}
	return id, nil
}

func (in Inbound) check(from string) error {
	known := false
	for _, p := range Providers() {
		known = known || p == in.Provider
	}
	switch {
	case !known:
		return fmt.Errorf("inbound: provider %q is not one of cloud, dialog360, kaleyra, onemsg", in.Provider)
	case in.Number == "":
		return errors.New("inbound: number is required")
	case from == "" || (!isUserID(from) && len(from) < 7):
		return errors.New("inbound: from must be a phone number or a user id")
	}
	switch in.Type {
	case "list_reply", "button_reply":
		if in.ID == "" || in.Title == "" {
			return fmt.Errorf("inbound: a %s needs id and title", in.Type)
		}
	case "button":
		if in.Title == "" {
			return errors.New("inbound: a button needs title")
		}
	case "order":
		if len(in.Items) == 0 {
			return errors.New("inbound: an order needs items")
		}
	case "text":
		if in.Text == "" {
			return errors.New("inbound: a text needs text")
		}
	case "location", "reaction", "flow", "image", "video", "audio", "document", "sticker", "stop", "resume":
	default:
		return fmt.Errorf("inbound: unknown type %q", in.Type)
	}
	return nil
}

func (s *Sandbox) encodeInbound(t WebhookTarget, num *number, in Inbound, id string, at time.Time) []byte {
	switch {
	case num.provider == OneMsg && !num.isRaw(t):
		return must(object{"instanceId": num.id, "messages": []object{in.oneMsg(id, at)}})
	case in.Type == "stop" || in.Type == "resume":
		return must(in.preference(num, at))
	case num.provider == Kaleyra:
		return must(object{
			"meta_object": object{"field": "messages", "value": metaValue(num, in.value(num, s.mediaIDFor(id), id, at))},
			"extra_info":  s.kaleyraExtra(in, id),
		})
	}
	return must(metaEnvelope(num, in.value(num, s.mediaIDFor(id), id, at)))
}

func (s *Sandbox) mediaIDFor(id string) string { return "10" + digits(hashString(s.key, id), 14) }

// kaleyraExtra is Kaleyra's extra_info; it repeats the references of the answered
// message.
func (s *Sandbox) kaleyraExtra(in Inbound, id string) object {
	out := object{"media_url": in.Link, "trace_id": kaleyraID(s.key, uint32(hashString(s.key, id))), "waba_id": AccountID, "ref": "", "ref1": "", "ref2": ""}
	if _, n, _, ok := parseMessageID(s.key, in.Context); ok {
		if e, found := s.ledger.entry(n); found {
			x := s.ledger.extra(n)
			out["ref"], out["ref1"], out["ref2"], out["reply_to"] = e.ref, x[0], x[1], kaleyraID(s.key, n)
		}
	}
	return out
}

// value is Meta's value of an inbound message.
func (in Inbound) value(num *number, media, id string, at time.Time) object {
	contact := object{"profile": object{"name": in.Name}}
	m := object{"id": id, "timestamp": strconv.FormatInt(at.Unix(), 10)}
	if isUserID(in.From) {
		contact["user_id"], m["from_user_id"] = in.From, in.From
	} else {
		contact["wa_id"], m["from"] = in.From, in.From
	}
	if in.Context != "" {
		m["context"] = object{"from": num.display, "id": in.Context}
	}
	typ, content := in.content(media)
	m["type"] = typ
	m[typ] = content
	if in.Catalog != "" && typ == "text" && in.ID != "" {
		m["context"] = object{"from": num.display, "id": in.Context, "referred_product": object{"catalog_id": in.Catalog, "product_retailer_id": in.ID}}
	}
	return object{"contacts": []object{contact}, "messages": []object{m}}
}

// content returns Meta's type and the object of that name.
func (in Inbound) content(media string) (string, any) {
	switch in.Type {
	case "list_reply":
		r := object{"id": in.ID, "title": in.Title}
		if in.Description != "" {
			r["description"] = in.Description
		}
		return "interactive", object{"type": "list_reply", "list_reply": r}
	case "button_reply":
		return "interactive", object{"type": "button_reply", "button_reply": object{"id": in.ID, "title": in.Title}}
	case "button":
		payload := in.ID
		if payload == "" {
			payload = in.Title
		}
		return "button", object{"payload": payload, "text": in.Title}
	case "flow":
		return "interactive", object{"type": "nfm_reply", "nfm_reply": object{"name": "flow", "body": "Sent", "response_json": in.Data}}
	case "order":
		return "order", object{"catalog_id": in.Catalog, "text": in.Text, "product_items": in.Items}
	case "location":
		return "location", object{"latitude": in.Latitude, "longitude": in.Longitude, "name": in.Title, "address": in.Description}
	case "reaction":
		return "reaction", object{"message_id": in.Context, "emoji": in.Emoji}
	case "image", "video", "audio", "document", "sticker":
		return in.Type, in.mediaContent(media)
	}
	return "text", object{"body": in.Text}
}

func (in Inbound) mediaContent(id string) object {
	mime := in.MIME
	if mime == "" {
		mime = map[string]string{"image": "image/jpeg", "video": "video/mp4", "audio": "audio/ogg; codecs=opus", "document": "application/pdf", "sticker": "image/webp"}[in.Type]
	}
	out := object{"id": id, "mime_type": mime, "sha256": fmt.Sprintf("%064x", hashString(1, id))}
	if in.Text != "" && in.Type != "audio" && in.Type != "sticker" {
		out["caption"] = in.Text
	}
	if in.Type == "document" {
		out["filename"] = in.Filename
	}
	return out
}

// preference is Meta's user_preferences webhook.
func (in Inbound) preference(num *number, at time.Time) object {
	p := object{"category": "marketing_messages", "value": in.Type, "detail": "User requested to " + in.Type + " marketing messages", "timestamp": at.Unix()}
	contact := object{"profile": object{"name": in.Name}}
	if isUserID(in.From) {
		p["user_id"], contact["user_id"] = in.From, in.From
	} else {
		p["wa_id"], contact["wa_id"] = in.From, in.From
	}
	value := metaValue(num, object{"contacts": []object{contact}, "user_preferences": []object{p}})
	if num.provider == Kaleyra {
		return object{"meta_object": object{"field": "user_preferences", "value": value}, "extra_info": object{"waba_id": AccountID}}
	}
	return object{"object": "whatsapp_business_account", "entry": []object{{
		"id": AccountID, "changes": []object{{"field": "user_preferences", "value": value}},
	}}}
}

// oneMsg is 1msg's normalised message. How a row's id and an order look there
// is not documented; metadata holds Meta's object.
func (in Inbound) oneMsg(id string, at time.Time) object {
	m := object{
		"id": id, "type": in.Type, "body": in.Text, "caption": nil, "fromMe": false, "self": 0, "time": at.Unix(),
		"chatId": chatID(in.From), "author": chatID(in.From), "authorUserName": nil,
		"senderName": in.Name, "chatName": in.Name, "isForwarded": false, "quotedMsgId": nil,
	}
	if in.Context != "" {
		m["quotedMsgId"] = in.Context
	}
	if isUserID(in.From) {
		m["authorBsuid"] = in.From
	}
	switch in.Type {
	case "text", "stop", "resume":
		m["type"] = "chat"
		if in.Type != "text" {
			m["body"] = in.Type
		}
	case "list_reply", "button_reply", "flow", "order":
		m["type"] = "interactive"
		if in.Type == "order" {
			m["type"] = "order"
		}
		_, m["metadata"] = in.content("")
		m["body"] = in.Title
	case "button":
		_, m["metadata"] = in.content("")
		m["body"] = in.Title
	case "image", "video", "audio", "document", "sticker":
		m["body"] = in.Link
		if in.Text != "" {
			m["caption"] = in.Text
		}
	case "location":
		m["body"] = fmt.Sprintf("%g;%g", in.Latitude, in.Longitude)
	case "reaction":
		m["body"] = in.Emoji
	}
	return m
}

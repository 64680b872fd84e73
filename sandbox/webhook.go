package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// dress sets the headers of a provider's webhooks.
func (t WebhookTarget) dress(h http.Header, body []byte) {
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "handbill-sandbox")
	for k, v := range t.Headers {
		h.Set(k, v)
	}
	if t.Provider == Cloud && t.AppSecret != "" {
		h.Set("X-Hub-Signature-256", Signature(t.AppSecret, body))
	}
}

// Signature returns Meta's X-Hub-Signature-256 of a webhook body.
func Signature(appSecret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(appSecret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// targetsOf returns where a number's events go: the targets registered over the
// wire, or else those of the options, or what overrides them.
func (s *Sandbox) targetsOf(num *number) []WebhookTarget {
	if ts, set := num.registered(); set {
		return ts
	}
	var out []WebhookTarget
	for _, t := range s.opt.Webhooks {
		if t.Provider == num.provider && (t.Number == "" || t.Number == num.id) {
			if address := s.override(num.id); num.provider == Cloud && address != "" {
				t.URL = address
			}
			out = append(out, t)
		}
	}
	return out
}

// statusEvent is one status of one message, for all webhook formats.
type statusEvent struct {
	num  *number
	to   string
	ref  string
	refs [2]string
	typ  string
	m    receipt
	Status
}

// scheduleStatuses plans the status webhooks of an accepted message.
func (s *Sandbox) scheduleStatuses(num *number, o *outbound, m receipt, now time.Time, fails int) {
	targets := s.targetsOf(num)
	if len(targets) == 0 {
		return
	}
	for _, t := range targets {
		if num.provider == OneMsg && !num.isRaw(t) {
			s.out.add(t, now, func() []byte { return oneMsgEcho(num, o, m, now) })
		}
		if num.provider == OneMsg && !num.wantsAcks() {
			continue
		}
		for _, st := range s.timeline(m.n, now.Truncate(time.Second), fails) {
			e := statusEvent{num: num, to: o.to, ref: o.ref, refs: o.refs, typ: o.typ, m: m, Status: st}
			s.out.add(t, later(st.At, now), func() []byte { return s.encodeStatus(t, e) })
		}
	}
}

func (n *number) isRaw(t WebhookTarget) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return t.Raw || n.raw
}

func (n *number) wantsAcks() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.acks
}

// must encodes one of our own values; a failure is a bug here.
func must(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("sandbox: encoding a webhook: %v", err))
	}
	return b
}

func (s *Sandbox) encodeStatus(t WebhookTarget, e statusEvent) []byte {
	switch {
	case e.num.provider == Kaleyra:
		return s.kaleyraStatus(e)
	case e.num.provider == OneMsg && !e.num.isRaw(t):
		return oneMsgAck(e)
	}
	return must(metaEnvelope(e.num, object{"statuses": []object{e.object()}}))
}

// object is Meta's status.
func (e statusEvent) object() object {
	out := object{"id": e.m.id, "status": e.Word, "timestamp": strconv.FormatInt(e.At.Unix(), 10)}
	if isUserID(e.to) {
		out["recipient_user_id"] = e.to
	} else {
		out["recipient_id"] = e.to
	}
	if e.ref != "" && e.num.provider != Kaleyra {
		out["biz_opaque_callback_data"] = e.ref
	}
	switch e.Word {
	case "failed":
		r := &refusal{code: e.Code}
		out["errors"] = []object{{
			"code": e.Code, "title": r.title(), "message": r.title(),
			"error_data": object{"details": r.text()}, "href": "/docs/whatsapp/cloud-api/support/error-codes/",
		}}
	case "sent", "delivered":
		category := "service"
		if e.typ == "template" {
			category = "marketing"
		}
		out["pricing"] = object{"billable": true, "pricing_model": "PMP", "type": "regular", "category": category}
	}
	return out
}

func metaValue(num *number, with object) object {
	with["messaging_product"] = "whatsapp"
	with["metadata"] = object{"display_phone_number": num.display, "phone_number_id": num.id}
	return with
}

func metaEnvelope(num *number, with object) object {
	return object{"object": "whatsapp_business_account", "entry": []object{{
		"id": AccountID, "changes": []object{{"field": "messages", "value": metaValue(num, with)}},
	}}}
}

// kaleyraStatus is Kaleyra's status webhook. Its statuses hold Kaleyra's own id;
// message_id holds the wamid. Source: wa-status-update-webhooks-payload-v2-sent,
// read 2026-11-20.
func (s *Sandbox) kaleyraStatus(e statusEvent) []byte {
	st, id := e.object(), kaleyraID(s.key, e.m.n)
	st["id"] = id
	return must(object{
		"meta_object": object{"field": "messages", "value": metaValue(e.num, object{"statuses": []object{st}})},
		"extra_info": object{
			"trace_id": id, "message_id": e.m.id, "waba_id": AccountID, "ref": e.ref, "ref1": e.refs[0], "ref2": e.refs[1],
			"enable_url_tracking_body": false, "enable_url_tracking_button": false,
		},
		"status": e.Word, "message_id": e.m.id,
	})
}

func oneMsgAck(e statusEvent) []byte {
	ack := object{"id": e.m.id, "chatId": chatID(e.to), "userName": nil, "status": e.Word}
	if isUserID(e.to) {
		ack["bsuid"] = e.to
	} else {
		ack["phone"] = e.to
	}
	if e.Word == "failed" {
		ack["error"] = (&refusal{code: e.Code}).title()
	}
	return must(object{"instanceId": e.num.id, "ack": []object{ack}})
}

// oneMsgEcho is the webhook in which 1msg echoes a message that we sent.
func oneMsgEcho(num *number, o *outbound, m receipt, now time.Time) []byte {
	return must(object{"instanceId": num.id, "messages": []object{{
		"id": m.id, "type": "chat", "body": summary(o), "fromMe": true, "self": 1, "time": now.Unix(),
		"chatId": chatID(o.to), "author": num.display + "@c.us", "senderName": num.display + "@c.us",
	}}})
}

// summary returns the text of a message as one string.
func summary(o *outbound) string {
	var c struct {
		Body json.RawMessage `json:"body"`
		Name string          `json:"name"`
	}
	// The content was checked; a shape without these fields leaves them empty.
	_ = json.Unmarshal(o.content, &c)
	var text string
	if json.Unmarshal(c.Body, &text) == nil {
		return text
	}
	var part textPart
	if json.Unmarshal(c.Body, &part) == nil {
		return part.Text
	}
	return c.Name
}

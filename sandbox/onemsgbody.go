package sandbox

import (
	"encoding/json"
	"path"
	"strconv"
	"strings"
)

// oneMsgBody holds the fields of all send methods of 1msg.
type oneMsgBody struct {
	Phone  json.RawMessage `json:"phone"`
	ChatID string          `json:"chatId"`
	Quoted string          `json:"quotedMsgId"`

	Body       string          `json:"body"`
	Header     json.RawMessage `json:"header"`
	Footer     string          `json:"footer"`
	ButtonText string          `json:"buttonText"`
	Action     json.RawMessage `json:"action"`
	Sections   json.RawMessage `json:"sections"`
	Buttons    json.RawMessage `json:"buttons"`
	Cards      json.RawMessage `json:"cards"`

	DisplayText string `json:"displayText"`
	URL         string `json:"url"`

	Namespace string          `json:"namespace"`
	Template  string          `json:"template"`
	Language  json.RawMessage `json:"language"`
	Params    json.RawMessage `json:"params"`
	MMLite    *bool           `json:"useMMlite"`
	Sharing   *bool           `json:"messageActivitySharing"`
	TTL       *int            `json:"messageSendTtlSeconds"`

	Filename  string `json:"filename"`
	Caption   string `json:"caption"`
	MediaID   string `json:"mediaId"`
	MediaType string `json:"mediaType"`
	Voice     *bool  `json:"voice"`

	Lat     json.RawMessage `json:"lat"`
	Lng     json.RawMessage `json:"lng"`
	Name    string          `json:"name"`
	Address string          `json:"address"`

	Contacts json.RawMessage `json:"contacts"`
	MsgID    string          `json:"msgId"`
	Emoji    *string         `json:"emoji"`

	FlowID      string          `json:"flowId"`
	FlowToken   string          `json:"flowToken"`
	FlowCTA     string          `json:"flowCta"`
	FlowAction  string          `json:"flowAction"`
	FlowPayload json.RawMessage `json:"flowActionPayload"`
	FlowVersion string          `json:"flowMessageVersion"`
	Mode        string          `json:"mode"`
}

// oneMsgMethod turns a body into Meta's type and content, as 1msg itself does
// before it passes a message on.
type oneMsgMethod struct {
	fields string // that the body may have beside recipient and quotedMsgId
	to     func(b *oneMsgBody) (typ string, content any, r *refusal)
}

var oneMsgMethods = map[string]oneMsgMethod{
	"sendMessage":         {"body", oneMsgText},
	"sendList":            {"body header footer buttonText action sections", oneMsgList},
	"sendButton":          {"body header footer sections buttons", oneMsgButtons},
	"sendProduct":         {"body header footer action", oneMsgProduct},
	"sendCtaUrl":          {"body header footer displayText url", oneMsgLink},
	"sendTemplate":        {"namespace template language params useMMlite messageActivitySharing messageSendTtlSeconds", oneMsgTemplate},
	"sendFile":            {"body filename caption mediaId mediaType voice", oneMsgFile},
	"sendSticker":         {"body mediaId", oneMsgSticker},
	"sendLocation":        {"lat lng name address", oneMsgLocation},
	"sendContact":         {"contacts", oneMsgContacts},
	"sendReaction":        {"msgId emoji", oneMsgReaction},
	"sendLocationRequest": {"body", oneMsgLocationRequest},
	"sendFlow":            {"body header footer flowId flowToken flowCta flowAction flowActionPayload flowMessageVersion mode", oneMsgFlow},
	"sendCarousel":        {"body cards", oneMsgCarousel},
}

func decodeOneMsg(raw []byte, m oneMsgMethod) (*outbound, *refusal) {
	var present map[string]json.RawMessage
	if err := json.Unmarshal(raw, &present); err != nil {
		return nil, &refusal{code: 100, param: "Invalid parameter", details: "The body is not a JSON object"}
	}
	allowed := " phone chatId quotedMsgId " + m.fields + " "
	for name := range present {
		if !strings.Contains(allowed, " "+name+" ") {
			return nil, unexpected(name, "body")
		}
	}
	var b oneMsgBody
	if r := strict(raw, &b, "body"); r != nil {
		return nil, r
	}
	to, r := b.recipient()
	if r != nil {
		return nil, r
	}
	typ, content, r := m.to(&b)
	if r != nil {
		return nil, r
	}
	encoded, err := json.Marshal(content)
	if err != nil {
		return nil, &refusal{code: 100, param: "Invalid parameter", details: "The body is not valid JSON"}
	}
	return &outbound{to: to, typ: typ, kind: typ, content: encoded, context: b.Quoted}, nil
}

// recipient takes exactly one of phone and chatId.
func (b *oneMsgBody) recipient() (string, *refusal) {
	phone := strings.Trim(string(b.Phone), `"`)
	switch {
	case (phone == "") == (b.ChatID == ""):
		return "", &refusal{code: 100, param: "exactly one of phone and chatId is required"}
	case phone != "":
		if strings.Trim(phone, "0123456789") != "" || len(phone) < 7 || len(phone) > 15 {
			return "", &refusal{code: 100, param: "phone must be digits with the country code, without +"}
		}
		return phone, nil
	}
	if id, ok := strings.CutSuffix(b.ChatID, "@lid"); ok && isUserID(id) {
		return id, nil
	}
	id, ok := strings.CutSuffix(b.ChatID, "@c.us")
	if !ok || id == "" || strings.Trim(id, "0123456789") != "" {
		return "", &refusal{code: 100, param: "chatId must be like 12345678901@c.us"}
	}
	return id, nil
}

type object = map[string]any

// dressed builds an interactive message with those of header, body and footer
// that are given.
func (b *oneMsgBody) dressed(typ string, action any) object {
	out := object{"type": typ, "action": action}
	var title string
	switch {
	case json.Unmarshal(b.Header, &title) == nil && title != "":
		out["header"] = object{"type": "text", "text": title}
	case b.Header != nil && string(b.Header) != `""`:
		out["header"] = b.Header
	}
	if b.Body != "" {
		out["body"] = object{"text": b.Body}
	}
	if b.Footer != "" {
		out["footer"] = object{"text": b.Footer}
	}
	return out
}

func oneMsgText(b *oneMsgBody) (string, any, *refusal) {
	return "text", object{"body": b.Body}, nil
}

// oneMsgList builds a list. The documentation does not say whether buttonText or
// action is the label, so both must keep its limit, and buttonText is shown.
func oneMsgList(b *oneMsgBody) (string, any, *refusal) {
	var action string
	if b.Action != nil && json.Unmarshal(b.Action, &action) != nil {
		return "", nil, &refusal{code: 100, param: "Param action must be a string"}
	}
	label := b.ButtonText
	if label == "" {
		label = action
	}
	if length(action) > maxListButton {
		return "", nil, invalid("Button label length invalid. Min length: 1, Max length: %d", maxListButton)
	}
	return "interactive", b.dressed("list", object{"button": label, "sections": orNull(b.Sections)}), nil
}

func orNull(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return json.RawMessage("null")
	}
	return raw
}

// oneMsgButtons builds reply buttons. Their field is sections; buttons is an
// alias with flat entries.
func oneMsgButtons(b *oneMsgBody) (string, any, *refusal) {
	buttons := b.Sections
	if buttons == nil && b.Buttons != nil {
		var flat []struct{ ID, Title string }
		if r := strict(b.Buttons, &flat, "buttons"); r != nil {
			return "", nil, r
		}
		list := []object{}
		for _, f := range flat {
			list = append(list, object{"type": "reply", "reply": object{"id": f.ID, "title": f.Title}})
		}
		return "interactive", b.dressed("button", object{"buttons": list}), nil
	}
	return "interactive", b.dressed("button", object{"buttons": orNull(buttons)}), nil
}

func oneMsgProduct(b *oneMsgBody) (string, any, *refusal) {
	var a productAction
	if r := strict(orNull(b.Action), &a, "action"); r != nil {
		return "", nil, r
	}
	typ := "product"
	if a.Sections != nil {
		typ = "product_list"
	}
	return "interactive", b.dressed(typ, orNull(b.Action)), nil
}

func oneMsgLink(b *oneMsgBody) (string, any, *refusal) {
	return "interactive", b.dressed("cta_url", object{"name": "cta_url", "parameters": object{"display_text": b.DisplayText, "url": b.URL}}), nil
}

func oneMsgTemplate(b *oneMsgBody) (string, any, *refusal) {
	if b.Template == "" || b.Language == nil {
		return "", nil, &refusal{code: 132001, details: "template, language or namespace is missing"}
	}
	out := object{"name": b.Template, "language": b.Language}
	if b.Params != nil {
		out["components"] = b.Params
	}
	return "template", out, nil
}

func oneMsgFile(b *oneMsgBody) (string, any, *refusal) {
	typ, out := b.MediaType, object{}
	switch {
	case b.MediaID != "" && b.Body != "":
		return "", nil, &refusal{code: 100, param: "body or mediaId, not both"}
	case b.MediaID != "":
		out["id"] = b.MediaID
	case strings.HasPrefix(b.Body, "data:"):
		mime, _, found := strings.Cut(strings.TrimPrefix(b.Body, "data:"), ";base64,")
		if !found {
			return "", nil, invalid("body is not a data URI")
		}
		typ = mediaTypeOf("." + mime[strings.LastIndex(mime, "/")+1:])
		out["id"] = strconv.FormatUint(hashString(0, b.Body), 10)
	default:
		out["link"] = b.Body
		name := b.Filename
		if name == "" {
			name, _, _ = strings.Cut(b.Body, "?")
		}
		typ = mediaTypeOf(path.Ext(name))
	}
	if b.Caption != "" && typ != "audio" {
		out["caption"] = b.Caption
	}
	if typ == "document" && b.Filename != "" {
		out["filename"] = b.Filename
	}
	if typ == "audio" && b.Voice != nil {
		out["voice"] = *b.Voice
	}
	return typ, out, nil
}

func mediaTypeOf(ext string) string {
	switch strings.ToLower(ext) {
	case ".jpg", ".jpeg", ".png":
		return "image"
	case ".mp4", ".3gp":
		return "video"
	case ".aac", ".amr", ".mp3", ".m4a", ".ogg", ".mpeg":
		return "audio"
	}
	return "document"
}

func oneMsgSticker(b *oneMsgBody) (string, any, *refusal) {
	if b.MediaID != "" {
		return "sticker", object{"id": b.MediaID}, nil
	}
	return "sticker", object{"link": b.Body}, nil
}

func oneMsgLocation(b *oneMsgBody) (string, any, *refusal) {
	if b.Lat == nil || b.Lng == nil {
		return "", nil, &refusal{code: 100, param: "lat and lng are required"}
	}
	out := object{"latitude": b.Lat, "longitude": b.Lng}
	if b.Name != "" {
		out["name"] = b.Name
	}
	if b.Address != "" {
		out["address"] = b.Address
	}
	return "location", out, nil
}

func oneMsgContacts(b *oneMsgBody) (string, any, *refusal) {
	return "contacts", orNull(b.Contacts), nil
}

func oneMsgReaction(b *oneMsgBody) (string, any, *refusal) {
	out := object{"message_id": b.MsgID}
	if b.Emoji != nil {
		out["emoji"] = *b.Emoji
	}
	return "reaction", out, nil
}

func oneMsgLocationRequest(b *oneMsgBody) (string, any, *refusal) {
	return "interactive", b.dressed("location_request_message", object{"name": "send_location"}), nil
}

func oneMsgFlow(b *oneMsgBody) (string, any, *refusal) {
	p := object{"flow_message_version": b.FlowVersion, "flow_id": b.FlowID, "flow_cta": b.FlowCTA}
	for name, v := range map[string]string{"flow_token": b.FlowToken, "flow_action": b.FlowAction, "mode": b.Mode} {
		if v != "" {
			p[name] = v
		}
	}
	if b.FlowVersion == "" {
		p["flow_message_version"] = "3"
	}
	if b.FlowPayload != nil {
		p["flow_action_payload"] = b.FlowPayload
	}
	return "interactive", b.dressed("flow", object{"name": "flow", "parameters": p}), nil
}

func oneMsgCarousel(b *oneMsgBody) (string, any, *refusal) {
	return "interactive", b.dressed("carousel", object{"cards": orNull(b.Cards)}), nil
}

package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// outbound is one decoded send in Meta's shape, whatever its wire format.
type outbound struct {
	to      string // digits, or a business-scoped user id
	kind    string // "text", "list", "template", …: the interactive type where there is one
	typ     string // Meta's type
	ref     string // biz_opaque_callback_data or extra_info.ref
	refs    [2]string
	context string // quoted message
	content json.RawMessage
}

// envelope is the outer object of a send. Source: Meta OpenAPI v23.0 and
// messages/send-messages, read 2026-09-11.
type envelope struct {
	MessagingProduct string         `json:"messaging_product"`
	RecipientType    string         `json:"recipient_type"`
	To               *string        `json:"to"`
	Recipient        string         `json:"recipient"`
	Type             string         `json:"type"`
	Context          *quotedMessage `json:"context"`
	Opaque           *string        `json:"biz_opaque_callback_data"`
	IdentityKey      string         `json:"recipient_identity_key_hash"`
	Category         string         `json:"category"`

	Text        json.RawMessage `json:"text"`
	Image       json.RawMessage `json:"image"`
	Video       json.RawMessage `json:"video"`
	Audio       json.RawMessage `json:"audio"`
	Document    json.RawMessage `json:"document"`
	Sticker     json.RawMessage `json:"sticker"`
	Location    json.RawMessage `json:"location"`
	Contacts    json.RawMessage `json:"contacts"`
	Reaction    json.RawMessage `json:"reaction"`
	Interactive json.RawMessage `json:"interactive"`
	Template    json.RawMessage `json:"template"`

	// marketing_messages only
	ProductPolicy *string `json:"product_policy"`
	Sharing       *bool   `json:"message_activity_sharing"`
	TTL           *int    `json:"ttl"`
}

type quotedMessage struct {
	MessageID string `json:"message_id"`
}

// content returns the object that the type names, and how many other content
// objects the envelope has.
func (e *envelope) content() (json.RawMessage, int) {
	var named json.RawMessage
	others := 0
	for _, c := range []struct {
		name string
		raw  json.RawMessage
	}{
		{"text", e.Text}, {"image", e.Image}, {"video", e.Video}, {"audio", e.Audio}, {"document", e.Document},
		{"sticker", e.Sticker}, {"location", e.Location}, {"contacts", e.Contacts}, {"reaction", e.Reaction},
		{"interactive", e.Interactive}, {"template", e.Template},
	} {
		switch {
		case c.name == e.Type:
			named = c.raw
		case c.raw != nil:
			others++
		}
	}
	return named, others
}

// decodeObject reads Meta's messages object and checks the envelope. marketing
// says that the body came to marketing_messages.
func decodeObject(body []byte, marketing bool) (*outbound, *refusal) {
	var e envelope
	if r := strict(body, &e, "message"); r != nil {
		return nil, r
	}
	if r := e.check(marketing); r != nil {
		return nil, r
	}
	content, others := e.content()
	if content == nil {
		return nil, required(e.Type)
	}
	if others > 0 {
		return nil, &refusal{code: 100, param: "Invalid parameter", details: "content objects beside the one that type names"}
	}
	o := &outbound{typ: e.Type, kind: e.Type, content: content}
	if e.To != nil && *e.To != "" {
		o.to = digitsOf(*e.To)
	} else {
		o.to = e.Recipient
	}
	if e.Opaque != nil {
		o.ref = *e.Opaque
	}
	if e.Context != nil {
		o.context = e.Context.MessageID
	}
	return o, nil
}

func (e *envelope) check(marketing bool) *refusal {
	switch {
	case e.MessagingProduct == "":
		return required("messaging_product")
	case e.MessagingProduct != "whatsapp":
		return &refusal{code: 100, param: "Param messaging_product must be one of {WHATSAPP}"}
	case e.RecipientType != "" && e.RecipientType != "individual" && e.RecipientType != "group":
		return &refusal{code: 100, param: "Param recipient_type must be one of {individual, group}"}
	case e.Type == "":
		return required("type")
	case e.Opaque != nil && length(*e.Opaque) > maxOpaque:
		return &refusal{code: 100, param: "biz_opaque_callback_data is too long", details: "Max length is 512"}
	case marketing && e.Type != "template":
		return &refusal{code: 131055, details: "only marketing templates may be sent here"}
	case !marketing && (e.ProductPolicy != nil || e.Sharing != nil || e.TTL != nil):
		return unexpected("product_policy", "message")
	case e.Context != nil && e.Context.MessageID == "":
		return required("context['message_id']")
	}
	return e.checkRecipient()
}

func (e *envelope) checkRecipient() *refusal {
	if e.To == nil || *e.To == "" {
		if e.Recipient == "" {
			return required("to")
		}
		return nil
	}
	if e.RecipientType == "group" {
		return nil
	}
	if strings.Trim(*e.To, "+-() 0123456789") != "" {
		return &refusal{code: 131009, details: "to is not a phone number"}
	}
	if n := len(digitsOf(*e.To)); n < 7 || n > 15 {
		return &refusal{code: 131009, details: "to is not a phone number"}
	}
	return nil
}

// strict decodes JSON and refuses unknown fields.
func strict(body []byte, into any, on string) *refusal {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			return &refusal{code: 100, param: "Invalid parameter", details: "text after the JSON object"}
		}
		return nil
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return &refusal{code: 100, param: "Param " + on + "." + wrong.Field + " must be of type " + wrong.Type.String() + ", not " + wrong.Value}
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return unexpected(strings.Trim(name, `"`), on)
	}
	return &refusal{code: 100, param: "Invalid parameter", details: "The body is not valid JSON"}
}

// digitsOf keeps the digits of a phone number.
func digitsOf(s string) string {
	clean := true
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			b = append(b, s[i])
		}
	}
	return string(b)
}

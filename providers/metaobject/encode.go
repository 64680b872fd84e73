// Package metaobject holds what Meta's Cloud API, 360dialog and Kaleyra share:
// Meta's message object, its answers and error codes, and its webhooks.
package metaobject

import (
	"encoding/json"
	"errors"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
)

// writer writes Meta's message object.
type writer struct{ providers.Writer }

// Encode writes m as Meta's message object, in a fixed order of keys. ref goes
// into biz_opaque_callback_data; "" leaves it out.
// Source: Meta, messages/send-messages and the pages below it, 2026-09-11.
func Encode(to message.Address, m message.Message, ref string) ([]byte, error) {
	w := &writer{}
	w.Open('{')
	w.Field("messaging_product", "whatsapp")
	w.Field("recipient_type", "individual")
	switch {
	case to.Phone != "":
		w.Field("to", to.Phone)
	case to.UserID != "":
		w.Field("recipient", to.UserID)
	default:
		return nil, errors.New("a message needs a phone number or a user id")
	}
	around := message.EnvelopeOf(m)
	w.Optional("recipient_identity_key_hash", around.IdentityKeyHash)
	if around.Quote != "" {
		w.Begin("context", '{')
		w.Field("message_id", around.Quote)
		w.Close('}')
	}
	w.message(m)
	w.policy(m)
	w.Optional("biz_opaque_callback_data", ref)
	w.Close('}')
	return w.Bytes(), w.Err()
}

// Path returns where Encode's bodies go, below the number's URL: marketing
// templates may have a separate path.
// Source: Meta, marketing-messages/send-marketing-messages, 2026-09-11; the same
// at 360dialog, technical details for MM API, 2026-11-20.
func Path(m message.Message) string {
	if t, ok := m.(*message.Template); ok && t.Marketing != "" {
		return "/marketing_messages"
	}
	return "/messages"
}

// policy writes the fields that only Marketing Messages accepts.
func (w *writer) policy(m message.Message) {
	t, ok := m.(*message.Template)
	if !ok {
		return
	}
	switch t.Marketing {
	case "":
	case message.MarketingFallback:
		w.Field("product_policy", "CLOUD_API_FALLBACK")
	case message.MarketingStrict:
		w.Field("product_policy", "STRICT")
	default:
		w.Fail("Marketing Messages has no policy %q", t.Marketing)
	}
}

func (w *writer) message(m message.Message) {
	switch m := m.(type) {
	case *message.Text:
		w.text(m)
	case *message.Media:
		w.media(m)
	case *message.Location:
		w.Field("type", "location")
		w.Key("location")
		w.location(m)
	case *message.Contacts:
		w.contacts(m)
	case *message.Reaction:
		w.Field("type", "reaction")
		w.Begin("reaction", '{')
		w.Field("message_id", m.MessageID)
		w.Field("emoji", m.Emoji)
		w.Close('}')
	case *message.Template:
		w.Field("type", "template")
		w.Key("template")
		w.template(m)
	default:
		w.Field("type", "interactive")
		w.Begin("interactive", '{')
		w.interactive(m)
		w.Close('}')
	}
}

func (w *writer) text(m *message.Text) {
	w.Field("type", "text")
	w.Begin("text", '{')
	if m.PreviewURL {
		w.Key("preview_url")
		w.Raw("true")
	}
	w.Field("body", m.Body)
	w.Close('}')
}

func (w *writer) media(m *message.Media) {
	w.Field("type", string(m.Type))
	w.Begin(string(m.Type), '{')
	w.reference(&m.MediaRef)
	w.Optional("caption", m.Caption)
	if m.Voice {
		w.Key("voice")
		w.Raw("true")
	}
	w.Close('}')
}

// reference writes the fields that refer to a medium, without braces.
func (w *writer) reference(m *message.MediaRef) {
	if m.ID != "" {
		w.Field("id", m.ID)
	} else {
		w.Field("link", m.Link)
	}
	w.Optional("filename", m.Filename)
}

// mediaParameter is {"type":"image","image":{…}}.
func (w *writer) mediaParameter(m *message.MediaRef) {
	w.Open('{')
	w.Field("type", string(m.Type))
	w.Begin(string(m.Type), '{')
	w.reference(m)
	w.Close('}')
	w.Close('}')
}

func (w *writer) location(m *message.Location) {
	w.Open('{')
	w.Field("latitude", m.Latitude)
	w.Field("longitude", m.Longitude)
	w.Optional("name", m.Name)
	w.Optional("address", m.Address)
	w.Close('}')
}

func (w *writer) contacts(m *message.Contacts) {
	w.Field("type", "contacts")
	w.Key("contacts")
	w.Raw(string(AppendContacts(nil, m.Cards)))
}

// number writes digits as a JSON number.
func (w *writer) number(key, digits string) {
	if !isInteger(digits) {
		w.Fail("%s: expected a whole number, got %d characters that are not one", key, len(digits))
		return
	}
	w.Key(key)
	w.Raw(digits)
}

// isInteger reports whether s is a JSON integer.
func isInteger(s string) bool {
	var n json.Number
	if len(s) == 0 || s[0] == '"' || json.Unmarshal([]byte(s), &n) != nil {
		return false
	}
	_, err := n.Int64()
	return err == nil
}

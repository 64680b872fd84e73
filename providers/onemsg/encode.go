package onemsg

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
)

// Encode builds the body of m's own method. 1msg has no place for a reference.
func (p *Provider) Encode(to message.Address, m message.Message, _ string) (message.Request, error) {
	w := &writer{}
	w.Open('{')
	w.recipient(to)
	w.around(message.EnvelopeOf(m))
	method := w.method(m, p.config.MMLite)
	w.Close('}')
	if err := w.Err(); err != nil {
		return message.Request{}, err
	}
	return message.Request{Path: "/" + method, Body: w.Bytes()}, nil
}

type writer struct{ providers.Writer }

// recipient writes digits without "+", as in 1msg's own examples, or the chat of a
// user id.
func (w *writer) recipient(to message.Address) {
	switch {
	case to.Phone != "":
		w.Field("phone", strings.TrimPrefix(to.Phone, "+"))
	case to.UserID != "":
		w.Field("chatId", to.UserID+"@lid")
	default:
		w.Fail("a message needs a phone number or a user id")
	}
}

// around writes the fields of the envelope.
func (w *writer) around(e message.Envelope) {
	w.Optional("quotedMsgId", e.Quote)
	if e.IdentityKeyHash != "" {
		w.Fail("1msg has no field for identity_key_hash")
	}
}

// method writes the fields of m and names its method.
func (w *writer) method(m message.Message, mmLite *bool) string {
	switch m := m.(type) {
	case *message.Text:
		w.Field("body", m.Body)
		return "sendMessage"
	case *message.List:
		w.list(m)
		return "sendList"
	case *message.Buttons:
		w.buttons(m)
		return "sendButton"
	case *message.Link:
		w.dress(m.Header, m.Body, m.Footer)
		w.Field("displayText", m.Button)
		w.Field("url", m.URL)
		return "sendCtaUrl"
	case *message.Media:
		return w.media(m)
	case *message.Product:
		w.product(m)
		return "sendProduct"
	case *message.ProductList:
		w.productList(m)
		return "sendProduct"
	case *message.Template:
		w.template(m, mmLite)
		return "sendTemplate"
	case *message.Flow:
		w.flow(m)
		return "sendFlow"
	case *message.Location:
		w.location(m)
		return "sendLocation"
	}
	return w.rare(m)
}

// rare writes the messages whose fields 1msg does not document.
func (w *writer) rare(m message.Message) string {
	switch m := m.(type) {
	case *message.Contacts:
		w.Key("contacts")
		w.Raw(string(metaobject.AppendContacts(nil, m.Cards)))
		return "sendContact"
	case *message.Reaction:
		w.Field("msgId", m.MessageID)
		w.Field("emoji", m.Emoji)
		return "sendReaction"
	case *message.LocationRequest:
		w.Field("body", m.Body)
		return "sendLocationRequest"
	case *message.Carousel:
		w.Field("body", m.Body)
		w.Key("cards")
		w.Raw(string(metaobject.CarouselCards(m.Cards)))
		return "sendCarousel"
	}
	w.Fail("1msg can't carry a %s: %s", m.Kind(), kinds()[m.Kind()].Note)
	return ""
}

// list writes the label into both buttonText and action, since 1msg does not
// document which one it is. Only the documentation of 2023 has header and footer.
func (w *writer) list(m *message.List) {
	w.Optional("header", m.Header)
	w.Field("body", m.Body)
	w.Optional("footer", m.Footer)
	w.Field("buttonText", m.Button)
	w.Field("action", m.Button)
	w.Begin("sections", '[')
	for i := range m.Sections {
		s := &m.Sections[i]
		w.Open('{')
		w.Optional("title", s.Title)
		w.Begin("rows", '[')
		for j := range s.Rows {
			w.Open('{')
			w.Field("id", s.Rows[j].ID)
			w.Field("title", s.Rows[j].Title)
			w.Optional("description", s.Rows[j].Description)
			w.Close('}')
		}
		w.Close(']')
		w.Close('}')
	}
	w.Close(']')
}

// dress writes header, body and footer; the header is Meta's object.
func (w *writer) dress(h message.Header, body, footer string) {
	if h.Text != "" || h.Media != nil {
		w.Key("header")
		w.Raw(string(metaobject.AppendHeader(nil, h)))
	}
	w.Optional("body", body)
	w.Optional("footer", footer)
}

// buttons writes reply buttons; 1msg calls their array sections.
func (w *writer) buttons(m *message.Buttons) {
	w.dress(m.Header, m.Body, m.Footer)
	w.Begin("sections", '[')
	for _, b := range m.Buttons {
		w.Open('{')
		w.Field("type", "reply")
		w.Begin("reply", '{')
		w.Field("id", b.ID)
		w.Field("title", b.Title)
		w.Close('}')
		w.Close('}')
	}
	w.Close(']')
}

func (w *writer) product(m *message.Product) {
	w.Optional("body", m.Body)
	w.Optional("footer", m.Footer)
	w.Begin("action", '{')
	w.Field("catalog_id", m.CatalogID)
	w.Field("product_retailer_id", m.ProductID)
	w.Close('}')
}

func (w *writer) productList(m *message.ProductList) {
	w.Field("header", m.Header)
	w.Field("body", m.Body)
	w.Optional("footer", m.Footer)
	w.Begin("action", '{')
	w.Field("catalog_id", m.CatalogID)
	metaobject.WriteProductSections(&w.Writer, m.Sections)
	w.Close('}')
}

// template writes Meta's components as params. It leaves out the namespace, which
// the OpenAPI of 2023 requires, as a production user does (ebor94/1msg).
func (w *writer) template(m *message.Template, mmLite *bool) {
	components, err := metaobject.Components(m)
	if err != nil {
		w.Fail("%w", err)
	}
	w.Field("template", m.Name)
	w.Begin("language", '{')
	w.Field("policy", "deterministic")
	w.Field("code", m.Language)
	w.Close('}')
	if len(components) > len("[]") {
		w.Key("params")
		w.Raw(string(components))
	}
	if m.Marketing != "" {
		on := true
		mmLite = &on
	}
	if mmLite != nil {
		w.Key("useMMlite")
		w.Raw(fmt.Sprint(*mmLite))
	}
}

func (w *writer) flow(m *message.Flow) {
	if m.FlowID == "" {
		w.Fail("1msg takes a flow by its id only; set flow_id")
		return
	}
	if m.Header.Media != nil {
		w.Fail("1msg takes a text only as the header of a flow_message")
		return
	}
	w.Field("body", m.Body)
	w.Optional("header", m.Header.Text)
	w.Optional("footer", m.Footer)
	w.Field("flowId", m.FlowID)
	w.Optional("flowToken", m.Token)
	w.Field("flowCta", m.Button)
	w.Optional("flowAction", m.Action)
	if m.Screen != "" {
		w.Begin("flowActionPayload", '{')
		w.Field("screen", m.Screen)
		if m.Data != "" {
			w.Object("data", m.Data)
		}
		w.Close('}')
	}
	w.Field("flowMessageVersion", "3")
	w.Optional("mode", m.Mode)
}

func (w *writer) location(m *message.Location) {
	w.Field("lat", m.Latitude)
	w.Field("lng", m.Longitude)
	w.Optional("address", m.Address)
	w.Optional("name", m.Name)
}

// media always writes a file name: sendFile derives the type of a link from it.
func (w *writer) media(m *message.Media) string {
	if m.Type == message.Sticker {
		if m.ID != "" {
			w.Field("mediaId", m.ID)
		} else {
			w.Field("body", m.Link)
		}
		return "sendSticker"
	}
	if m.ID != "" {
		w.Field("mediaId", m.ID)
		w.Field("mediaType", string(m.Type))
		w.Optional("filename", m.Filename)
	} else {
		w.Field("body", m.Link)
		w.Field("filename", filename(&m.MediaRef))
	}
	w.Optional("caption", m.Caption)
	if m.Voice {
		w.Key("voice")
		w.Raw("true")
	}
	return "sendFile"
}

// filename returns the medium's own name, or the link's last part if that has an
// extension of the medium's type, or else a name that shows the type.
func filename(m *message.MediaRef) string {
	if m.Filename != "" {
		return m.Filename
	}
	extensions := map[message.MediaType][]string{
		message.Image: {".jpg", ".jpeg", ".png"}, message.Video: {".mp4", ".3gp"},
		message.Audio:    {".mp3", ".ogg", ".aac", ".amr", ".m4a"},
		message.Document: {".pdf", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".txt"},
	}[m.Type]
	if u, err := url.Parse(m.Link); err == nil {
		base := path.Base(u.Path)
		if slices.Contains(extensions, strings.ToLower(path.Ext(base))) {
			return base
		}
	}
	if len(extensions) == 0 {
		return string(m.Type)
	}
	return string(m.Type) + extensions[0]
}

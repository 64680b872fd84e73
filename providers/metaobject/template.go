package metaobject

import (
	"strconv"

	"github.com/handbill/handbill/message"
)

// index writes a card's position.
func (w *writer) index(i int) {
	w.Key("card_index")
	w.Raw(strconv.Itoa(i))
}

func (w *writer) template(m *message.Template) {
	w.Open('{')
	w.Field("name", m.Name)
	w.Begin("language", '{')
	w.Field("code", m.Language)
	w.Close('}')
	c, err := Components(m)
	if err != nil {
		w.Fail("%w", err)
	}
	if len(c) > len("[]") {
		w.Key("components")
		w.Raw(string(c))
	}
	w.Close('}')
}

// Components returns the components of a template as in Meta's message object and
// formats derived from it; "[]" for none.
// Source: Meta, templates/components and the pages of each kind, 2026-09-11.
func Components(m *message.Template) ([]byte, error) {
	w := &writer{}
	w.Open('[')
	w.components(m.Header, m.Body)
	if m.Offer != nil {
		w.offer(m.Offer)
	}
	if len(m.Cards) > 0 {
		w.cards(m.Cards)
	}
	w.templateButtons(m.Buttons)
	w.Close(']')
	return w.Bytes(), w.Err()
}

// components writes header and body.
func (w *writer) components(h *message.TemplateHeader, body []message.TemplateParameter) {
	if h != nil {
		w.component("header")
		w.header(h)
		w.Close(']')
		w.Close('}')
	}
	if len(body) > 0 {
		w.component("body")
		for i := range body {
			w.parameter(&body[i])
		}
		w.Close(']')
		w.Close('}')
	}
}

// component opens {"type":…,"parameters":[.
func (w *writer) component(kind string) {
	w.Open('{')
	w.Field("type", kind)
	w.Begin("parameters", '[')
}

func (w *writer) header(h *message.TemplateHeader) {
	switch {
	case h.Text != nil:
		w.parameter(h.Text)
	case h.Media != nil:
		w.mediaParameter(h.Media)
	case h.Location != nil:
		w.Open('{')
		w.Field("type", "location")
		w.Key("location")
		w.location(h.Location)
		w.Close('}')
	case h.Product != nil:
		w.Open('{')
		w.Field("type", "product")
		w.Begin("product", '{')
		w.Field("product_retailer_id", h.Product.ProductID)
		w.Field("catalog_id", h.Product.CatalogID)
		w.Close('}')
		w.Close('}')
	}
}

func (w *writer) parameter(p *message.TemplateParameter) {
	w.Open('{')
	switch {
	case p.Currency != nil:
		w.Field("type", "currency")
		w.Optional("parameter_name", p.Name)
		w.Begin("currency", '{')
		w.Field("fallback_value", p.Currency.Fallback)
		w.Field("code", p.Currency.Code)
		w.number("amount_1000", p.Currency.Amount1000)
		w.Close('}')
	case p.DateTime != "":
		w.Field("type", "date_time")
		w.Optional("parameter_name", p.Name)
		w.Begin("date_time", '{')
		w.Field("fallback_value", p.DateTime)
		w.Close('}')
	default:
		w.Field("type", "text")
		w.Optional("parameter_name", p.Name)
		w.Field("text", p.Text)
	}
	w.Close('}')
}

func (w *writer) offer(o *message.TemplateOffer) {
	w.component("limited_time_offer")
	w.Open('{')
	w.Field("type", "limited_time_offer")
	w.Begin("limited_time_offer", '{')
	w.number("expiration_time_ms", o.Expires)
	w.Close('}')
	w.Close('}')
	w.Close(']')
	w.Close('}')
}

func (w *writer) cards(cards []message.TemplateCard) {
	w.Open('{')
	w.Field("type", "carousel")
	w.Begin("cards", '[')
	for i := range cards {
		w.Open('{')
		w.index(i)
		w.Begin("components", '[')
		w.components(cards[i].Header, cards[i].Body)
		w.templateButtons(cards[i].Buttons)
		w.Close(']')
		w.Close('}')
	}
	w.Close(']')
	w.Close('}')
}

// templateButtons writes one component for each button. Meta's samples write
// the index as a string for some types and as a number for others and accept
// both; its OpenAPI says string.
func (w *writer) templateButtons(buttons []message.TemplateButton) {
	for i := range buttons {
		b := &buttons[i]
		w.Open('{')
		w.Field("type", "button")
		w.Field("sub_type", string(b.Type))
		w.Field("index", strconv.Itoa(b.Index))
		if b.Type != message.TemplateVoiceCall || b.Text != "" {
			w.Begin("parameters", '[')
			w.buttonParameter(b)
			w.Close(']')
		}
		w.Close('}')
	}
}

func (w *writer) buttonParameter(b *message.TemplateButton) {
	w.Open('{')
	switch b.Type {
	case message.TemplateQuickReply, message.TemplateVoiceCall:
		w.Field("type", "payload")
		w.Field("payload", b.Text)
	case message.TemplateURL:
		w.Field("type", "text")
		w.Field("text", b.Text)
	case message.TemplateCopyCode:
		w.Field("type", "coupon_code")
		w.Field("coupon_code", b.Text)
	case message.TemplateCatalog, message.TemplateMultiProduct, message.TemplateFlow:
		w.Field("type", "action")
		w.Begin("action", '{')
		w.buttonAction(b)
		w.Close('}')
	default:
		w.Fail("a template has no button of type %q", b.Type)
	}
	w.Close('}')
}

func (w *writer) buttonAction(b *message.TemplateButton) {
	if b.Type == message.TemplateFlow {
		w.Optional("flow_token", b.Text)
		if b.Data != "" {
			w.Object("flow_action_data", b.Data)
		}
		return
	}
	w.Optional("thumbnail_product_retailer_id", b.Thumbnail)
	if len(b.Sections) > 0 {
		WriteProductSections(&w.Writer, b.Sections)
	}
}

package message

func (m *Template) fields(v *visitor) {
	v.add("template", &m.Name, Field{Limit: "template.name"})
	v.add("language", &m.Language, Field{Limit: "template.language"})
	v.templateHeader(m.Header)
	v.parameters(m.Body)
	v.templateButtons(m.Buttons)
	for i := range m.Cards {
		mark := v.pushAt("card", i)
		v.templateHeader(m.Cards[i].Header)
		v.parameters(m.Cards[i].Body)
		v.templateButtons(m.Cards[i].Buttons)
		v.pop(mark)
	}
	if m.Offer != nil {
		mark := v.push("limited_time_offer")
		v.add("expires", &m.Offer.Expires, Field{Type: FieldNumber, Limit: "lto.expires"})
		v.pop(mark)
	}
}

// templateHeader visits "header.text", "header.image.link",
// "header.latitude", "header.catalog" and the like.
func (v *visitor) templateHeader(h *TemplateHeader) {
	if h == nil {
		return
	}
	mark := v.push("header")
	defer v.pop(mark)
	if h.Text != nil {
		at := v.push("text")
		h.Text.fields(v)
		v.pop(at)
	}
	if h.Media != nil {
		v.media(h.Media)
	}
	if h.Location != nil {
		h.Location.fields(v)
	}
	if h.Product != nil {
		v.add("catalog", &h.Product.CatalogID, Field{Type: FieldID, Limit: "catalog.id"})
		v.add("product", &h.Product.ProductID, Field{Type: FieldID, Limit: "product.id"})
	}
}

func (v *visitor) parameters(list []TemplateParameter) {
	for i := range list {
		mark := v.pushAt("body", i)
		list[i].fields(v)
		v.pop(mark)
	}
}

// fields visits the parameter's own path for a text, and "currency.code",
// "date_time" and the like below it.
func (p *TemplateParameter) fields(v *visitor) {
	v.here(&p.Text, Field{Type: FieldParameter, Limit: "template.parameter", Optional: true})
	v.add("date_time", &p.DateTime, Field{Type: FieldParameter, Limit: "template.parameter", Optional: true})
	if p.Currency == nil {
		return
	}
	mark := v.push("currency")
	v.add("fallback", &p.Currency.Fallback, Field{Type: FieldParameter, Limit: "template.parameter"})
	v.add("code", &p.Currency.Code, Field{Limit: "template.currency.code"})
	v.add("amount_1000", &p.Currency.Amount1000, Field{Type: FieldNumber, Limit: "template.currency.amount_1000"})
	v.pop(mark)
}

// buttonText says which limit bounds a template button's text, and whether its type
// can do without a text.
var buttonText = map[TemplateButtonType]Field{
	TemplateQuickReply:   {Limit: "template.button.payload"},
	TemplateURL:          {Type: FieldParameter, Limit: "template.button.url"},
	TemplateCopyCode:     {Type: FieldParameter, Limit: "coupon_code"},
	TemplateCatalog:      {Limit: "template.button.text_unused", Optional: true},
	TemplateMultiProduct: {Limit: "template.button.text_unused", Optional: true},
	TemplateFlow:         {Limit: "flow.token", Optional: true},
	TemplateVoiceCall:    {Limit: "voice_call.payload", Optional: true},
}

func (v *visitor) templateButtons(list []TemplateButton) {
	for i := range list {
		b := &list[i]
		mark := v.pushAt("button", i)
		text, ok := buttonText[b.Type]
		if !ok {
			text = Field{Limit: "template.button.text_unused", Optional: true}
		}
		v.add("text", &b.Text, text)
		v.add("data", &b.Data, Field{Type: FieldJSON, Limit: "flow.data", Optional: true})
		v.add("thumbnail", &b.Thumbnail, Field{Type: FieldID, Limit: "product.id", Optional: b.Type != TemplateMultiProduct})
		v.productSections(b.Sections)
		v.pop(mark)
	}
}

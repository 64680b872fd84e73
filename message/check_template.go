package message

import "slices"

func (m *Template) rules(b *builder) {
	b.templateHeader("header", m.Header)
	b.parameters(m.bodyLimit(), m.Body)
	b.count("button", "template.buttons", len(m.Buttons))
	b.templateButtons("", m.Buttons)
	b.naming(m)
	b.cards(m)
	if m.Offer != nil {
		b.offer(m)
	}
}

// bodyLimit is the name of the limit of the expanded body, which depends on the
// kind of template.
func (m *Template) bodyLimit() string {
	switch {
	case m.Offer != nil:
		return "template.body.lto"
	case m.Header != nil && m.Header.Product != nil:
		return "template.body.spm"
	}
	return "template.body"
}

// templateHeader demands that a header is exactly one thing.
func (b *builder) templateHeader(path string, h *TemplateHeader) {
	if h == nil {
		return
	}
	kinds := 0
	if h.Text != nil {
		kinds++
		b.parameter(h.Text)
		b.total("template.header.text", path+".text", h.Text)
	}
	if h.Media != nil {
		kinds++
		b.media(h.Media, Image, Video, Document)
	}
	if h.Location != nil {
		kinds++
	}
	if h.Product != nil {
		kinds++
	}
	if kinds != 1 {
		b.fail(path, "template.header.one_of", "A template's header is exactly one of a text, a medium, a location and a product.")
	}
}

// parameters adds the rules of a body's parameters. Together with the template's
// own words they must keep within the named limit.
func (b *builder) parameters(limit string, list []TemplateParameter) {
	for i := range list {
		b.parameter(&list[i])
	}
	if len(list) > 0 {
		b.total(limit, b.path(&list[0].Text), pointers(list)...)
	}
}

// parameter demands that a value is exactly one of a text, an amount and a
// date, and that it is not empty.
func (b *builder) parameter(p *TemplateParameter) {
	if p.Currency != nil {
		b.forbid("template.parameter.one_of", "A parameter is exactly one of a text, a currency and a date_time.", &p.Text, &p.DateTime)
		return
	}
	b.oneOf(b.path(&p.Text), "template.parameter.one_of",
		"A parameter is exactly one of a text, a currency and a date_time, and must not be empty: WhatsApp refuses the message. Handle an empty value with coalesce(...).",
		&p.Text, &p.DateTime)
}

// total bounds the total length of the parameters of one text.
func (b *builder) total(limit, path string, list ...*TemplateParameter) {
	l, source := b.limit(limit)
	if l.Max == 0 {
		return
	}
	var texts []*string
	for _, p := range list {
		texts = append(texts, &p.Text, &p.DateTime)
		if p.Currency != nil {
			texts = append(texts, &p.Currency.Fallback)
		}
	}
	r := b.relation(limit+".max", Error, "", texts...)
	r.path, r.source = path, source
	b.add(&totalRule{r, l.Max})
}

// naming demands that either all parameters of a template have a name, unique
// within their text, or none has.
func (b *builder) naming(m *Template) {
	named, positional := 0, 0
	count := func(list ...*TemplateParameter) {
		for i, p := range list {
			path := b.path(&p.Text)
			switch {
			case p.Name == "":
				positional++
				continue
			case !madeOf(p.Name, "abcdefghijklmnopqrstuvwxyz0123456789_"):
				b.fail(path, "template.parameter.name", "The name of a parameter has only lower-case letters, digits and underscores.")
			case slices.ContainsFunc(list[:i], func(o *TemplateParameter) bool { return o.Name == p.Name }):
				b.fail(path, "template.parameter.name.unique", "Two parameters have the same name.")
			}
			named++
		}
	}
	count(pointers(m.Body)...)
	for i := range m.Cards {
		count(pointers(m.Cards[i].Body)...)
	}
	for _, h := range m.headers() {
		if h.Text != nil {
			count(h.Text)
		}
	}
	if named > 0 && positional > 0 {
		b.fail("body", "template.parameter.mixed", "A template's parameters are either all named or all positional. Named ones are an object in the body and have parameter_name in the header; positional ones are a list and have none.")
	}
}

func pointers(list []TemplateParameter) []*TemplateParameter {
	out := make([]*TemplateParameter, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}

// headers returns the headers of the template and of its cards.
func (m *Template) headers() []*TemplateHeader {
	var list []*TemplateHeader
	if m.Header != nil {
		list = append(list, m.Header)
	}
	for i := range m.Cards {
		if m.Cards[i].Header != nil {
			list = append(list, m.Cards[i].Header)
		}
	}
	return list
}

// templateButtons adds the rules of the buttons at prefix ("" or "card[1].").
func (b *builder) templateButtons(prefix string, list []TemplateButton) {
	byType := map[TemplateButtonType]int{}
	taken := map[int]bool{}
	for i := range list {
		t := &list[i]
		path := prefix + "button[" + itoa(i) + "]"
		byType[t.Type]++
		if t.Index < 0 || t.Index > 9 {
			b.fail(path, "template.button.index", "A button's index is its position in the template's definition, from 0 to 9.")
		}
		if taken[t.Index] {
			b.fail(path, "template.button.index.unique", "Two buttons have the same index.")
		}
		taken[t.Index] = true
		b.templateButton(path, t)
	}
	b.count(prefix+"button", "template.buttons.url", byType[TemplateURL])
	b.count(prefix+"button", "template.buttons.copy_code", byType[TemplateCopyCode])
}

func (b *builder) templateButton(path string, t *TemplateButton) {
	if _, ok := buttonText[t.Type]; !ok {
		b.fail(path, "template.button.type", "The type of a template's button is one of quick_reply, url, copy_code, catalog, mpm, flow and voice_call.")
		return
	}
	if t.Type != TemplateFlow {
		b.forbid("template.button.data.forbidden", "Only a flow button has data.", &t.Data)
	}
	shop := t.Type == TemplateCatalog || t.Type == TemplateMultiProduct
	if shop {
		b.forbid("template.button.text.forbidden", "A catalog or multi-product button has a thumbnail and products, no text.", &t.Text)
	} else {
		b.forbid("template.button.thumbnail.forbidden", "Only a catalog or multi-product button has a thumbnail.", &t.Thumbnail)
	}
	switch {
	case t.Type == TemplateMultiProduct:
		b.productSections(path+".", t.Sections)
	case len(t.Sections) > 0:
		b.fail(path+".section", "template.button.section.forbidden", "Only a multi-product button has sections of products.")
	}
}

// cards demands that all cards of a carousel template have the same shape.
func (b *builder) cards(m *Template) {
	if len(m.Cards) == 0 {
		return
	}
	b.count("card", "template.cards", len(m.Cards))
	for i := range m.Cards {
		c := &m.Cards[i]
		path := "card[" + itoa(i) + "]"
		switch h := c.Header; {
		case h == nil:
			b.fail(path+".header", "template.card.header.required", "A card needs an image, a video or a product as its header.")
		case h.Text != nil || h.Location != nil || h.Media != nil && h.Media.Type == Document:
			b.fail(path+".header", "template.card.header.type", "The header of a card is an image, a video or a product.")
		}
		b.templateHeader(path+".header", c.Header)
		b.parameters("template.card.body", c.Body)
		b.count(path+".button", "template.card.buttons", len(c.Buttons))
		b.templateButtons(path+".", c.Buttons)
		if !sameShape(c, &m.Cards[0]) {
			b.fail(path, "template.cards.same", "All cards of a template have the same kind of header, the same number of parameters and the same buttons; this one differs from the first.")
		}
	}
}

func sameShape(a, b *TemplateCard) bool {
	return headerKind(a.Header) == headerKind(b.Header) && len(a.Body) == len(b.Body) &&
		slices.EqualFunc(a.Buttons, b.Buttons, func(x, y TemplateButton) bool {
			return x.Type == y.Type && x.Index == y.Index
		})
}

func headerKind(h *TemplateHeader) string {
	switch {
	case h == nil:
		return ""
	case h.Media != nil:
		return string(h.Media.Type)
	case h.Product != nil:
		return "product"
	case h.Location != nil:
		return "location"
	}
	return "text"
}

// offer adds the rules of a limited-time offer.
func (b *builder) offer(m *Template) {
	if h := m.Header; h != nil && (h.Media == nil || h.Media.Type == Document) {
		b.fail("header", "lto.header", "A limited-time offer has an image or a video as its header, or none.")
	}
	if len(m.Cards) > 0 {
		b.fail("card", "lto.cards", "A limited-time offer has no cards.")
	}
	for i, t := range m.Buttons {
		path := "button[" + itoa(i) + "]"
		switch {
		case t.Type == TemplateCopyCode && t.Index != 0:
			b.fail(path, "lto.button.order", "In a limited-time offer the button that copies the code comes first, with index 0.")
		case t.Type != TemplateCopyCode && t.Type != TemplateURL:
			b.fail(path, "lto.button.type", "A limited-time offer has a button that copies a code and one with a URL, and no other.")
		}
	}
}

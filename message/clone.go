package message

import "slices"

// shallow copies *p. That is enough for kinds that hold only strings, numbers and
// flags.
func shallow[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

func (h Header) clone() Header {
	h.Media = shallow(h.Media)
	return h
}

func (m *Text) clone() Message                  { return shallow(m) }
func (m *Media) clone() Message                 { return shallow(m) }
func (m *LocationRequest) clone() Message       { return shallow(m) }
func (m *Product) clone() Message               { return shallow(m) }
func (m *Catalog) clone() Message               { return shallow(m) }
func (m *Location) clone() Message              { return shallow(m) }
func (m *Reaction) clone() Message              { return shallow(m) }
func (m *Call) clone() Message                  { return shallow(m) }
func (m *CallPermissionRequest) clone() Message { return shallow(m) }
func (m *ContactRequest) clone() Message        { return shallow(m) }

func (m *List) clone() Message {
	c := *m
	c.Sections = slices.Clone(m.Sections)
	for i := range c.Sections {
		c.Sections[i].Rows = slices.Clone(c.Sections[i].Rows)
	}
	return &c
}

func (m *Buttons) clone() Message {
	c := *m
	c.Header = m.Header.clone()
	c.Buttons = slices.Clone(m.Buttons)
	return &c
}

func (m *Link) clone() Message {
	c := *m
	c.Header = m.Header.clone()
	return &c
}

func (m *ProductList) clone() Message {
	c := *m
	c.Sections = cloneSections(m.Sections)
	return &c
}

func cloneSections(list []ProductSection) []ProductSection {
	list = slices.Clone(list)
	for i := range list {
		list[i].Products = slices.Clone(list[i].Products)
	}
	return list
}

func (m *Flow) clone() Message {
	c := *m
	c.Header = m.Header.clone()
	return &c
}

func (m *Contacts) clone() Message {
	c := Contacts{Cards: slices.Clone(m.Cards)}
	for i := range c.Cards {
		card := &c.Cards[i]
		card.Phones = slices.Clone(card.Phones)
		card.Emails = slices.Clone(card.Emails)
		card.URLs = slices.Clone(card.URLs)
		card.Addresses = slices.Clone(card.Addresses)
	}
	return &c
}

func (m *Carousel) clone() Message {
	c := *m
	c.Cards = slices.Clone(m.Cards)
	for i := range c.Cards {
		card := &c.Cards[i]
		card.Media = shallow(card.Media)
		card.Replies = slices.Clone(card.Replies)
	}
	return &c
}

func (m *AddressRequest) clone() Message {
	c := *m
	c.Header = m.Header.clone()
	return &c
}

func (m *Template) clone() Message {
	c := *m
	c.Header = m.Header.clone()
	c.Body = cloneParameters(m.Body)
	c.Buttons = cloneButtons(m.Buttons)
	c.Offer = shallow(m.Offer)
	c.Cards = slices.Clone(m.Cards)
	for i := range c.Cards {
		card := &c.Cards[i]
		card.Header = card.Header.clone()
		card.Body = cloneParameters(card.Body)
		card.Buttons = cloneButtons(card.Buttons)
	}
	return &c
}

func (h *TemplateHeader) clone() *TemplateHeader {
	if h == nil {
		return nil
	}
	c := TemplateHeader{
		Media:    shallow(h.Media),
		Location: shallow(h.Location),
		Product:  shallow(h.Product),
	}
	if h.Text != nil {
		text := h.Text.clone()
		c.Text = &text
	}
	return &c
}

func (p TemplateParameter) clone() TemplateParameter {
	p.Currency = shallow(p.Currency)
	return p
}

func cloneParameters(list []TemplateParameter) []TemplateParameter {
	list = slices.Clone(list)
	for i := range list {
		list[i] = list[i].clone()
	}
	return list
}

func cloneButtons(list []TemplateButton) []TemplateButton {
	list = slices.Clone(list)
	for i := range list {
		list[i].Sections = cloneSections(list[i].Sections)
	}
	return list
}

package view

import (
	"strconv"
	"strings"

	"github.com/handbill/handbill/message"
)

// Picture describes a message as a phone shows it: parts from top to bottom. The
// terminal, Markdown and the HTML page are all drawn from it.
type Picture struct {
	Kind  message.Kind
	Parts []Part
}

// Role says what a Part is on the phone.
type Role string

// The roles of parts. Up to footer they are inside the bubble; an action is
// the button that opens something, and what follows it is what it opens.
const (
	RoleHeader  Role = "header"
	RoleMedia   Role = "media"
	RoleOffer   Role = "offer"
	RoleBody    Role = "body"
	RoleFact    Role = "fact" // what the message carries and the phone draws in its own way
	RoleFooter  Role = "footer"
	RoleAction  Role = "action"
	RoleReply   Role = "reply"
	RoleSection Role = "section"
	RoleRow     Role = "row"
	RoleProduct Role = "product"
	RoleCard    Role = "card"
)

// Part is one thing that the phone shows.
type Part struct {
	Role   Role
	Label  string // what it is, in a word that this program chose: "image", "button"
	Text   Text
	Detail Text // second line: a row's description, or a button's target
	ID     Text // what comes back when it is tapped, or a retailer id
	Parts  []Part
	// Mark is "new" or "gone" for what the other of two pictures lacks.
	Mark string
}

// Text is a text with slots that are filled for each recipient.
type Text []Span

// Span is a constant, or the name or sample of what fills a slot.
type Span struct {
	Text string
	Slot bool
}

// fixed is a constant text.
func fixed(s string) Text {
	if s == "" {
		return nil
	}
	return Text{{Text: s}}
}

// String is the readable text, with slots in angle brackets.
func (t Text) String() string {
	var b strings.Builder
	for _, s := range t {
		if s.Slot {
			b.WriteString("⟨" + s.Text + "⟩")
		} else {
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

// SamplePicture is the picture of what one recipient gets. Values are masked unless
// s shows recipients.
func SamplePicture(d *message.Draft, values []string, s Style) Picture {
	m := message.Clone(d.Message)
	byPath := map[string]Text{}
	for _, b := range d.Bindings {
		var t Text
		for _, p := range b.Parts {
			switch {
			case p.Slot < 0:
				t = append(t, Span{Text: p.Text})
			case s.ShowRecipients:
				t = append(t, Span{Text: values[p.Slot]})
			default:
				t = append(t, Span{Text: message.MaskName(values[p.Slot])})
			}
		}
		byPath[b.Path] = t
	}
	pic := painter{texts: map[*string]Text{}}
	message.Fields(m, func(f message.Field) {
		if t, ok := byPath[f.Path]; ok {
			pic.texts[f.Text] = t
		}
	})
	return Picture{Kind: m.Kind(), Parts: pic.message(m)}
}

// MessagePicture is the picture of a rendered message.
func MessagePicture(m message.Message) Picture {
	return Picture{Kind: m.Kind(), Parts: painter{}.message(m)}
}

// painter makes the parts of a message. texts are the texts that replace those with
// slots.
type painter struct{ texts map[*string]Text }

func (p painter) text(s *string) Text {
	if t, ok := p.texts[s]; ok {
		return t
	}
	return fixed(*s)
}

// part returns a part with a text, or nothing if the text is absent.
func (p painter) part(role Role, label string, s *string) []Part {
	if t := p.text(s); len(t) > 0 {
		return []Part{{Role: role, Label: label, Text: t}}
	}
	return nil
}

func (p painter) header(h *message.Header) []Part {
	if h.Media != nil {
		return []Part{p.media(h.Media)}
	}
	return p.part(RoleHeader, "header", &h.Text)
}

func (p painter) media(m *message.MediaRef) Part {
	part := Part{Role: RoleMedia, Label: string(m.Type), Text: p.text(&m.Link)}
	if len(part.Text) == 0 {
		part.Text = append(fixed("upload "), p.text(&m.ID)...)
	}
	if name := p.text(&m.Filename); len(name) > 0 {
		part.Text, part.Detail = name, part.Text
	}
	return part
}

// around returns the header, body and footer of an interactive message, then rest.
func (p painter) around(header []Part, body, footer *string, rest ...Part) []Part {
	parts := append(header, p.part(RoleBody, "body", body)...)
	if footer != nil {
		parts = append(parts, p.part(RoleFooter, "footer", footer)...)
	}
	return append(parts, rest...)
}

func (p painter) message(m message.Message) []Part {
	switch m := m.(type) {
	case *message.Text:
		return p.part(RoleBody, "body", &m.Body)
	case *message.List:
		return append(p.around(p.part(RoleHeader, "header", &m.Header), &m.Body, &m.Footer, action("button", p.text(&m.Button), nil)), p.sections(m.Sections)...)
	case *message.Buttons:
		return append(p.around(p.header(&m.Header), &m.Body, &m.Footer), p.replies(m.Buttons)...)
	case *message.Link:
		return p.around(p.header(&m.Header), &m.Body, &m.Footer, action("button", p.text(&m.Button), p.text(&m.URL)))
	case *message.Media:
		return append([]Part{p.media(&m.MediaRef)}, p.part(RoleBody, "caption", &m.Caption)...)
	case *message.Product:
		return append([]Part{p.product(&m.ProductID)}, p.around(nil, &m.Body, &m.Footer, action("button", fixed("View"), nil))...)
	case *message.ProductList:
		return append(p.around(p.part(RoleHeader, "header", &m.Header), &m.Body, &m.Footer, action("button", fixed("View items"), nil)), p.productSections(m.Sections)...)
	case *message.Catalog:
		var head []Part
		if len(p.text(&m.Thumbnail)) > 0 {
			head = append(head, p.product(&m.Thumbnail))
		}
		return p.around(head, &m.Body, &m.Footer, action("button", fixed("View catalog"), nil))
	case *message.Flow:
		return p.around(p.header(&m.Header), &m.Body, &m.Footer, action("opens a flow", p.text(&m.Button), append(p.text(&m.FlowID), p.text(&m.FlowName)...)))
	case *message.Template:
		return p.template(m)
	case *message.Contacts:
		return p.contacts(m)
	case *message.Location:
		return p.location(m)
	case *message.Reaction:
		return []Part{{Role: RoleFact, Label: "reaction", Text: p.text(&m.Emoji), Detail: append(fixed("to message "), p.text(&m.MessageID)...)}}
	case *message.Carousel:
		return p.carousel(m)
	}
	return p.request(m)
}

// request returns the parts of messages that ask the recipient for something.
func (p painter) request(m message.Message) []Part {
	switch m := m.(type) {
	case *message.LocationRequest:
		return p.around(nil, &m.Body, nil, action("button", fixed("Send location"), nil))
	case *message.AddressRequest:
		return p.around(p.header(&m.Header), &m.Body, &m.Footer, action("button", fixed("Provide address"), nil))
	case *message.Call:
		label := p.text(&m.Button)
		if len(label) == 0 {
			label = fixed("Call now")
		}
		return p.around(nil, &m.Body, nil, action("calls the business", label, nil))
	case *message.CallPermissionRequest:
		return p.around(nil, &m.Body, nil, action("button", fixed("Choose preference"), nil))
	case *message.ContactRequest:
		return p.around(nil, &m.Body, nil, action("button", fixed("Share contact info"), nil))
	}
	return nil
}

func action(label string, text, leads Text) Part {
	return Part{Role: RoleAction, Label: label, Text: text, Detail: leads}
}

func (p painter) sections(list []message.Section) []Part {
	var out []Part
	for i := range list {
		s := Part{Role: RoleSection, Label: "section", Text: p.text(&list[i].Title)}
		for j := range list[i].Rows {
			r := &list[i].Rows[j]
			s.Parts = append(s.Parts, Part{Role: RoleRow, Label: "row", Text: p.text(&r.Title), Detail: p.text(&r.Description), ID: p.text(&r.ID)})
		}
		out = append(out, s)
	}
	return out
}

func (p painter) productSections(list []message.ProductSection) []Part {
	var out []Part
	for i := range list {
		s := Part{Role: RoleSection, Label: "section", Text: p.text(&list[i].Title)}
		for j := range list[i].Products {
			s.Parts = append(s.Parts, p.product(&list[i].Products[j]))
		}
		out = append(out, s)
	}
	return out
}

func (p painter) product(id *string) Part {
	return Part{Role: RoleProduct, Label: "product", Text: p.text(id)}
}

func (p painter) replies(list []message.Button) []Part {
	var out []Part
	for i := range list {
		out = append(out, Part{Role: RoleReply, Label: "button", Text: p.text(&list[i].Title), ID: p.text(&list[i].ID)})
	}
	return out
}

func (p painter) location(m *message.Location) []Part {
	place := append(append(p.text(&m.Latitude), Span{Text: ", "}), p.text(&m.Longitude)...)
	parts := []Part{{Role: RoleMedia, Label: "map", Text: place}}
	parts = append(parts, p.part(RoleHeader, "name", &m.Name)...)
	return append(parts, p.part(RoleBody, "address", &m.Address)...)
}

func (p painter) contacts(m *message.Contacts) []Part {
	var out []Part
	for i := range m.Cards {
		c := &m.Cards[i]
		card := Part{Role: RoleCard, Label: "contact", Text: p.text(&c.FormattedName)}
		for j := range c.Phones {
			card.Parts = append(card.Parts, p.part(RoleFact, "phone", &c.Phones[j].Phone)...)
		}
		for j := range c.Emails {
			card.Parts = append(card.Parts, p.part(RoleFact, "email", &c.Emails[j].Email)...)
		}
		for j := range c.URLs {
			card.Parts = append(card.Parts, p.part(RoleFact, "page", &c.URLs[j].URL)...)
		}
		out = append(out, card)
	}
	return out
}

func (p painter) carousel(m *message.Carousel) []Part {
	out := p.part(RoleBody, "body", &m.Body)
	for i := range m.Cards {
		c := &m.Cards[i]
		card := Part{Role: RoleCard, Label: "card", Text: fixed(strconv.Itoa(i + 1))}
		if c.Media != nil {
			card.Parts = append(card.Parts, p.media(c.Media))
		}
		if len(p.text(&c.ProductID)) > 0 {
			card.Parts = append(card.Parts, p.product(&c.ProductID))
		}
		card.Parts = append(card.Parts, p.part(RoleBody, "body", &c.Body)...)
		if t := p.text(&c.Button); len(t) > 0 {
			card.Parts = append(card.Parts, action("button", t, p.text(&c.URL)))
		}
		out = append(out, Part{Role: RoleCard, Label: "card", Text: card.Text, Parts: append(card.Parts, p.replies(c.Replies)...)})
	}
	return out
}

// template returns what a template message fills in; the template's own wording is
// at Meta.
func (p painter) template(m *message.Template) []Part {
	out := []Part{{Role: RoleFact, Label: "template", Text: p.text(&m.Name), Detail: append(fixed("language "), p.text(&m.Language)...)}}
	out = append(out, p.templateHeader(m.Header)...)
	out = append(out, p.parameters(m.Body)...)
	if m.Offer != nil {
		out = append(out, p.part(RoleOffer, "offer ends", &m.Offer.Expires)...)
	}
	out = append(out, p.templateButtons(m.Buttons)...)
	for i := range m.Cards {
		c := &m.Cards[i]
		card := Part{Role: RoleCard, Label: "card", Text: fixed(strconv.Itoa(i + 1))}
		card.Parts = append(append(p.templateHeader(c.Header), p.parameters(c.Body)...), p.templateButtons(c.Buttons)...)
		out = append(out, card)
	}
	return out
}

func (p painter) templateHeader(h *message.TemplateHeader) []Part {
	switch {
	case h == nil:
		return nil
	case h.Media != nil:
		return []Part{p.media(h.Media)}
	case h.Location != nil:
		return p.location(h.Location)
	case h.Product != nil:
		return []Part{p.product(&h.Product.ProductID)}
	case h.Text != nil:
		return []Part{{Role: RoleHeader, Label: "header", Text: p.parameter(h.Text)}}
	}
	return nil
}

func (p painter) parameter(t *message.TemplateParameter) Text {
	switch {
	case t.Currency != nil:
		return p.text(&t.Currency.Fallback)
	case len(p.text(&t.DateTime)) > 0:
		return p.text(&t.DateTime)
	}
	return p.text(&t.Text)
}

func (p painter) parameters(list []message.TemplateParameter) []Part {
	var out []Part
	for i := range list {
		name := "{{" + strconv.Itoa(i+1) + "}}"
		if list[i].Name != "" {
			name = "{{" + list[i].Name + "}}"
		}
		out = append(out, Part{Role: RoleBody, Label: name, Text: p.parameter(&list[i])})
	}
	return out
}

func (p painter) templateButtons(list []message.TemplateButton) []Part {
	var out []Part
	for i := range list {
		b := &list[i]
		part := Part{Role: RoleAction, Label: "button " + strconv.Itoa(b.Index+1), Text: fixed(strings.ReplaceAll(string(b.Type), "_", " ")), Detail: p.text(&b.Text)}
		part.Parts = p.productSections(b.Sections)
		out = append(out, part)
	}
	return out
}

package message

// The fields methods visit every text of each kind: its path in the configuration
// language, and the limit that bounds it.

func (m *Text) fields(v *visitor) {
	v.add("body", &m.Body, Field{Limit: "text.body"})
}

func (m *List) fields(v *visitor) {
	v.add("header", &m.Header, Field{Limit: "header.text", Optional: true})
	v.bodyAndFooter(&m.Body, &m.Footer)
	v.add("button", &m.Button, Field{Limit: "list.button"})
	for i := range m.Sections {
		s := &m.Sections[i]
		mark := v.pushAt("section", i)
		v.add("title", &s.Title, Field{Limit: "list.section.title", Optional: len(m.Sections) < 2})
		for j := range s.Rows {
			v.row(j, &s.Rows[j])
		}
		v.pop(mark)
	}
}

func (v *visitor) row(i int, r *Row) {
	mark := v.pushAt("row", i)
	v.add("id", &r.ID, Field{Type: FieldID, Limit: "list.row.id"})
	v.add("title", &r.Title, Field{Limit: "list.row.title"})
	v.add("description", &r.Description, Field{Limit: "list.row.description", Optional: true})
	v.pop(mark)
}

// bodyAndFooter are the texts that all interactive messages share.
func (v *visitor) bodyAndFooter(body, footer *string) {
	v.add("body", body, Field{Limit: "interactive.body"})
	v.add("footer", footer, Field{Limit: "footer.text", Optional: true})
}

func (m *Buttons) fields(v *visitor) {
	v.header(&m.Header)
	v.bodyAndFooter(&m.Body, &m.Footer)
	for i := range m.Buttons {
		b := &m.Buttons[i]
		mark := v.pushAt("button", i)
		v.add("id", &b.ID, Field{Type: FieldID, Limit: "button.id"})
		v.add("title", &b.Title, Field{Limit: "button.title"})
		v.pop(mark)
	}
}

func (m *Link) fields(v *visitor) {
	v.header(&m.Header)
	v.bodyAndFooter(&m.Body, &m.Footer)
	v.add("button", &m.Button, Field{Limit: "cta_url.display_text"})
	v.add("url", &m.URL, Field{Type: FieldURL, Limit: "cta_url.url"})
}

// header visits "header" for a text, and "header.image.link" and the like for a
// medium.
func (v *visitor) header(h *Header) {
	v.add("header", &h.Text, Field{Limit: "header.text", Optional: true})
	if h.Media != nil {
		mark := v.push("header")
		v.media(h.Media)
		v.pop(mark)
	}
}

// media visits "image.link", "image.id" and "filename". Link and id are both
// optional here; a separate rule demands exactly one of them.
func (v *visitor) media(m *MediaRef) {
	name := string(m.Type)
	if name == "" {
		name = "media"
	}
	mark := v.push(name)
	v.add("link", &m.Link, Field{Type: FieldURL, Limit: "media.link", Optional: true})
	v.add("id", &m.ID, Field{Type: FieldID, Limit: "media.id", Optional: true})
	v.pop(mark)
	v.add("filename", &m.Filename, Field{Limit: "media.filename", Optional: true})
}

func (m *Media) fields(v *visitor) {
	v.media(&m.MediaRef)
	v.add("caption", &m.Caption, Field{Limit: "caption", Optional: true})
}

func (m *LocationRequest) fields(v *visitor) {
	v.add("body", &m.Body, Field{Limit: "interactive.body"})
}

func (m *Product) fields(v *visitor) {
	v.add("catalog", &m.CatalogID, Field{Type: FieldID, Limit: "catalog.id"})
	v.add("product", &m.ProductID, Field{Type: FieldID, Limit: "product.id"})
	v.add("body", &m.Body, Field{Limit: "interactive.body", Optional: true})
	v.add("footer", &m.Footer, Field{Limit: "footer.text", Optional: true})
}

func (m *ProductList) fields(v *visitor) {
	v.add("catalog", &m.CatalogID, Field{Type: FieldID, Limit: "catalog.id"})
	v.add("header", &m.Header, Field{Limit: "header.text"})
	v.bodyAndFooter(&m.Body, &m.Footer)
	v.productSections(m.Sections)
}

func (v *visitor) productSections(sections []ProductSection) {
	for i := range sections {
		s := &sections[i]
		mark := v.pushAt("section", i)
		v.add("title", &s.Title, Field{Limit: "product_list.section.title", Optional: len(sections) < 2})
		for j := range s.Products {
			at := v.pushAt("products", j)
			v.here(&s.Products[j], Field{Type: FieldID, Limit: "product.id"})
			v.pop(at)
		}
		v.pop(mark)
	}
}

// here visits the text p at the current path.
func (v *visitor) here(p *string, f Field) {
	f.Text = p
	v.visit(v.path, f)
}

func (m *Catalog) fields(v *visitor) {
	v.bodyAndFooter(&m.Body, &m.Footer)
	v.add("thumbnail", &m.Thumbnail, Field{Type: FieldID, Limit: "product.id", Optional: true})
}

func (m *Flow) fields(v *visitor) {
	v.header(&m.Header)
	v.bodyAndFooter(&m.Body, &m.Footer)
	v.add("button", &m.Button, Field{Limit: "flow.cta"})
	v.add("flow_id", &m.FlowID, Field{Type: FieldID, Limit: "flow.id", Optional: true})
	v.add("flow_name", &m.FlowName, Field{Limit: "flow.name", Optional: true})
	v.add("token", &m.Token, Field{Limit: "flow.token", Optional: true})
	v.add("screen", &m.Screen, Field{Limit: "flow.screen", Optional: true})
	v.add("data", &m.Data, Field{Type: FieldJSON, Limit: "flow.data", Optional: true})
}

func (m *Contacts) fields(v *visitor) {
	for i := range m.Cards {
		mark := v.pushAt("contact", i)
		m.Cards[i].fields(v)
		v.pop(mark)
	}
}

func (c *ContactCard) fields(v *visitor) {
	v.add("formatted_name", &c.FormattedName, Field{Limit: "contact.formatted_name"})
	v.add("first_name", &c.FirstName, Field{Limit: "contact.name", Optional: true})
	v.add("last_name", &c.LastName, Field{Limit: "contact.name", Optional: true})
	v.add("middle_name", &c.MiddleName, Field{Limit: "contact.name", Optional: true})
	v.add("prefix", &c.Prefix, Field{Limit: "contact.name", Optional: true})
	v.add("suffix", &c.Suffix, Field{Limit: "contact.name", Optional: true})
	v.add("birthday", &c.Birthday, Field{Limit: "contact.birthday", Optional: true})
	v.add("company", &c.Company, Field{Limit: "contact.org", Optional: true})
	v.add("department", &c.Department, Field{Limit: "contact.org", Optional: true})
	v.add("job_title", &c.JobTitle, Field{Limit: "contact.org", Optional: true})
	for i := range c.Phones {
		c.Phones[i].fields(v, i)
	}
	for i := range c.Emails {
		mark := v.pushAt("email", i)
		v.add("email", &c.Emails[i].Email, Field{Limit: "contact.email"})
		v.add("type", &c.Emails[i].Type, Field{Limit: "contact.type", Optional: true})
		v.pop(mark)
	}
	for i := range c.URLs {
		mark := v.pushAt("url", i)
		v.add("url", &c.URLs[i].URL, Field{Type: FieldURL, Limit: "contact.url"})
		v.add("type", &c.URLs[i].Type, Field{Limit: "contact.type", Optional: true})
		v.pop(mark)
	}
	for i := range c.Addresses {
		c.Addresses[i].fields(v, i)
	}
}

func (p *ContactPhone) fields(v *visitor, i int) {
	mark := v.pushAt("phone", i)
	v.add("phone", &p.Phone, Field{Limit: "contact.phone"})
	v.add("wa_id", &p.WaID, Field{Type: FieldNumber, Limit: "contact.wa_id", Optional: true})
	v.add("type", &p.Type, Field{Limit: "contact.type", Optional: true})
	v.pop(mark)
}

func (a *ContactAddress) fields(v *visitor, i int) {
	mark := v.pushAt("address", i)
	v.add("street", &a.Street, Field{Limit: "contact.address", Optional: true})
	v.add("city", &a.City, Field{Limit: "contact.address", Optional: true})
	v.add("state", &a.State, Field{Limit: "contact.address", Optional: true})
	v.add("zip", &a.Zip, Field{Limit: "contact.address", Optional: true})
	v.add("country", &a.Country, Field{Limit: "contact.address", Optional: true})
	v.add("country_code", &a.CountryCode, Field{Limit: "contact.address", Optional: true})
	v.add("type", &a.Type, Field{Limit: "contact.type", Optional: true})
	v.pop(mark)
}

func (m *Location) fields(v *visitor) {
	v.add("latitude", &m.Latitude, Field{Type: FieldNumber, Limit: "location.latitude"})
	v.add("longitude", &m.Longitude, Field{Type: FieldNumber, Limit: "location.longitude"})
	v.add("name", &m.Name, Field{Limit: "location.name", Optional: true})
	v.add("address", &m.Address, Field{Limit: "location.address", Optional: true})
}

func (m *Reaction) fields(v *visitor) {
	v.add("message_id", &m.MessageID, Field{Type: FieldID, Limit: "reaction.message_id"})
	v.add("emoji", &m.Emoji, Field{Limit: "reaction.emoji", Optional: true})
}

func (m *Carousel) fields(v *visitor) {
	v.add("body", &m.Body, Field{Limit: "interactive.body"})
	for i := range m.Cards {
		mark := v.pushAt("card", i)
		m.Cards[i].fields(v)
		v.pop(mark)
	}
}

// fields visits all texts of a card, whatever its kind. Separate rules say which of
// them a kind needs or forbids.
func (c *CarouselCard) fields(v *visitor) {
	if c.Media != nil {
		mark := v.push("header")
		v.media(c.Media)
		v.pop(mark)
	}
	kind := c.kind()
	v.add("body", &c.Body, Field{Limit: "carousel.card.body", Optional: true})
	v.add("button", &c.Button, Field{Limit: "cta_url.display_text", Optional: kind != linkCard})
	v.add("url", &c.URL, Field{Type: FieldURL, Limit: "cta_url.url", Optional: kind != linkCard})
	for i := range c.Replies {
		mark := v.pushAt("reply", i)
		v.add("id", &c.Replies[i].ID, Field{Type: FieldID, Limit: "carousel.quick_reply.id"})
		v.add("title", &c.Replies[i].Title, Field{Limit: "carousel.quick_reply.title"})
		v.pop(mark)
	}
	v.add("catalog", &c.CatalogID, Field{Type: FieldID, Limit: "catalog.id", Optional: kind != productCard})
	v.add("product", &c.ProductID, Field{Type: FieldID, Limit: "product.id", Optional: kind != productCard})
}

// cardKind is the kind of a CarouselCard, as its shape shows.
type cardKind uint8

const (
	productCard cardKind = iota // no medium
	linkCard                    // a medium and a link
	replyCard                   // a medium and quick replies
)

// kind is the card's kind. It depends on the shape alone, never on a text, so
// that it is the same for every recipient.
func (c *CarouselCard) kind() cardKind {
	switch {
	case len(c.Replies) > 0:
		return replyCard
	case c.Media != nil:
		return linkCard
	}
	return productCard
}

func (m *AddressRequest) fields(v *visitor) {
	v.header(&m.Header)
	v.bodyAndFooter(&m.Body, &m.Footer)
	v.add("country", &m.Country, Field{Limit: "address.country"})
	v.add("values", &m.Values, Field{Type: FieldJSON, Limit: "address.values", Optional: true})
}

func (m *Call) fields(v *visitor) {
	v.add("body", &m.Body, Field{Limit: "interactive.body"})
	v.add("button", &m.Button, Field{Limit: "voice_call.display_text", Optional: true})
	v.add("ttl_minutes", &m.TTLMinutes, Field{Type: FieldNumber, Limit: "voice_call.ttl_minutes", Optional: true})
	v.add("payload", &m.Payload, Field{Limit: "voice_call.payload", Optional: true})
}

func (m *CallPermissionRequest) fields(v *visitor) {
	v.add("body", &m.Body, Field{Limit: "interactive.body", Optional: true})
}

func (m *ContactRequest) fields(v *visitor) {
	v.add("body", &m.Body, Field{Limit: "interactive.body"})
}

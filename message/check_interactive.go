package message

import (
	"slices"
	"strings"
)

// The rules methods check relations between the texts of a message, and its shape.
// Each single text is checked by textRule.

func (m *List) rules(b *builder) {
	b.count("section", "list.sections", len(m.Sections))
	total := 0
	var ids, titles []*string
	var sections []int
	for i := range m.Sections {
		s := &m.Sections[i]
		path := "section[" + itoa(i) + "]"
		b.count(path+".row", "list.section.rows", len(s.Rows))
		total += len(s.Rows)
		var within []*string
		for j := range s.Rows {
			ids = append(ids, &s.Rows[j].ID)
			within = append(within, &s.Rows[j].Title)
			sections = append(sections, i)
		}
		titles = append(titles, within...)
		b.unique("list.row.title.unique", Error, "Two rows of one section have the same title, which WhatsApp has refused, and nobody could tell them apart. Change one.", within...)
	}
	if len(m.Sections) == 1 {
		b.advise("list.section.title.advised", "The section has no title. Meta's page on lists demands one; the API asks for it only where there are several sections.", &m.Sections[0].Title)
	}
	b.count("section", "list.rows_total", total)
	b.unique("list.row.id.unique", Error, "Two rows of the message have the same id, so that an answer could not be told apart. Change one.", ids...)
	across := b.relation("list.row.title.unique_across", Warning, "Two rows in different sections have the same title; WhatsApp has refused such lists.", titles...)
	b.add(&uniqueRule{relation: across, groups: sections})
}

func (m *Buttons) rules(b *builder) {
	b.header(&m.Header)
	b.count("button", "button.count", len(m.Buttons))
	var ids, titles []*string
	for i := range m.Buttons {
		ids = append(ids, &m.Buttons[i].ID)
		titles = append(titles, &m.Buttons[i].Title)
	}
	b.unique("button.id.unique", Error, "Two buttons have the same id, so that an answer could not be told apart. Change one.", ids...)
	b.unique("button.title.unique", Error, "Two buttons have the same title; WhatsApp refuses the message. Change one.", titles...)
}

func (m *Link) rules(b *builder) { b.header(&m.Header) }

func (m *Flow) rules(b *builder) {
	b.header(&m.Header)
	b.oneOf("flow_id", "flow.id.one_of", "Exactly one of flow_id and flow_name must be set.", &m.FlowID, &m.FlowName)
	b.word("action", "flow.action", m.Action, "navigate", "data_exchange")
	b.word("mode", "flow.mode", m.Mode, "draft", "published")
	if m.Action == "data_exchange" {
		b.forbid("flow.screen.forbidden", "A screen and its data belong to the action \"navigate\"; with \"data_exchange\" the flow's own endpoint chooses them.", &m.Screen, &m.Data)
		return
	}
	b.add(&needsRule{b.relation("flow.data.screen", Error, "Data is handed to a screen, so the screen must be named too.", &m.Data, &m.Screen)})
}

// word demands that a keyword of the message's shape is empty or one of those
// allowed.
func (b *builder) word(path, rule, word string, allowed ...string) {
	if word != "" && !slices.Contains(allowed, word) {
		b.fail(path, rule, "The word here must be one of: "+join(allowed)+".")
	}
}

func (m *AddressRequest) rules(b *builder) { b.header(&m.Header) }

func (m *ProductList) rules(b *builder) { b.productSections("", m.Sections) }

// productSections adds the rules of sections of products at prefix ("" or
// "button[0].").
func (b *builder) productSections(prefix string, sections []ProductSection) {
	b.count(prefix+"section", "product_list.sections", len(sections))
	total := 0
	var products []*string
	for i := range sections {
		s := &sections[i]
		b.count(prefix+"section["+itoa(i)+"].products", "product_list.section.products", len(s.Products))
		total += len(s.Products)
		for j := range s.Products {
			products = append(products, &s.Products[j])
		}
	}
	if len(sections) == 1 {
		b.advise("product_list.section.title.advised", "The section has no title; with several sections each needs one.", &sections[0].Title)
	}
	b.count(prefix+"section", "product_list.products_total", total)
	b.unique("product.id.unique", Warning, "The message names one product twice.", products...)
}

// header adds the rules of a header that is a text, a medium, or absent.
func (b *builder) header(h *Header) {
	if h.Media == nil {
		return
	}
	b.forbid("header.one_of", "A header is either a text or a medium, not both.", &h.Text)
	b.media(h.Media, Image, Video, Document)
}

// media adds the rules of a medium that must have one of the given types.
func (b *builder) media(m *MediaRef, allowed ...MediaType) {
	path := b.path(&m.Link)
	path = path[:len(path)-len(".link")]
	if slices.Contains(allowed, m.Type) {
		b.extension(m)
	} else {
		b.fail(path, "media.type", "The medium here must be one of: "+join(allowed)+".")
	}
	b.oneOf(path, "media.one_of", "A medium is either a public link or the id of an upload: exactly one of them must be set.", &m.Link, &m.ID)
	if m.Type != Document {
		b.forbid("media.filename.forbidden", "Only a document has a file name. Remove it.", &m.Filename)
	}
}

// extension warns about a link to a file of another kind.
func (b *builder) extension(m *MediaRef) {
	formats := mediaFormats[m.Type]
	detail := "WhatsApp does not take files with this ending as " + string(m.Type) +
		"; a wrong format is the most common reason why media fail (131053). It takes: " + formats + "."
	b.add(&extensionRule{b.relation("media.format", Warning, detail, &m.Link), formats})
}

// join lists words in a sentence.
func join[T ~string](words []T) string {
	var list []string
	for _, w := range words {
		list = append(list, string(w))
	}
	return strings.Join(list, ", ")
}

func (m *Media) rules(b *builder) {
	b.media(&m.MediaRef, Image, Video, Audio, Document, Sticker)
	if m.Type == Audio || m.Type == Sticker {
		b.forbid("caption.forbidden", "Audio and stickers have no caption. Send the text as a message of its own.", &m.Caption)
	}
	if m.Voice && m.Type != Audio {
		b.fail("voice", "media.voice", "Only audio can be a voice message.")
	}
}

func (m *Contacts) rules(b *builder) { b.count("contact", "contacts", len(m.Cards)) }

func (m *Carousel) rules(b *builder) {
	b.count("card", "carousel.cards", len(m.Cards))
	var catalogs []*string
	for i := range m.Cards {
		c := &m.Cards[i]
		path := "card[" + itoa(i) + "]"
		b.card(path, c)
		if c.kind() == productCard {
			catalogs = append(catalogs, &c.CatalogID)
		}
		if c.kind() != m.Cards[0].kind() || len(c.Replies) != len(m.Cards[0].Replies) {
			b.fail(path, "carousel.cards.same", "All cards of a carousel are of one kind and have the same number of buttons; this one differs from the first.")
		}
	}
	if len(catalogs) > 1 {
		b.add(&sameRule{b.relation("carousel.catalog.same", Error, "All product cards of a carousel are of one catalog; this one differs from the first.", catalogs...)})
	}
}

// card adds the rules of one card, by its kind.
func (b *builder) card(path string, c *CarouselCard) {
	limit, source := b.limit("carousel.card.body.breaks")
	if limit.Max > 0 {
		r := b.relation("carousel.card.body.line_breaks", Error, "The body of a card may have at most "+itoa(limit.Max)+" line breaks.", &c.Body)
		r.source = source
		b.add(&breaksRule{r, limit.Max})
	}
	kind := c.kind()
	if kind == productCard {
		b.forbid("carousel.card.product.forbidden", "A product card has nothing but its catalog and product.", &c.Body, &c.Button, &c.URL)
		return
	}
	b.forbid("carousel.card.product.forbidden", "A card with a medium or replies names no catalog and no product.", &c.CatalogID, &c.ProductID)
	if c.Media == nil {
		b.fail(path+".header", "carousel.card.header.required", "A card with replies needs an image or a video as its header.")
	} else {
		b.media(c.Media, Image, Video)
	}
	if kind == replyCard {
		b.replies(c)
	}
}

func (b *builder) replies(c *CarouselCard) {
	b.forbid("carousel.card.buttons", "A card has either one link or quick replies, not both.", &c.Button, &c.URL)
	var ids, titles []*string
	for i := range c.Replies {
		ids = append(ids, &c.Replies[i].ID)
		titles = append(titles, &c.Replies[i].Title)
	}
	b.unique("carousel.quick_reply.id.unique", Error, "Two replies of one card have the same id, so that an answer could not be told apart. Change one.", ids...)
	b.unique("carousel.quick_reply.title.unique", Error, "Two replies of one card have the same title. Change one.", titles...)
}

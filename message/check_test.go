package message

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/internal/golden"
)

// valid returns valid messages: one of every kind, and more if a kind has several
// shapes. Each call returns new ones.
func valid() map[string]Message {
	image := func() *MediaRef { return &MediaRef{Type: Image, Link: "https://shop.example/a.jpg"} }
	return map[string]Message{
		"text": &Text{Body: "Hello *Ana*,\nthe shop is open.", PreviewURL: true},
		"list": &List{Header: "Spring", Body: "Pick one", Footer: "Shop", Button: "See offers", Sections: []Section{
			{Title: "Plants", Rows: []Row{{ID: "sku-1", Title: "Aloe", Description: "Pot 12 cm"}, {ID: "sku-2", Title: "Fern"}}},
			{Title: "Pots", Rows: []Row{{ID: "sku-3", Title: "Clay"}}},
		}},
		"buttons": &Buttons{Header: Header{Media: image()}, Body: "Keep it?", Buttons: []Button{{ID: "yes", Title: "Yes 👍"}, {ID: "no", Title: "No"}}},
		"link":    &Link{Header: Header{Text: "Spring"}, Body: "New season", Button: "Open shop", URL: "https://shop.example/s"},
		"image":   &Media{MediaRef: *image(), Caption: "Spring"},
		"document": &Media{MediaRef: MediaRef{Type: Document, ID: "1013859600285441", Filename: "offer.pdf"},
			Caption: "Price list"},
		"voice":            &Media{MediaRef: MediaRef{Type: Audio, ID: "1013859600285441"}, Voice: true},
		"location request": &LocationRequest{Body: "Where are you?"},
		"product":          &Product{CatalogID: "100", ProductID: "sku-1", Body: "Your plant"},
		"product list": &ProductList{CatalogID: "100", Header: "Offers", Body: "For you", Sections: []ProductSection{
			{Title: "Plants", Products: []string{"sku-1", "sku-2"}},
		}},
		"catalog":           &Catalog{Body: "Browse", Thumbnail: "sku-1"},
		"flow":              &Flow{Body: "Book", Button: "Book now", FlowID: "123", Token: "t1", Action: "navigate", Screen: "START", Data: `{"a": 1}`},
		"contacts":          &Contacts{Cards: []ContactCard{contact()}},
		"location":          &Location{Latitude: "37.4421", Longitude: "-122.1615", Name: "Store", Address: "101 Forest Ave"},
		"reaction":          &Reaction{MessageID: "wamid.X", Emoji: "👍🏽"},
		"reaction removed":  &Reaction{MessageID: "wamid.X"},
		"link carousel":     &Carousel{Body: "New", Cards: []CarouselCard{linkedCard(), linkedCard()}},
		"reply carousel":    &Carousel{Body: "New", Cards: []CarouselCard{repliedCard("1"), repliedCard("2")}},
		"product carousel":  &Carousel{Body: "New", Cards: []CarouselCard{{CatalogID: "100", ProductID: "sku-1"}, {CatalogID: "100", ProductID: "sku-2"}}},
		"address request":   &AddressRequest{Body: "Address?", Country: "IN"},
		"call":              &Call{Body: "Call us", Button: "Call", TTLMinutes: "100", Payload: "c1"},
		"call permission":   &CallPermissionRequest{},
		"contact request":   &ContactRequest{Body: "May we have your number?"},
		"template":          template(),
		"named header":      &Template{Name: "spring", Language: "es_MX", Header: &TemplateHeader{Text: &TemplateParameter{Name: "season", Text: "Spring"}}, Body: []TemplateParameter{{Name: "season", Text: "Ana"}}},
		"named template":    &Template{Name: "spring", Language: "es_MX", Body: []TemplateParameter{{Name: "first_name", Text: "Ana"}}},
		"offer template":    offer(),
		"carousel template": &Template{Name: "cards", Language: "en", Cards: []TemplateCard{templateCard("1"), templateCard("2")}},
		"mpm template": &Template{Name: "mpm", Language: "en", Buttons: []TemplateButton{{
			Type: TemplateMultiProduct, Thumbnail: "sku-1", Sections: []ProductSection{{Title: "Plants", Products: []string{"sku-1"}}}}}},
	}
}

func contact() ContactCard {
	return ContactCard{
		FormattedName: "Ana Diaz", FirstName: "Ana", Birthday: "1990-02-28",
		Phones: []ContactPhone{{Phone: "+15550001111", WaID: "15550001111", Type: "WORK"}},
		Emails: []ContactEmail{{Email: "ana@shop.example"}},
		URLs:   []ContactURL{{URL: "https://shop.example"}},
	}
}

func linkedCard() CarouselCard {
	return CarouselCard{
		Media: &MediaRef{Type: Image, Link: "https://shop.example/1.jpg"}, Body: "Aloe\nin a pot",
		Button: "Buy", URL: "https://shop.example/1-with-a-long-path",
	}
}

func repliedCard(id string) CarouselCard {
	return CarouselCard{Media: &MediaRef{Type: Video, ID: "77"}, Replies: []Button{{ID: "more-" + id, Title: "More"}}}
}

func template() *Template {
	return &Template{
		Name: "spring_sale", Language: "en_US",
		Header: &TemplateHeader{Text: &TemplateParameter{Text: "Ana"}},
		Body: []TemplateParameter{
			{Text: "Ana"}, {DateTime: "1 May"}, {Currency: &TemplateCurrency{Fallback: "19.90 EUR", Code: "EUR", Amount1000: "19900"}},
		},
		Buttons: []TemplateButton{{Index: 0, Type: TemplateQuickReply, Text: "stop"}, {Index: 1, Type: TemplateURL, Text: "promo=s26"}},
	}
}

func offer() *Template {
	return &Template{
		Name: "lto", Language: "en", Header: &TemplateHeader{Media: &MediaRef{Type: Image, ID: "1"}},
		Body: []TemplateParameter{{Text: "Ana"}}, Offer: &TemplateOffer{Expires: "1796083200000"},
		Buttons: []TemplateButton{{Index: 0, Type: TemplateCopyCode, Text: "SPRING26"}, {Index: 1, Type: TemplateURL, Text: "n3m"}},
	}
}

func templateCard(id string) TemplateCard {
	return TemplateCard{
		Header:  &TemplateHeader{Media: &MediaRef{Type: Image, ID: id}},
		Body:    []TemplateParameter{{Text: "Aloe"}},
		Buttons: []TemplateButton{{Type: TemplateQuickReply, Text: "more-" + id}},
	}
}

func TestValidMessages(t *testing.T) {
	kinds := map[Kind]bool{}
	for name, m := range valid() {
		kinds[m.Kind()] = true
		if found := Check(m, nil); len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
	}
	for _, k := range Kinds() {
		if !kinds[k] {
			t.Errorf("no valid %s", k)
		}
	}
}

// rejected are changes of the valid messages, each with the rules that it
// breaks, in order, and nothing else.
func rejected() []rejection {
	list := append(rejectedTexts(), rejectedShapes()...)
	return append(list, rejectedTemplates()...)
}

type rejection struct {
	name string
	m    Message
	want []string
}

// change makes a rejection of the valid message called name.
func change[M Message](what, name string, edit func(M), want ...string) rejection {
	m := valid()[name].(M)
	edit(m)
	return rejection{name: what, m: m, want: want}
}

func rejectedTexts() []rejection {
	return []rejection{
		change("nothing said", "text", func(m *Text) { m.Body = "" }, "text.body.required"),
		change("only spaces", "text", func(m *Text) { m.Body = " \u00a0\n" }, "text.body.blank"),
		change("only a zero-width space", "text", func(m *Text) { m.Body = "\u200b" }, "text.body.blank"),
		change("bytes of another encoding", "text", func(m *Text) { m.Body = "caf\xe9" }, "text.body.utf8"),
		change("a bell", "text", func(m *Text) { m.Body = "ding\x07" }, "text.body.control"),
		change("a NUL", "list", func(m *List) { m.Button = "a\x00b" }, "list.button.control"),
		change("a price behind two dollars", "text", func(m *Text) { m.Body = "only ${price}" }, "text.leftover_interpolation"),
		change("a directive", "text", func(m *Text) { m.Body = "%{ if x }" }, "text.leftover_interpolation"),
		change("a blank description", "list", func(m *List) { m.Sections[0].Rows[1].Description = " " }, "list.row.description.blank"),
		change("a space around an id", "buttons", func(m *Buttons) { m.Buttons[0].ID = "yes " }, "button.id.spaces"),
		change("a line break in an id", "buttons", func(m *Buttons) { m.Buttons[0].ID = "y\nes" }, "button.id.control"),
		change("no scheme", "link", func(m *Link) { m.URL = "shop.example/s" }, "cta_url.url.shape"),
		change("no host", "link", func(m *Link) { m.URL = "https:///s" }, "cta_url.url.shape"),
		change("another scheme", "link", func(m *Link) { m.URL = "ftp://shop.example" }, "cta_url.url.shape"),
		change("a space in a URL", "link", func(m *Link) { m.URL = "https://shop.example/a b" }, "cta_url.url.shape"),
		change("plain http", "link", func(m *Link) { m.URL = "HTTP://shop.example" }, "cta_url.url.https"),
		change("a very long URL", "link", func(m *Link) { m.URL = "https://shop.example/" + strings.Repeat("a", 2000) }, "cta_url.url.advised"),
		change("a latitude off the globe", "location", func(m *Location) { m.Latitude = "90.01" }, "location.latitude.format"),
		change("a longitude in words", "location", func(m *Location) { m.Longitude = "NaN" }, "location.longitude.format"),
		change("a comma in a number", "location", func(m *Location) { m.Longitude = "13,37" }, "location.longitude.format"),
		change("a word as a reaction", "reaction", func(m *Reaction) { m.Emoji = "ok" }, "reaction.emoji.format"),
		change("many reactions", "reaction", func(m *Reaction) { m.Emoji = strings.Repeat("👍", 17) }, "reaction.emoji.format"),
		change("a reaction to nothing", "reaction", func(m *Reaction) { m.MessageID = "" }, "reaction.message_id.required"),
		change("calls for too long", "call", func(m *Call) { m.TTLMinutes = "43201" }, "voice_call.ttl_minutes.max"),
		change("calls for no time", "call", func(m *Call) { m.TTLMinutes = "0" }, "voice_call.ttl_minutes.min"),
		change("calls for a while", "call", func(m *Call) { m.TTLMinutes = "1h" }, "voice_call.ttl_minutes.format"),
		change("an address elsewhere", "address request", func(m *AddressRequest) { m.Country = "DE" }, "address.country.format"),
		change("data that is no JSON", "flow", func(m *Flow) { m.Data = "{a: 1}" }, "flow.data.json"),
		change("data without members", "flow", func(m *Flow) { m.Data = "{ }" }, "flow.data.json"),
		change("a birthday that never was", "contacts", func(m *Contacts) { m.Cards[0].Birthday = "2001-02-29" }, "contact.birthday.format"),
		change("an e-mail without @", "contacts", func(m *Contacts) { m.Cards[0].Emails[0].Email = "ana" }, "contact.email.format"),
		change("a WhatsApp id with +", "contacts", func(m *Contacts) { m.Cards[0].Phones[0].WaID = "+1555" }, "contact.wa_id.format"),
		change("a nameless contact", "contacts", func(m *Contacts) { m.Cards[0].FormattedName = "" }, "contact.formatted_name.required"),
		change("a long reply id", "reply carousel", func(m *Carousel) { m.Cards[0].Replies[0].ID = strings.Repeat("a", 21) }, "carousel.quick_reply.id.advised"),
	}
}

func rejectedShapes() []rejection {
	return []rejection{
		change("no sections", "list", func(m *List) { m.Sections = nil }, "list.sections.min", "list.rows_total.min"),
		change("an empty section", "list", func(m *List) { m.Sections[1].Rows = nil }, "list.section.rows.min"),
		change("eleven rows in two sections", "list", func(m *List) {
			for i := range 8 {
				m.Sections[i%2].Rows = append(m.Sections[i%2].Rows, Row{ID: "r" + itoa(i), Title: "Row " + itoa(i)})
			}
		}, "list.rows_total.max"),
		change("eleven sections", "list", func(m *List) {
			m.Sections = nil
			for i := range 11 {
				m.Sections = append(m.Sections, Section{Title: "S", Rows: []Row{{ID: itoa(i), Title: itoa(i)}}})
			}
		}, "list.sections.max", "list.rows_total.max"),
		change("one of two sections without a title", "list", func(m *List) { m.Sections[0].Title = "" }, "list.section.title.required"),
		change("the only section without a title", "list", func(m *List) { m.Sections = m.Sections[:1]; m.Sections[0].Title = "" }, "list.section.title.advised"),
		change("two rows with one id", "list", func(m *List) { m.Sections[1].Rows[0].ID = "sku-1" }, "list.row.id.unique"),
		change("two rows with one title", "list", func(m *List) { m.Sections[0].Rows[1].Title = "Aloe" }, "list.row.title.unique"),
		change("one title in two sections", "list", func(m *List) { m.Sections[1].Rows[0].Title = "Aloe" }, "list.row.title.unique_across"),
		change("forty rows, two of them alike", "list", func(m *List) {
			for i := range 37 {
				m.Sections[0].Rows = append(m.Sections[0].Rows, Row{ID: "r" + itoa(i), Title: "Row " + itoa(i)})
			}
			m.Sections[0].Rows[36].ID = "r1"
		}, "list.rows_total.max", "list.row.id.unique"),
		change("no buttons", "buttons", func(m *Buttons) { m.Buttons = nil }, "button.count.min"),
		change("four buttons", "buttons", func(m *Buttons) {
			m.Buttons = append(m.Buttons, Button{ID: "3", Title: "3"}, Button{ID: "4", Title: "4"})
		}, "button.count.max"),
		change("two buttons with one id", "buttons", func(m *Buttons) { m.Buttons[1].ID = "yes" }, "button.id.unique"),
		change("two buttons with one title", "buttons", func(m *Buttons) { m.Buttons[1].Title = "Yes 👍" }, "button.title.unique"),
		change("text and image in a header", "buttons", func(m *Buttons) { m.Header.Text = "Spring" }, "header.one_of"),
		change("audio in a header", "buttons", func(m *Buttons) { m.Header.Media.Type = Audio }, "media.type"),
		change("link and id", "image", func(m *Media) { m.ID = "1" }, "media.one_of"),
		change("neither link nor id", "image", func(m *Media) { m.Link = "" }, "media.one_of"),
		change("a named image", "image", func(m *Media) { m.Filename = "a.jpg" }, "media.filename.forbidden"),
		change("an unknown medium", "image", func(m *Media) { m.Type = "gif" }, "media.type"),
		change("a caption on audio", "voice", func(m *Media) { m.Caption = "Hi" }, "caption.forbidden"),
		change("a spoken image", "image", func(m *Media) { m.Voice = true }, "media.voice"),
		change("a product list without a header", "product list", func(m *ProductList) { m.Header = "" }, "header.text.required"),
		change("a product twice", "product list", func(m *ProductList) { m.Sections[0].Products[1] = "sku-1" }, "product.id.unique"),
		change("thirty-one products", "product list", func(m *ProductList) {
			m.Sections = append(m.Sections, ProductSection{Title: "More"})
			for i := range 29 {
				m.Sections[1].Products = append(m.Sections[1].Products, "more-"+itoa(i))
			}
		}, "product_list.products_total.max"),
		change("flow by id and name", "flow", func(m *Flow) { m.FlowName = "book" }, "flow.id.one_of"),
		change("no flow", "flow", func(m *Flow) { m.FlowID = "" }, "flow.id.one_of"),
		change("data for no screen", "flow", func(m *Flow) { m.Screen = "" }, "flow.data.screen"),
		change("a screen for an exchange", "flow", func(m *Flow) { m.Action = "data_exchange"; m.Data = "" }, "flow.screen.forbidden"),
		change("an unknown action", "flow", func(m *Flow) { m.Action = "open" }, "flow.action"),
		change("an unknown mode", "flow", func(m *Flow) { m.Mode = "test" }, "flow.mode"),
		change("a moving image", "image", func(m *Media) { m.Link = "https://shop.example/A.GIF?x=1.png" }, "media.format"),
		change("a sticker as an image", "buttons", func(m *Buttons) { m.Header.Media.Link = "https://shop.example/a.webp" }, "media.format"),
		change("no contacts", "contacts", func(m *Contacts) { m.Cards = nil }, "contacts.min"),
		change("six contacts", "contacts", func(m *Contacts) { m.Cards = slices.Repeat([]ContactCard{contact()}, 6) }, "contacts.advised"),
		change("258 contacts", "contacts", func(m *Contacts) { m.Cards = slices.Repeat([]ContactCard{contact()}, 258) }, "contacts.max"),
		change("one card", "link carousel", func(m *Carousel) { m.Cards = m.Cards[:1] }, "carousel.cards.min"),
		change("eleven cards", "link carousel", func(m *Carousel) {
			for range 9 {
				m.Cards = append(m.Cards, linkedCard())
			}
		}, "carousel.cards.max"),
		change("three line breaks on a card", "link carousel", func(m *Carousel) { m.Cards[1].Body = "a\nb\nc\nd" }, "carousel.card.body.line_breaks"),
		change("a link and a reply card", "link carousel", func(m *Carousel) { m.Cards[1] = repliedCard("1") }, "carousel.cards.same"),
		change("two catalogs", "product carousel", func(m *Carousel) { m.Cards[1].CatalogID = "200" }, "carousel.catalog.same"),
		change("a product card without a catalog", "product carousel", func(m *Carousel) { m.Cards[0].CatalogID = "" }, "catalog.id.required"),
		change("the other one without a catalog", "product carousel", func(m *Carousel) { m.Cards[1].CatalogID = "" }, "catalog.id.required"),
		change("a text on a product card", "product carousel", func(m *Carousel) { m.Cards[1].Body = "x" }, "carousel.card.product.forbidden"),
		change("a document on a card", "link carousel", func(m *Carousel) { m.Cards[0].Media.Type = Document }, "media.type"),
		change("a reply card without a picture", "reply carousel", func(m *Carousel) { m.Cards[0].Media = nil }, "carousel.card.header.required"),
		change("a link on a reply card", "reply carousel", func(m *Carousel) { m.Cards[0].Button = "Buy" }, "carousel.card.buttons"),
		change("a product on a reply card", "reply carousel", func(m *Carousel) { m.Cards[0].ProductID = "sku-1" }, "carousel.card.product.forbidden"),
		change("a card's replies with one id and title", "reply carousel", func(m *Carousel) {
			for i := range m.Cards {
				m.Cards[i].Replies = slices.Repeat(m.Cards[i].Replies, 2)
			}
		}, "carousel.quick_reply.id.unique", "carousel.quick_reply.title.unique", "carousel.quick_reply.id.unique", "carousel.quick_reply.title.unique"),
	}
}

func rejectedTemplates() []rejection {
	return []rejection{
		change("capitals in the name", "template", func(m *Template) { m.Name = "Spring" }, "template.name.format"),
		change("a language in words", "template", func(m *Template) { m.Language = "English" }, "template.language.format"),
		change("a line break in a value", "template", func(m *Template) { m.Body[0].Text = "a\nb" }, "template.parameter.line_break"),
		change("a tab in a value", "template", func(m *Template) { m.Body[0].Text = "a\tb" }, "template.parameter.line_break"),
		change("five spaces in a value", "template", func(m *Template) { m.Body[0].Text = "a     b" }, "template.parameter.spaces"),
		change("an empty value", "template", func(m *Template) { m.Body[0].Text = "" }, "template.parameter.one_of"),
		change("a blank value", "template", func(m *Template) { m.Body[0].Text = " " }, "template.parameter.blank"),
		change("two values in one place", "template", func(m *Template) { m.Body[0].DateTime = "1 May" }, "template.parameter.one_of"),
		change("text and amount in one place", "template", func(m *Template) { m.Body[2].Text = "x" }, "template.parameter.one_of"),
		change("values longer than the body may be", "template", func(m *Template) { m.Body[0].Text = strings.Repeat("a", 1011) }, "template.body.max"),
		change("a value longer than the header may be", "template", func(m *Template) { m.Header.Text.Text = strings.Repeat("a", 61) }, "template.header.text.max"),
		change("a currency in words", "template", func(m *Template) { m.Body[2].Currency.Code = "Euro" }, "template.currency.code.format"),
		change("an amount with a point", "template", func(m *Template) { m.Body[2].Currency.Amount1000 = "19.9" }, "template.currency.amount_1000.format"),
		change("named and positional", "template", func(m *Template) { m.Body[0].Name = "first_name" }, "template.parameter.mixed"),
		change("a name with a capital", "named template", func(m *Template) { m.Body[0].Name = "firstName" }, "template.parameter.name"),
		change("a header's name with a capital", "named template", func(m *Template) {
			m.Header = &TemplateHeader{Text: &TemplateParameter{Name: "Season", Text: "Spring"}}
		}, "template.parameter.name"),
		change("a header without a name", "named template", func(m *Template) {
			m.Header = &TemplateHeader{Text: &TemplateParameter{Text: "Spring"}}
		}, "template.parameter.mixed"),
		change("a name twice", "named template", func(m *Template) { m.Body = append(m.Body, m.Body[0]) }, "template.parameter.name.unique"),
		change("an empty header", "template", func(m *Template) { m.Header.Text = nil }, "template.header.one_of"),
		change("a header of two kinds", "template", func(m *Template) { m.Header.Product = &TemplateProduct{"100", "sku-1"} }, "template.header.one_of"),
		change("one index twice", "template", func(m *Template) { m.Buttons[1].Index = 0 }, "template.button.index.unique"),
		change("an index too high", "template", func(m *Template) { m.Buttons[1].Index = 10 }, "template.button.index"),
		change("an unknown button", "template", func(m *Template) { m.Buttons[0].Type = "phone" }, "template.button.type"),
		change("a reply without a payload", "template", func(m *Template) { m.Buttons[0].Text = "" }, "template.button.payload.required"),
		change("data on a reply", "template", func(m *Template) { m.Buttons[0].Data = `{"a":1}` }, "template.button.data.forbidden"),
		change("a thumbnail on a reply", "template", func(m *Template) { m.Buttons[0].Thumbnail = "x" }, "template.button.thumbnail.forbidden"),
		change("products on a reply", "template", func(m *Template) { m.Buttons[0].Sections = []ProductSection{{}} }, "template.button.section.forbidden"),
		change("a whole URL at a URL's end", "template", func(m *Template) { m.Buttons[1].Text = "https://shop.example/spring" }, "template.button.url.whole"),
		change("a space at a URL's end", "template", func(m *Template) { m.Buttons[1].Text = "q=aloe vera" }, "template.button.url.encoding"),
		change("an umlaut at a URL's end", "template", func(m *Template) { m.Buttons[1].Text = "q=K\u00f6ln" }, "template.button.url.encoding"),
		change("three URL buttons", "template", func(m *Template) {
			m.Buttons = append(m.Buttons, TemplateButton{Index: 2, Type: TemplateURL, Text: "a"}, TemplateButton{Index: 3, Type: TemplateURL, Text: "b"})
		}, "template.buttons.url.max"),
		change("a code of 16", "offer template", func(m *Template) { m.Buttons[0].Text = strings.Repeat("A", 16) }, "coupon_code.advised"),
		change("a code of 21", "offer template", func(m *Template) { m.Buttons[0].Text = strings.Repeat("A", 21) }, "coupon_code.max"),
		change("an offer until a date in words", "offer template", func(m *Template) { m.Offer.Expires = "tomorrow" }, "lto.expires.format"),
		change("an offer in seconds", "offer template", func(m *Template) { m.Offer.Expires = "1796083200" }, "lto.expires.format"),
		change("an offer with a text as its header", "offer template", func(m *Template) { m.Header = &TemplateHeader{Text: &TemplateParameter{Text: "x"}} }, "lto.header"),
		change("the code after the URL", "offer template", func(m *Template) { m.Buttons[0].Index, m.Buttons[1].Index = 1, 0 }, "lto.button.order"),
		change("a reply on an offer", "offer template", func(m *Template) { m.Buttons[1].Type = TemplateQuickReply }, "lto.button.type"),
		change("a long body of an offer", "offer template", func(m *Template) { m.Body[0].Text = strings.Repeat("a", 601) }, "template.body.lto.max"),
		change("cards on an offer", "offer template", func(m *Template) { m.Cards = []TemplateCard{templateCard("1"), templateCard("2")} }, "lto.cards"),
		change("one card", "carousel template", func(m *Template) { m.Cards = m.Cards[:1] }, "template.cards.min"),
		change("a card without a header", "carousel template", func(m *Template) { m.Cards[0].Header, m.Cards[1].Header = nil, nil }, "template.card.header.required", "template.card.header.required"),
		change("a card with another header", "carousel template", func(m *Template) { m.Cards[1].Header.Media.Type = Video }, "template.cards.same"),
		change("a card with a text as its header", "carousel template", func(m *Template) {
			for i := range m.Cards {
				m.Cards[i].Header = &TemplateHeader{Text: &TemplateParameter{Text: "x"}}
			}
		}, "template.card.header.type", "template.card.header.type"),
		change("a card's long body", "carousel template", func(m *Template) { m.Cards[0].Body[0].Text = strings.Repeat("a", 161) }, "template.card.body.max"),
		change("a text on a multi-product button", "mpm template", func(m *Template) { m.Buttons[0].Text = "x" }, "template.button.text.forbidden"),
		change("a multi-product button without products", "mpm template", func(m *Template) { m.Buttons[0].Sections = nil }, "product_list.sections.min", "product_list.products_total.min"),
		change("a multi-product button without a thumbnail", "mpm template", func(m *Template) { m.Buttons[0].Thumbnail = "" }, "product.id.required"),
	}
}

// Each change breaks exactly the rules that it names. The golden file holds
// what people read about them.
func TestRejectedMessages(t *testing.T) {
	var out strings.Builder
	for _, c := range rejected() {
		found := Check(c.m, nil)
		var got []string
		fmt.Fprintf(&out, "%s, %s\n", c.m.Kind(), c.name)
		for _, v := range found {
			got = append(got, v.Rule)
			fmt.Fprintf(&out, "  %s %s at %q (%d of %d)\n    %s\n    %s\n", v.Severity, v.Rule, v.Path, v.Got, v.Limit, v.Detail, v.Source)
		}
		slices.Sort(got)
		if diff := gocmp.Diff(slices.Sorted(slices.Values(c.want)), got); diff != "" {
			t.Errorf("%s, %s (-want +got):\n%s", c.m.Kind(), c.name, diff)
		}
	}
	golden.Assert(t, []byte(out.String()), "testdata/rejected.golden")
}

// Every text accepts as many characters as its limit says and not one more. If only
// the UTF-16 count exceeds it, there is a warning.
func TestLengths(t *testing.T) {
	limits := DefaultLimits()
	for name, sample := range valid() {
		var fields []Field
		Fields(sample, func(f Field) { fields = append(fields, f) })
		for i, f := range fields {
			limit := limits[f.Limit]
			_, formed := formats[f.Limit]
			if limit.Max == 0 || f.Type == FieldNumber || f.Type == FieldURL || formed || *f.Text == "" || f.Type == FieldParameter {
				continue
			}
			set := func(text string) []Violation {
				d := &Draft{Message: Clone(sample), Slots: []string{"x"}, Bindings: []Binding{{Path: f.Path, Parts: []Part{{Slot: 0}}}}}
				Fields(d.Message, func(g Field) {
					if g.Path == fields[i].Path {
						*g.Text = ""
					}
				})
				return Check(d.Render([]string{text}), nil)
			}
			if v := set(strings.Repeat("é", limit.Max)); hasError(v) {
				t.Errorf("%s: %s refuses %d: %v", name, f.Path, limit.Max, v)
			}
			if v := set(strings.Repeat("é", limit.Max+1)); !hasRule(v, f.Limit+".max") {
				t.Errorf("%s: %s takes %d: %v", name, f.Path, limit.Max+1, v)
			}
			if v := set(strings.Repeat("😀", limit.Max/2) + "a"); hasError(v) || !hasRule(v, f.Limit+".utf16") {
				t.Errorf("%s: %s does not warn of UTF-16: %v", name, f.Path, v)
			}
		}
	}
}

// A provider's tighter limit is used, and its source is quoted.
func TestTighterLimits(t *testing.T) {
	l := DefaultLimits().With(Limits{"list.row.title": {Min: 1, Max: 3, Source: "a provider's page", Date: "2026-01-02"}})
	found := Check(valid()["list"], l)
	if len(found) != 3 || found[0].Source != "a provider's page (2026-01-02)" || found[0].Limit != 3 {
		t.Errorf("%v", found)
	}
	if DefaultLimits()["list.row.title"].Max != 24 {
		t.Error("a copy changed the limits of everybody")
	}
}

func TestLimitsHaveSources(t *testing.T) {
	for name, l := range DefaultLimits() {
		if l.Source == "" || len(l.Date) != len("2026-01-02") || l == (Limit{Source: l.Source, Date: l.Date}) {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// Violations never contain the text that broke the rule.
func TestDetailsHoldNoText(t *testing.T) {
	secret := "Katharina"
	for name, sample := range valid() {
		for _, text := range []string{secret + "\x00", secret + "\xff", "  " + secret + "  ", strings.Repeat(secret, 4000), "${" + secret} {
			m := Clone(sample)
			Fields(m, func(f Field) { *f.Text = text })
			for _, v := range Check(m, nil) {
				if strings.Contains(v.Detail+v.Path+v.Rule+v.Source, secret) {
					t.Errorf("%s: %+v", name, v)
				}
			}
		}
	}
}

package providertest

import "github.com/handbill/handbill/message"

// Example is one message with a name for its golden file.
type Example struct {
	Name    string
	Message message.Message
}

// Examples returns messages of every kind, each within WhatsApp's limits. Every
// call makes new ones.
func Examples() []Example {
	out := append(plainExamples(), interactiveExamples()...)
	out = append(out, commerceExamples()...)
	out = append(out, templateExamples()...)
	return append(out, featureExamples()...)
}

// featureExamples ask for features that only some providers have.
func featureExamples() []Example {
	quote := &message.Text{Body: "Your order is on its way"}
	message.SetEnvelope(quote, message.Envelope{Quote: "wamid.HBgLMTIwMjU1NTAxMjM"})
	code := &message.Template{Name: "code", Language: "en", Body: []message.TemplateParameter{{Text: "482913"}},
		Buttons: []message.TemplateButton{{Type: message.TemplateURL, Text: "482913"}}}
	message.SetEnvelope(code, message.Envelope{IdentityKeyHash: "DF2lS5v2W6x="})
	return []Example{
		{"quote", quote},
		{"identity-key-hash", code},
		{"marketing-fallback", &message.Template{Name: "sale", Language: "en", Marketing: message.MarketingFallback}},
		{"marketing-strict", &message.Template{Name: "sale", Language: "en", Marketing: message.MarketingStrict}},
	}
}

func image() *message.MediaRef {
	return &message.MediaRef{Type: message.Image, Link: "https://shop.example/pot.jpg"}
}

func plainExamples() []Example {
	return []Example{
		{"text", &message.Text{Body: "Grüße aus dem \"Garten\" \\ 🌱\nBis bald"}},
		{"text-preview", &message.Text{Body: "See https://shop.example/spring", PreviewURL: true}},
		{"image", &message.Media{MediaRef: *image(), Caption: "Spring"}},
		{"video-id", &message.Media{MediaRef: message.MediaRef{Type: message.Video, ID: "1013859600285441"}, Caption: "How to pot"}},
		{"audio-voice", &message.Media{MediaRef: message.MediaRef{Type: message.Audio, Link: "https://shop.example/hello.ogg"}, Voice: true}},
		{"document", &message.Media{MediaRef: message.MediaRef{Type: message.Document, Link: "https://shop.example/p/7?v=2", Filename: "prices.pdf"}, Caption: "Prices"}},
		{"sticker", &message.Media{MediaRef: message.MediaRef{Type: message.Sticker, ID: "798882015472548"}}},
		{"location", &message.Location{Latitude: "52.5200", Longitude: "13.4050", Name: "Garden shop", Address: "Beet 1, Berlin"}},
		{"contacts", &message.Contacts{Cards: []message.ContactCard{contactCard()}}},
		{"reaction", &message.Reaction{MessageID: "wamid.HBgLMTIwMjU1NTAxMjM", Emoji: "👍"}},
		{"reaction-removed", &message.Reaction{MessageID: "wamid.HBgLMTIwMjU1NTAxMjM"}},
	}
}

func contactCard() message.ContactCard {
	return message.ContactCard{
		FormattedName: "Ana Díaz", FirstName: "Ana", LastName: "Díaz", Birthday: "1990-02-03",
		Company: "Garden shop", Department: "Seeds", JobTitle: "Buyer",
		Phones:    []message.ContactPhone{{Phone: "+12025550144", WaID: "12025550144", Type: "WORK"}},
		Emails:    []message.ContactEmail{{Email: "ana@shop.example", Type: "WORK"}},
		URLs:      []message.ContactURL{{URL: "https://shop.example/ana", Type: "WORK"}},
		Addresses: []message.ContactAddress{{Street: "Beet 1", City: "Berlin", Zip: "10115", Country: "Germany", CountryCode: "DE", Type: "WORK"}},
	}
}

func interactiveExamples() []Example {
	return []Example{
		{"list", &message.List{
			Header: "Spring", Body: "Pick a plant", Footer: "While stocks last", Button: "See plants",
			Sections: []message.Section{
				{Title: "Sun", Rows: []message.Row{{ID: "aloe", Title: "Aloe", Description: "Pot 12 cm"}, {ID: "sage", Title: "Sage"}}},
				{Title: "Shade", Rows: []message.Row{{ID: "fern", Title: "Fern", Description: "Likes water"}}},
			},
		}},
		{"list-plain", &message.List{
			Body: "Pick a plant", Button: "See plants",
			Sections: []message.Section{{Rows: []message.Row{{ID: "aloe", Title: "Aloe"}}}},
		}},
		{"buttons", &message.Buttons{
			Header: message.Header{Text: "Delivery"}, Body: "Keep the date?", Footer: "Reply by noon",
			Buttons: []message.Button{{ID: "yes", Title: "Yes"}, {ID: "no", Title: "No"}},
		}},
		{"buttons-image", &message.Buttons{
			Header: message.Header{Media: image()}, Body: "Like it?", Buttons: []message.Button{{ID: "yes", Title: "Yes"}},
		}},
		{"link", &message.Link{
			Header: message.Header{Text: "New"}, Body: "The spring range is here", Footer: "Garden shop",
			Button: "Open shop", URL: "https://shop.example/spring?a=1&b=2",
		}},
		{"location-request", &message.LocationRequest{Body: "Where shall we deliver?"}},
		{"flow", &message.Flow{
			Header: message.Header{Text: "Visit"}, Body: "Book a visit", Footer: "Free", Button: "Book",
			FlowID: "918273645", Mode: "published", Token: "t-1", Action: "navigate", Screen: "START", Data: `{"shop": "Berlin"}`,
		}},
		{"flow-name", &message.Flow{Body: "Book a visit", Button: "Book", FlowName: "visits"}},
		{"carousel", &message.Carousel{Body: "New plants", Cards: []message.CarouselCard{
			{Media: image(), Body: "Aloe", Button: "Buy", URL: "https://shop.example/aloe"},
			{Media: image(), Body: "Sage", Button: "Buy", URL: "https://shop.example/sage"},
		}}},
		{"carousel-replies", &message.Carousel{Body: "New plants", Cards: []message.CarouselCard{
			{Media: image(), Replies: []message.Button{{ID: "aloe", Title: "Aloe"}}},
			{Media: image(), Replies: []message.Button{{ID: "sage", Title: "Sage"}}},
		}}},
		{"address-request", &message.AddressRequest{Body: "Where to?", Country: "IN", Values: `{"city":"Pune"}`}},
		{"call", &message.Call{Body: "Talk to us", Button: "Call", TTLMinutes: "100", Payload: "c1"}},
		{"call-permission-request", &message.CallPermissionRequest{Body: "May we call you?"}},
		{"contact-request", &message.ContactRequest{Body: "May we have your number?"}},
	}
}

func commerceExamples() []Example {
	return []Example{
		{"product", &message.Product{CatalogID: "407921857496983", ProductID: "aloe-12", Body: "Your plant", Footer: "Free pot"}},
		{"product-list", &message.ProductList{
			CatalogID: "407921857496983", Header: "Spring", Body: "For your balcony", Footer: "Garden shop",
			Sections: []message.ProductSection{
				{Title: "Sun", Products: []string{"aloe-12", "sage-9"}},
				{Title: "Shade", Products: []string{"fern-14"}},
			},
		}},
		{"catalog", &message.Catalog{Body: "Browse all plants", Footer: "Garden shop", Thumbnail: "aloe-12"}},
		{"catalog-plain", &message.Catalog{Body: "Browse all plants"}},
		{"carousel-products", &message.Carousel{Body: "New plants", Cards: []message.CarouselCard{
			{CatalogID: "407921857496983", ProductID: "aloe-12"}, {CatalogID: "407921857496983", ProductID: "sage-9"},
		}}},
	}
}

func templateExamples() []Example {
	button := func(i int, t message.TemplateButtonType, text string) message.TemplateButton {
		return message.TemplateButton{Index: i, Type: t, Text: text}
	}
	return []Example{
		{"template-plain", &message.Template{Name: "hello", Language: "en"}},
		{"template", &message.Template{
			Name: "spring_sale", Language: "es_MX",
			Header: &message.TemplateHeader{Text: &message.TemplateParameter{Name: "season", Text: "Spring"}},
			Body: []message.TemplateParameter{
				{Name: "first_name", Text: "Ana"},
				{Name: "price", Currency: &message.TemplateCurrency{Fallback: "€12.50", Code: "EUR", Amount1000: "12500"}},
				{Name: "until", DateTime: "1 May 2026"},
			},
			Buttons: []message.TemplateButton{
				button(0, message.TemplateQuickReply, "stop"), button(1, message.TemplateURL, "promo=s26"),
			},
		}},
		{"template-offer", &message.Template{
			Name: "flash", Language: "en", Header: &message.TemplateHeader{Media: image()},
			Body:  []message.TemplateParameter{{Text: "Ana"}},
			Offer: &message.TemplateOffer{Expires: "1796083200000"},
			Buttons: []message.TemplateButton{
				button(0, message.TemplateCopyCode, "SPRING25"), button(1, message.TemplateURL, "n3mtql"),
			},
		}},
		{"template-location", &message.Template{
			Name: "pickup", Language: "en",
			Header:  &message.TemplateHeader{Location: &message.Location{Latitude: "52.5", Longitude: "13.4", Name: "Shop", Address: "Beet 1"}},
			Buttons: []message.TemplateButton{button(0, message.TemplateVoiceCall, "c1")},
		}},
		{"template-catalog", &message.Template{
			Name: "all_plants", Language: "en",
			Buttons: []message.TemplateButton{{Type: message.TemplateCatalog, Thumbnail: "aloe-12"}},
		}},
		{"template-products", &message.Template{
			Name: "for_you", Language: "en", Body: []message.TemplateParameter{{Text: "Ana"}},
			Buttons: []message.TemplateButton{{
				Type: message.TemplateMultiProduct, Thumbnail: "aloe-12",
				Sections: []message.ProductSection{{Title: "Sun", Products: []string{"aloe-12", "sage-9"}}},
			}},
		}},
		{"template-flow", &message.Template{
			Name: "visit", Language: "en",
			Buttons: []message.TemplateButton{{Type: message.TemplateFlow, Text: "t-1", Data: `{"shop":"Berlin"}`}},
		}},
		{"template-carousel", &message.Template{
			Name: "cards", Language: "en", Body: []message.TemplateParameter{{Text: "Ana"}},
			Cards: []message.TemplateCard{
				{Header: &message.TemplateHeader{Media: image()}, Body: []message.TemplateParameter{{Text: "Aloe"}},
					Buttons: []message.TemplateButton{button(0, message.TemplateQuickReply, "more-1")}},
				{Header: &message.TemplateHeader{Media: image()}, Body: []message.TemplateParameter{{Text: "Sage"}},
					Buttons: []message.TemplateButton{button(0, message.TemplateQuickReply, "more-2")}},
			},
		}},
		{"template-product-carousel", &message.Template{
			Name: "product_cards", Language: "en",
			Cards: []message.TemplateCard{
				{Header: &message.TemplateHeader{Product: &message.TemplateProduct{CatalogID: "407921857496983", ProductID: "aloe-12"}}},
				{Header: &message.TemplateHeader{Product: &message.TemplateProduct{CatalogID: "407921857496983", ProductID: "sage-9"}}},
			},
		}},
	}
}

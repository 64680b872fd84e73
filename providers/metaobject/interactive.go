package metaobject

import (
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
)

// interactive writes the inside of an interactive object.
func (w *writer) interactive(m message.Message) {
	switch m := m.(type) {
	case *message.List:
		w.list(m)
	case *message.Buttons:
		w.frame("button", m.Header, m.Body, m.Footer)
		w.buttons(m.Buttons)
	case *message.Link:
		w.frame("cta_url", m.Header, m.Body, m.Footer)
		w.link(m.Button, m.URL)
	case *message.LocationRequest:
		w.named("location_request_message", m.Body, "send_location")
	case *message.Product:
		w.product(m)
	case *message.ProductList:
		w.productList(m)
	case *message.Catalog:
		w.catalog(m)
	case *message.Flow:
		w.flow(m)
	case *message.Carousel:
		w.carousel(m)
	case *message.AddressRequest:
		w.addressRequest(m)
	case *message.Call:
		w.call(m)
	case *message.CallPermissionRequest:
		w.named("call_permission_request", m.Body, "call_permission_request")
	case *message.ContactRequest:
		w.named("request_contact_info", m.Body, "request_contact_info")
	default:
		w.Fail("Meta's message object has no %s", m.Kind())
	}
}

// frame writes type, header, body and footer.
func (w *writer) frame(kind string, h message.Header, body, footer string) {
	w.Field("type", kind)
	if h.Media != nil || h.Text != "" {
		w.Key("header")
		w.Raw(string(AppendHeader(nil, h)))
	}
	w.part("body", body)
	w.part("footer", footer)
}

func (w *writer) part(key, text string) {
	if text != "" {
		w.Begin(key, '{')
		w.Field("text", text)
		w.Close('}')
	}
}

// named writes a message whose action has only a name.
func (w *writer) named(kind, body, action string) {
	w.frame(kind, message.Header{}, body, "")
	w.Begin("action", '{')
	w.Field("name", action)
	w.Close('}')
}

func (w *writer) list(m *message.List) {
	w.frame("list", message.Header{Text: m.Header}, m.Body, m.Footer)
	w.Begin("action", '{')
	w.Field("button", m.Button)
	w.Begin("sections", '[')
	for i := range m.Sections {
		w.section(&m.Sections[i])
	}
	w.Close(']')
	w.Close('}')
}

func (w *writer) section(s *message.Section) {
	w.Open('{')
	w.Optional("title", s.Title)
	w.Begin("rows", '[')
	for i := range s.Rows {
		r := &s.Rows[i]
		w.Open('{')
		w.Field("id", r.ID)
		w.Field("title", r.Title)
		w.Optional("description", r.Description)
		w.Close('}')
	}
	w.Close(']')
	w.Close('}')
}

func (w *writer) buttons(list []message.Button) {
	w.Begin("action", '{')
	w.replies("reply", list)
	w.Close('}')
}

// replies writes the buttons array; kind is "reply", and "quick_reply" on the
// cards of a carousel.
func (w *writer) replies(kind string, list []message.Button) {
	w.Begin("buttons", '[')
	for _, b := range list {
		w.Open('{')
		w.Field("type", kind)
		w.Begin(kind, '{')
		w.Field("id", b.ID)
		w.Field("title", b.Title)
		w.Close('}')
		w.Close('}')
	}
	w.Close(']')
}

func (w *writer) link(label, url string) {
	w.Begin("action", '{')
	w.Field("name", "cta_url")
	w.Begin("parameters", '{')
	w.Field("display_text", label)
	w.Field("url", url)
	w.Close('}')
	w.Close('}')
}

func (w *writer) product(m *message.Product) {
	w.frame("product", message.Header{}, m.Body, m.Footer)
	w.Begin("action", '{')
	w.Field("catalog_id", m.CatalogID)
	w.Field("product_retailer_id", m.ProductID)
	w.Close('}')
}

func (w *writer) productList(m *message.ProductList) {
	w.frame("product_list", message.Header{Text: m.Header}, m.Body, m.Footer)
	w.Begin("action", '{')
	w.Field("catalog_id", m.CatalogID)
	WriteProductSections(&w.Writer, m.Sections)
	w.Close('}')
}

// WriteProductSections writes the sections of a product list under the key
// sections, as in Meta's message object and formats derived from it.
func WriteProductSections(w *providers.Writer, sections []message.ProductSection) {
	w.Begin("sections", '[')
	for _, s := range sections {
		w.Open('{')
		w.Optional("title", s.Title)
		w.Begin("product_items", '[')
		for _, id := range s.Products {
			w.Open('{')
			w.Field("product_retailer_id", id)
			w.Close('}')
		}
		w.Close(']')
		w.Close('}')
	}
	w.Close(']')
}

func (w *writer) catalog(m *message.Catalog) {
	w.frame("catalog_message", message.Header{}, m.Body, m.Footer)
	w.Begin("action", '{')
	w.Field("name", "catalog_message")
	w.group("parameters", pairs{{"thumbnail_product_retailer_id", m.Thumbnail}})
	w.Close('}')
}

func (w *writer) flow(m *message.Flow) {
	w.frame("flow", m.Header, m.Body, m.Footer)
	w.Begin("action", '{')
	w.Field("name", "flow")
	w.Begin("parameters", '{')
	w.Field("flow_message_version", "3")
	w.Optional("flow_id", m.FlowID)
	w.Optional("flow_name", m.FlowName)
	w.Field("flow_cta", m.Button)
	w.Optional("mode", m.Mode)
	w.Optional("flow_token", m.Token)
	w.Optional("flow_action", m.Action)
	if m.Screen != "" {
		w.Begin("flow_action_payload", '{')
		w.Field("screen", m.Screen)
		if m.Data != "" {
			w.Object("data", m.Data)
		}
		w.Close('}')
	}
	w.Close('}')
	w.Close('}')
}

func (w *writer) carousel(m *message.Carousel) {
	w.frame("carousel", message.Header{}, m.Body, "")
	w.Begin("action", '{')
	w.Key("cards")
	w.Raw(string(CarouselCards(m.Cards)))
	w.Close('}')
}

func (w *writer) carouselCard(i int, c *message.CarouselCard) {
	w.Open('{')
	w.index(i)
	if c.Media == nil {
		w.Field("type", "product")
		w.Begin("action", '{')
		w.Field("product_retailer_id", c.ProductID)
		w.Field("catalog_id", c.CatalogID)
		w.Close('}')
		w.Close('}')
		return
	}
	// Meta's own sample with quick replies says cta_url here too.
	w.frame("cta_url", message.Header{Media: c.Media}, c.Body, "")
	if len(c.Replies) == 0 {
		w.link(c.Button, c.URL)
	} else {
		w.Begin("action", '{')
		w.replies("quick_reply", c.Replies)
		w.Close('}')
	}
	w.Close('}')
}

func (w *writer) addressRequest(m *message.AddressRequest) {
	w.frame("address_message", m.Header, m.Body, m.Footer)
	w.Begin("action", '{')
	w.Field("name", "address_message")
	w.Begin("parameters", '{')
	w.Field("country", m.Country)
	if m.Values != "" {
		w.Object("values", m.Values)
	}
	w.Close('}')
	w.Close('}')
}

func (w *writer) call(m *message.Call) {
	w.frame("voice_call", message.Header{}, m.Body, "")
	w.Begin("action", '{')
	w.Field("name", "voice_call")
	if m.Button != "" || m.TTLMinutes != "" || m.Payload != "" {
		w.Begin("parameters", '{')
		w.Optional("display_text", m.Button)
		if m.TTLMinutes != "" {
			w.number("ttl_minutes", m.TTLMinutes)
		}
		w.Optional("payload", m.Payload)
		w.Close('}')
	}
	w.Close('}')
}

// AppendHeader appends the header of an interactive message as Meta's object.
func AppendHeader(dst []byte, h message.Header) []byte {
	w := &writer{}
	if h.Media != nil {
		w.mediaParameter(h.Media)
	} else {
		w.Open('{')
		w.Field("type", "text")
		w.Field("text", h.Text)
		w.Close('}')
	}
	return append(dst, w.Bytes()...)
}

// CarouselCards returns the cards of a carousel as in Meta's message object and
// formats derived from it.
func CarouselCards(cards []message.CarouselCard) []byte {
	w := &writer{}
	w.Open('[')
	for i := range cards {
		w.carouselCard(i, &cards[i])
	}
	w.Close(']')
	return w.Bytes()
}

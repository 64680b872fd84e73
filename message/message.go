package message

// Kind names a type of message by its block in the language.
type Kind string

// The kinds of message. Sources: Meta, WhatsApp Cloud API, pages under
// messages/ and templates/, read 2026-09-11.
const (
	KindText                  Kind = "text_message"
	KindList                  Kind = "list_message"
	KindButtons               Kind = "button_message"
	KindLink                  Kind = "link_message"
	KindMedia                 Kind = "media_message"
	KindLocationRequest       Kind = "location_request_message"
	KindProduct               Kind = "product_message"
	KindProductList           Kind = "product_list_message"
	KindCatalog               Kind = "catalog_message"
	KindFlow                  Kind = "flow_message"
	KindTemplate              Kind = "template_message"
	KindContacts              Kind = "contact_message"
	KindLocation              Kind = "location_message"
	KindReaction              Kind = "reaction_message"
	KindCarousel              Kind = "carousel_message"
	KindAddressRequest        Kind = "address_request_message"
	KindCall                  Kind = "call_message"
	KindCallPermissionRequest Kind = "call_permission_request_message"
	KindContactRequest        Kind = "contact_request_message"
)

// Message is one WhatsApp message. The set of types is closed: each is a
// pointer to one of this package's structs.
//
// An empty string in an optional field means that the field is absent.
type Message interface {
	// Kind is the message's type.
	Kind() Kind
	// fields visits every text of the message in document order. Paths, limits
	// and pointers are those of the receiver, so that a visitor may set texts.
	fields(v *visitor)
	// clone copies the message so that its texts can be set without touching
	// the original.
	clone() Message
}

// Text is a plain text message.
type Text struct {
	Body       string
	PreviewURL bool // ask WhatsApp to preview the first http(s) URL of Body
}

// List is an interactive list: a text with a button that opens sections of
// rows; the recipient picks one.
type List struct {
	Header   string // optional
	Body     string
	Footer   string // optional
	Button   string // the label that opens the list
	Sections []Section
}

// Section is a titled group of rows of a List.
type Section struct {
	Title string // required where there is more than one section
	Rows  []Row
}

// Row is one choice of a List.
type Row struct {
	ID          string // comes back when the row is picked; unique in the message
	Title       string
	Description string // optional
}

// Buttons is a message with one to three reply buttons.
type Buttons struct {
	Header  Header // optional: text, image, video or document
	Body    string
	Footer  string // optional
	Buttons []Button
}

// Button is one reply button.
type Button struct {
	ID    string // comes back when the button is tapped; unique in the message
	Title string // unique in the message
}

// Link is a message with one button that opens a URL (Meta's cta_url).
type Link struct {
	Header Header // optional: text, image, video or document
	Body   string
	Footer string // optional
	Button string // label
	URL    string
}

// Header is the head of an interactive message: nothing, a text, or a medium.
type Header struct {
	Text  string
	Media *MediaRef // image, video or document; nil for a text or no header
}

// MediaType names a kind of medium as Meta does.
type MediaType string

// The kinds of media.
const (
	Image    MediaType = "image"
	Video    MediaType = "video"
	Audio    MediaType = "audio"
	Document MediaType = "document"
	Sticker  MediaType = "sticker"
)

// MediaRef points at a medium: a public link, or the id of an upload.
type MediaRef struct {
	Type     MediaType
	Link     string // http(s) URL; exactly one of Link and ID
	ID       string // media id at the provider
	Filename string // documents only, optional: its extension draws the icon
}

// Media is an image, video, audio, document or sticker.
type Media struct {
	MediaRef
	Caption string // optional; not for audio and stickers
	Voice   bool   // audio only: a voice message (OGG/OPUS)
}

// LocationRequest asks the recipient to share a location.
type LocationRequest struct{ Body string }

// Product shows one product of a catalog.
type Product struct {
	CatalogID string
	ProductID string // retailer id
	Body      string // optional
	Footer    string // optional
}

// ProductList shows sections of products of one catalog.
type ProductList struct {
	CatalogID string
	Header    string
	Body      string
	Footer    string // optional
	Sections  []ProductSection
}

// ProductSection is a titled group of products.
type ProductSection struct {
	Title    string   // required where there is more than one section
	Products []string // retailer ids
}

// Catalog opens the whole catalog of the sending number.
type Catalog struct {
	Body      string
	Footer    string // optional
	Thumbnail string // optional: retailer id of the product whose picture is shown
}

// Flow opens a WhatsApp Flow. Exactly one of FlowID and FlowName.
type Flow struct {
	Header   Header // optional
	Body     string
	Footer   string // optional
	Button   string // Meta's flow_cta
	FlowID   string
	FlowName string
	Mode     string // "draft" or "published"; "" is published
	Token    string // optional; "" is Meta's default "unused"
	Action   string // "navigate" (the default) or "data_exchange"
	Screen   string // with navigate: the first screen
	Data     string // with navigate: a non-empty JSON object, or ""
}

// Contacts is one or more contact cards.
type Contacts struct{ Cards []ContactCard }

// ContactCard is one contact, in the Cloud API's words.
type ContactCard struct {
	FormattedName string
	FirstName     string
	LastName      string
	MiddleName    string
	Prefix        string
	Suffix        string
	Birthday      string // YYYY-MM-DD
	Company       string
	Department    string
	JobTitle      string
	Phones        []ContactPhone
	Emails        []ContactEmail
	URLs          []ContactURL
	Addresses     []ContactAddress
}

// ContactPhone is a number of a ContactCard.
type ContactPhone struct{ Phone, WaID, Type string }

// ContactEmail is an address of a ContactCard.
type ContactEmail struct{ Email, Type string }

// ContactURL is a page of a ContactCard.
type ContactURL struct{ URL, Type string }

// ContactAddress is a postal address of a ContactCard.
type ContactAddress struct{ Street, City, State, Zip, Country, CountryCode, Type string }

// Location is a pin on a map. Latitude and Longitude are decimal degrees.
type Location struct {
	Latitude  string
	Longitude string
	Name      string // optional
	Address   string // optional
}

// Reaction sets or, with an empty Emoji, removes an emoji on a message.
type Reaction struct {
	MessageID string
	Emoji     string
}

// Carousel is a row of two to ten cards under one text.
type Carousel struct {
	Body  string
	Cards []CarouselCard
}

// CarouselCard is one card: a product (CatalogID and ProductID), or a medium
// with either one link (Button and URL) or quick replies.
type CarouselCard struct {
	Media     *MediaRef
	Body      string // optional
	Button    string
	URL       string
	Replies   []Button
	CatalogID string
	ProductID string
}

// AddressRequest asks an Indian user for a postal address (+91 only).
type AddressRequest struct {
	Header  Header // optional
	Body    string
	Footer  string // optional
	Country string // "IN"
	Values  string // optional JSON object of fields to fill in
}

// Call is a message with a button that calls the business.
type Call struct {
	Body       string
	Button     string // optional; "" shows "Call Now"
	TTLMinutes string // optional, 1 to 43200
	Payload    string // optional
}

// CallPermissionRequest asks whether the business may call.
type CallPermissionRequest struct{ Body string }

// ContactRequest asks somebody who hides the number to share it.
type ContactRequest struct{ Body string }

// Template is a message that Meta approved beforehand: the only kind that may
// be sent while the recipient's 24-hour window is closed.
type Template struct {
	Name     string
	Language string // "en", "es_MX"
	Header   *TemplateHeader
	Body     []TemplateParameter
	Buttons  []TemplateButton
	Cards    []TemplateCard // carousel; all of one shape
	Offer    *TemplateOffer // limited-time offer
}

// TemplateParameter fills one place of a template's text. Exactly one of Text,
// Currency and DateTime.
type TemplateParameter struct {
	Name     string // for named parameters; "" for positional
	Text     string
	Currency *TemplateCurrency
	DateTime string // Meta's date_time fallback_value
}

// TemplateCurrency is an amount of money in a template.
type TemplateCurrency struct {
	Fallback   string
	Code       string // ISO 4217
	Amount1000 string // the amount times 1000, an integer
}

// TemplateHeader fills a template's header: a text, a medium, a location or a
// product.
type TemplateHeader struct {
	Text     *TemplateParameter
	Media    *MediaRef
	Location *Location
	Product  *TemplateProduct
}

// TemplateProduct names a product in a template's header or card.
type TemplateProduct struct{ CatalogID, ProductID string }

// TemplateButton fills a button of a template. Index is its position in the
// template's definition.
type TemplateButton struct {
	Index int
	Type  TemplateButtonType
	// Text is the value of its type: the payload of a quick reply, the URL's
	// variable end, the coupon code, the flow token, the call's payload.
	Text string
	// Data is the JSON object of a flow's flow_action_data.
	Data string
	// Thumbnail and Sections are for catalog and multi-product buttons.
	Thumbnail string
	Sections  []ProductSection
}

// TemplateButtonType is Meta's sub_type of a button component.
type TemplateButtonType string

// The types of template buttons.
const (
	TemplateQuickReply   TemplateButtonType = "quick_reply"
	TemplateURL          TemplateButtonType = "url"
	TemplateCopyCode     TemplateButtonType = "copy_code"
	TemplateCatalog      TemplateButtonType = "catalog"
	TemplateMultiProduct TemplateButtonType = "mpm"
	TemplateFlow         TemplateButtonType = "flow"
	TemplateVoiceCall    TemplateButtonType = "voice_call"
)

// TemplateCard is one card of a carousel template.
type TemplateCard struct {
	Header  *TemplateHeader
	Body    []TemplateParameter
	Buttons []TemplateButton
}

// TemplateOffer is the limited-time offer of a template.
type TemplateOffer struct {
	Expires string // Unix milliseconds, an integer
}

// Kind implements Message.
func (*Text) Kind() Kind                  { return KindText }
func (*List) Kind() Kind                  { return KindList }
func (*Buttons) Kind() Kind               { return KindButtons }
func (*Link) Kind() Kind                  { return KindLink }
func (*Media) Kind() Kind                 { return KindMedia }
func (*LocationRequest) Kind() Kind       { return KindLocationRequest }
func (*Product) Kind() Kind               { return KindProduct }
func (*ProductList) Kind() Kind           { return KindProductList }
func (*Catalog) Kind() Kind               { return KindCatalog }
func (*Flow) Kind() Kind                  { return KindFlow }
func (*Template) Kind() Kind              { return KindTemplate }
func (*Contacts) Kind() Kind              { return KindContacts }
func (*Location) Kind() Kind              { return KindLocation }
func (*Reaction) Kind() Kind              { return KindReaction }
func (*Carousel) Kind() Kind              { return KindCarousel }
func (*AddressRequest) Kind() Kind        { return KindAddressRequest }
func (*Call) Kind() Kind                  { return KindCall }
func (*CallPermissionRequest) Kind() Kind { return KindCallPermissionRequest }
func (*ContactRequest) Kind() Kind        { return KindContactRequest }

// NeedsWindow reports whether m may be sent only while the recipient's 24-hour
// customer service window is open: everything but a template.
// Source: Meta, messages/send-messages, 2026-09-11.
func NeedsWindow(m Message) bool { return m.Kind() != KindTemplate }

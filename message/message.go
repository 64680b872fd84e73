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
	// fields visits every text of the message in document order. The pointers point
	// into the receiver, so that a visitor may set texts.
	fields(v *visitor)
	// clone copies the message so that its texts can be set without changing the
	// original; the contents of Around may be shared or missing.
	clone() Message
	// around returns the message's envelope.
	around() *Around
}

// Text is a plain text message.
type Text struct {
	Body       string `json:"body,omitempty"`
	PreviewURL bool   `json:"preview_url,omitempty"` // ask WhatsApp to preview the first http(s) URL of Body
	Around
}

// List is an interactive list: a text with a button that opens sections of
// rows; the recipient picks one.
type List struct {
	Header   string    `json:"header,omitempty"` // optional
	Body     string    `json:"body,omitempty"`
	Footer   string    `json:"footer,omitempty"` // optional
	Button   string    `json:"button,omitempty"` // the label that opens the list
	Sections []Section `json:"sections,omitempty"`
	Around
}

// Section is a titled group of rows of a List.
type Section struct {
	Title string `json:"title,omitempty"` // required if there is more than one section
	Rows  []Row  `json:"rows,omitempty"`
}

// Row is one choice of a List.
type Row struct {
	ID          string `json:"id,omitempty"` // comes back when the row is picked; unique in the message
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"` // optional
}

// Buttons is a message with one to three reply buttons.
type Buttons struct {
	Header  Header   `json:"header,omitzero"` // optional: text, image, video or document
	Body    string   `json:"body,omitempty"`
	Footer  string   `json:"footer,omitempty"` // optional
	Buttons []Button `json:"buttons,omitempty"`
	Around
}

// Button is one reply button.
type Button struct {
	ID    string `json:"id,omitempty"`    // comes back when the button is tapped; unique in the message
	Title string `json:"title,omitempty"` // unique in the message
}

// Link is a message with one button that opens a URL (Meta's cta_url).
type Link struct {
	Header Header `json:"header,omitzero"` // optional: text, image, video or document
	Body   string `json:"body,omitempty"`
	Footer string `json:"footer,omitempty"` // optional
	Button string `json:"button,omitempty"` // label
	URL    string `json:"url,omitempty"`
	Around
}

// Header is the head of an interactive message: nothing, a text, or a medium.
type Header struct {
	Text  string    `json:"text,omitempty"`
	Media *MediaRef `json:"media,omitempty"` // image, video or document; nil for a text or no header
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
	Type     MediaType `json:"type,omitempty"`
	Link     string    `json:"link,omitempty"`     // http(s) URL; exactly one of Link and ID
	ID       string    `json:"id,omitempty"`       // media id at the provider
	Filename string    `json:"filename,omitempty"` // documents only, optional: its extension draws the icon
}

// Media is an image, video, audio, document or sticker.
type Media struct {
	MediaRef
	Caption string `json:"caption,omitempty"` // optional; not for audio and stickers
	Voice   bool   `json:"voice,omitempty"`   // audio only: a voice message (OGG/OPUS)
	Around
}

// LocationRequest asks the recipient to share a location.
type LocationRequest struct {
	Body string `json:"body,omitempty"`
	Around
}

// Product shows one product of a catalog.
type Product struct {
	CatalogID string `json:"catalog_id,omitempty"`
	ProductID string `json:"product_id,omitempty"` // retailer id
	Body      string `json:"body,omitempty"`       // optional
	Footer    string `json:"footer,omitempty"`     // optional
	Around
}

// ProductList shows sections of products of one catalog.
type ProductList struct {
	CatalogID string           `json:"catalog_id,omitempty"`
	Header    string           `json:"header,omitempty"`
	Body      string           `json:"body,omitempty"`
	Footer    string           `json:"footer,omitempty"` // optional
	Sections  []ProductSection `json:"sections,omitempty"`
	Around
}

// ProductSection is a titled group of products.
type ProductSection struct {
	Title    string   `json:"title,omitempty"`    // required if there is more than one section
	Products []string `json:"products,omitempty"` // retailer ids
}

// Catalog opens the whole catalog of the sending number.
type Catalog struct {
	Body      string `json:"body,omitempty"`
	Footer    string `json:"footer,omitempty"`    // optional
	Thumbnail string `json:"thumbnail,omitempty"` // optional: retailer id of the product whose picture is shown
	Around
}

// Flow opens a WhatsApp Flow. Exactly one of FlowID and FlowName.
type Flow struct {
	Header   Header `json:"header,omitzero"` // optional
	Body     string `json:"body,omitempty"`
	Footer   string `json:"footer,omitempty"` // optional
	Button   string `json:"button,omitempty"` // Meta's flow_cta
	FlowID   string `json:"flow_id,omitempty"`
	FlowName string `json:"flow_name,omitempty"`
	Mode     string `json:"mode,omitempty"`   // "draft" or "published"; "" is published
	Token    string `json:"token,omitempty"`  // optional; "" is Meta's default "unused"
	Action   string `json:"action,omitempty"` // "navigate" (the default) or "data_exchange"
	Screen   string `json:"screen,omitempty"` // with navigate: the first screen
	Data     string `json:"data,omitempty"`   // with navigate: a non-empty JSON object, or ""
	Around
}

// Contacts is one or more contact cards.
type Contacts struct {
	Cards []ContactCard `json:"cards,omitempty"`
	Around
}

// ContactCard is one contact, in the Cloud API's words.
type ContactCard struct {
	FormattedName string           `json:"formatted_name,omitempty"`
	FirstName     string           `json:"first_name,omitempty"`
	LastName      string           `json:"last_name,omitempty"`
	MiddleName    string           `json:"middle_name,omitempty"`
	Prefix        string           `json:"prefix,omitempty"`
	Suffix        string           `json:"suffix,omitempty"`
	Birthday      string           `json:"birthday,omitempty"` // YYYY-MM-DD
	Company       string           `json:"company,omitempty"`
	Department    string           `json:"department,omitempty"`
	JobTitle      string           `json:"job_title,omitempty"`
	Phones        []ContactPhone   `json:"phones,omitempty"`
	Emails        []ContactEmail   `json:"emails,omitempty"`
	URLs          []ContactURL     `json:"urls,omitempty"`
	Addresses     []ContactAddress `json:"addresses,omitempty"`
}

// ContactPhone is a number of a ContactCard.
type ContactPhone struct {
	Phone string `json:"phone,omitempty"`
	WaID  string `json:"wa_id,omitempty"`
	Type  string `json:"type,omitempty"`
}

// ContactEmail is an address of a ContactCard.
type ContactEmail struct {
	Email string `json:"email,omitempty"`
	Type  string `json:"type,omitempty"`
}

// ContactURL is a page of a ContactCard.
type ContactURL struct {
	URL  string `json:"url,omitempty"`
	Type string `json:"type,omitempty"`
}

// ContactAddress is a postal address of a ContactCard.
type ContactAddress struct {
	Street      string `json:"street,omitempty"`
	City        string `json:"city,omitempty"`
	State       string `json:"state,omitempty"`
	Zip         string `json:"zip,omitempty"`
	Country     string `json:"country,omitempty"`
	CountryCode string `json:"country_code,omitempty"`
	Type        string `json:"type,omitempty"`
}

// Location is a pin on a map. Latitude and Longitude are decimal degrees.
type Location struct {
	Latitude  string `json:"latitude,omitempty"`
	Longitude string `json:"longitude,omitempty"`
	Name      string `json:"name,omitempty"`    // optional
	Address   string `json:"address,omitempty"` // optional
	Around
}

// Reaction sets or, with an empty Emoji, removes an emoji on a message.
type Reaction struct {
	MessageID string `json:"message_id,omitempty"`
	Emoji     string `json:"emoji,omitempty"`
	Around
}

// Carousel is a row of two to ten cards under one text.
type Carousel struct {
	Body  string         `json:"body,omitempty"`
	Cards []CarouselCard `json:"cards,omitempty"`
	Around
}

// CarouselCard is one card: a product (CatalogID and ProductID), or a medium
// with either one link (Button and URL) or quick replies.
type CarouselCard struct {
	Media     *MediaRef `json:"media,omitempty"`
	Body      string    `json:"body,omitempty"` // optional
	Button    string    `json:"button,omitempty"`
	URL       string    `json:"url,omitempty"`
	Replies   []Button  `json:"replies,omitempty"`
	CatalogID string    `json:"catalog_id,omitempty"`
	ProductID string    `json:"product_id,omitempty"`
}

// AddressRequest asks an Indian user for a postal address (+91 only).
type AddressRequest struct {
	Header  Header `json:"header,omitzero"` // optional
	Body    string `json:"body,omitempty"`
	Footer  string `json:"footer,omitempty"`  // optional
	Country string `json:"country,omitempty"` // "IN"
	Values  string `json:"values,omitempty"`  // optional JSON object of fields to fill in
	Around
}

// Call is a message with a button that calls the business.
type Call struct {
	Body       string `json:"body,omitempty"`
	Button     string `json:"button,omitempty"`      // optional; "" shows "Call Now"
	TTLMinutes string `json:"ttl_minutes,omitempty"` // optional, 1 to 43200
	Payload    string `json:"payload,omitempty"`     // optional
	Around
}

// CallPermissionRequest asks whether the business may call.
type CallPermissionRequest struct {
	Body string `json:"body,omitempty"`
	Around
}

// ContactRequest asks a person who hides their number to share it.
type ContactRequest struct {
	Body string `json:"body,omitempty"`
	Around
}

// Template is a message that Meta approved beforehand: the only kind that may
// be sent while the recipient's 24-hour window is closed.
type Template struct {
	Name     string              `json:"name,omitempty"`
	Language string              `json:"language,omitempty"` // "en", "es_MX"
	Header   *TemplateHeader     `json:"header,omitempty"`
	Body     []TemplateParameter `json:"body,omitempty"`
	Buttons  []TemplateButton    `json:"buttons,omitempty"`
	Cards    []TemplateCard      `json:"cards,omitempty"` // carousel; all of one shape
	Offer    *TemplateOffer      `json:"offer,omitempty"` // limited-time offer
	// Marketing sends the template through Meta's Marketing Messages API instead of
	// the general one; "" does not. It does not change what the recipient gets, so
	// a Digest leaves it out.
	Marketing MarketingPolicy `json:"marketing_messages,omitempty"`
	Around
}

// MarketingPolicy says what happens to a template that Marketing Messages can't
// deliver.
type MarketingPolicy string

// The policies. Source: Meta, marketing-messages, product_policy, 2026-09-11.
const (
	MarketingFallback MarketingPolicy = "fallback" // it goes out as an ordinary template
	MarketingStrict   MarketingPolicy = "strict"   // it fails
)

// TemplateParameter fills one place of a template's text. Exactly one of Text,
// Currency and DateTime.
type TemplateParameter struct {
	Name     string            `json:"name,omitempty"` // for named parameters; "" for positional
	Text     string            `json:"text,omitempty"`
	Currency *TemplateCurrency `json:"currency,omitempty"`
	DateTime string            `json:"date_time,omitempty"` // Meta's date_time fallback_value
}

// TemplateCurrency is an amount of money in a template.
type TemplateCurrency struct {
	Fallback   string `json:"fallback,omitempty"`
	Code       string `json:"code,omitempty"`        // ISO 4217
	Amount1000 string `json:"amount_1000,omitempty"` // the amount times 1000, an integer
}

// TemplateHeader fills a template's header: a text, a medium, a location or a
// product.
type TemplateHeader struct {
	Text     *TemplateParameter `json:"text,omitempty"`
	Media    *MediaRef          `json:"media,omitempty"`
	Location *Location          `json:"location,omitempty"`
	Product  *TemplateProduct   `json:"product,omitempty"`
}

// TemplateProduct names a product in a template's header or card.
type TemplateProduct struct {
	CatalogID string `json:"catalog_id,omitempty"`
	ProductID string `json:"product_id,omitempty"`
}

// TemplateButton fills a button of a template. Index is its position in the
// template's definition.
type TemplateButton struct {
	Index int                `json:"index"`
	Type  TemplateButtonType `json:"type,omitempty"`
	// Text is the value for the button's type: the payload of a quick reply, the
	// variable end of a URL, the coupon code, the flow token, or the call's
	// payload.
	Text string `json:"text,omitempty"`
	// Data is the JSON object of a flow's flow_action_data.
	Data string `json:"data,omitempty"`
	// Thumbnail and Sections are for catalog and multi-product buttons.
	Thumbnail string           `json:"thumbnail,omitempty"`
	Sections  []ProductSection `json:"sections,omitempty"`
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
	Header  *TemplateHeader     `json:"header,omitempty"`
	Body    []TemplateParameter `json:"body,omitempty"`
	Buttons []TemplateButton    `json:"buttons,omitempty"`
}

// TemplateOffer is the limited-time offer of a template.
type TemplateOffer struct {
	Expires string `json:"expires,omitempty"` // Unix milliseconds, an integer
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

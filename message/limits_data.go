package message

// bound is the numbers of a Limit.
type bound struct{ min, max, warn int }

// limitGroup is the limits that one documentation page states.
type limitGroup struct {
	source string
	date   string
	bounds map[string]bound
}

const (
	metaDocs = "https://developers.facebook.com/documentation/business-messaging/whatsapp/"
	metaDate = "2026-09-11"

	// interactiveBodyMax bounds the body of every interactive message. Meta's
	// page on lists says 4096, but the running API refuses more than 1024 for
	// lists too: "Body text length invalid. Min length: 1, Max length: 1024"
	// (131009), so the stricter figure is an error.
	interactiveBodyMax = 1024
)

// limitGroups returns every limit by the page that states it. Ids have no entry if
// the pages do not bound them.
func limitGroups() []limitGroup {
	groups := messageLimits()
	groups = append(groups, interactiveLimits()...)
	return append(groups, templateLimits()...)
}

func messageLimits() []limitGroup {
	return []limitGroup{
		{metaDocs + "messages/text-messages", metaDate, map[string]bound{
			"text.body": {min: 1, max: 4096},
		}},
		{metaDocs + "messages/image-messages", metaDate, map[string]bound{
			"caption":     {max: 1024},
			"media.image": {max: 5 << 20, warn: 5_000_000},
		}},
		{metaDocs + "messages/video-messages", metaDate, map[string]bound{
			"media.video": {max: 16 << 20, warn: 16_000_000},
		}},
		{metaDocs + "messages/audio-messages", metaDate, map[string]bound{
			"media.audio":     {max: 16 << 20, warn: 16_000_000},
			"voice.play_icon": {warn: 512 << 10},
		}},
		{metaDocs + "messages/document-messages", metaDate, map[string]bound{
			"media.document": {max: 100 << 20, warn: 100_000_000},
		}},
		{metaDocs + "messages/sticker-messages", metaDate, map[string]bound{
			"media.sticker.static":   {max: 100 << 10, warn: 100_000},
			"media.sticker.animated": {max: 500 << 10, warn: 500_000},
		}},
		{metaDocs + "messages/contacts-messages; at most 5 in Meta's OpenAPI v23.0", metaDate, map[string]bound{
			"contacts": {min: 1, max: 257, warn: 5},
		}},
		{metaDocs + "messages/send-messages", metaDate, map[string]bound{
			"biz_opaque_callback_data": {max: 512},
		}},
	}
}

func interactiveLimits() []limitGroup {
	return []limitGroup{
		{"Meta's OpenAPI v23.0 (HeaderObject, BodyObject, FooterObject) and the API's own words under 131009", "2025-11-20", map[string]bound{
			"header.text":      {min: 1, max: 60},
			"interactive.body": {min: 1, max: interactiveBodyMax},
			"footer.text":      {min: 1, max: 60},
		}},
		{metaDocs + "messages/interactive-list-messages", metaDate, map[string]bound{
			"list.button":          {min: 1, max: 20},
			"list.sections":        {min: 1, max: 10},
			"list.section.rows":    {min: 1},
			"list.rows_total":      {min: 1, max: 10},
			"list.section.title":   {min: 1, max: 24},
			"list.row.id":          {min: 1, max: 200},
			"list.row.title":       {min: 1, max: 24},
			"list.row.description": {max: 72},
		}},
		{metaDocs + "messages/interactive-reply-buttons-messages", metaDate, map[string]bound{
			"button.count": {min: 1, max: 3},
			"button.id":    {min: 1, max: 256},
			"button.title": {min: 1, max: 20},
		}},
		{metaDocs + "messages/interactive-cta-url-messages; no length of the URL is stated, 2000 is a common cap of clients", metaDate, map[string]bound{
			"cta_url.display_text": {min: 1, max: 20},
			"cta_url.url":          {min: 1, warn: 2000},
		}},
		{metaDocs + "messages/interactive-flow-messages and Meta's OpenAPI v23.0", metaDate, map[string]bound{
			"flow.cta": {min: 1, max: 30},
		}},
		{metaDocs + "catalogs/sell-products-and-services/share-products", metaDate, map[string]bound{
			"product_list.products_total":   {min: 1, max: 30},
			"product_list.sections":         {min: 1, max: 10},
			"product_list.section.products": {min: 1, max: 30},
			"product_list.section.title":    {min: 1, max: 24},
			"cart.units_per_item":           {max: 99},
		}},
		{"https://developers.facebook.com/documentation/ads-commerce/catalog/reference", "2026-04-03", map[string]bound{
			"product.id":           {min: 1, max: 100},
			"items_batch.requests": {max: 5000, warn: 3000},
		}},
		{metaDocs + "messages/interactive-media-carousel-messages", "2025-12-22", map[string]bound{
			"carousel.cards":             {min: 2, max: 10},
			"carousel.card.body":         {max: 160},
			"carousel.card.body.breaks":  {max: 2},
			"carousel.quick_reply.title": {min: 1, max: 20},
			"carousel.quick_reply.id":    {min: 1, max: 256, warn: 20},
		}},
		{metaDocs + "calling/call-button-messages-deep-links", metaDate, map[string]bound{
			"voice_call.display_text": {min: 1, max: 20},
			"voice_call.ttl_minutes":  {min: 1, max: 43200},
			"voice_call.payload":      {max: 512},
		}},
	}
}

func templateLimits() []limitGroup {
	return []limitGroup{
		{metaDocs + "templates/components", metaDate, map[string]bound{
			"template.name":              {min: 1, max: 512},
			"template.header.text":       {max: 60},
			"template.body":              {max: 1024},
			"template.body.spm":          {max: 160},
			"template.footer":            {max: 60},
			"template.buttons":           {max: 10},
			"template.buttons.url":       {max: 2},
			"template.buttons.phone":     {max: 1},
			"template.buttons.copy_code": {max: 1},
			"template.button.text":       {max: 25},
			"template.button.url":        {min: 1, max: 2000},
			"template.button.phone":      {max: 20},
		}},
		{"Meta's OpenAPI v23.0", "2025-11-20", map[string]bound{
			"template.parameter": {min: 1, max: 32768},
		}},
		{metaDocs + "templates/components (15) and the changelog of 2025-12-03 (20)", metaDate, map[string]bound{
			"coupon_code": {min: 1, max: 20, warn: 15},
		}},
		{metaDocs + "templates/authentication-templates/authentication-templates", metaDate, map[string]bound{
			"otp": {max: 15},
		}},
		{metaDocs + "templates/marketing-templates/limited-time-offer-templates", metaDate, map[string]bound{
			"template.body.lto": {max: 600},
			"lto.text":          {max: 16},
		}},
		{metaDocs + "templates/marketing-templates/media-card-carousel-templates", metaDate, map[string]bound{
			"template.cards":        {min: 2, max: 10},
			"template.card.body":    {max: 160},
			"template.card.buttons": {max: 2},
		}},
		{metaDocs + "payments/payments-br/orders", metaDate, map[string]bound{
			"order.reference_id": {max: 60},
		}},
	}
}

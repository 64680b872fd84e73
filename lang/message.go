package lang

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// messageBody is a message's block as it was parsed. It is decoded again for each
// campaign and reply rule, because their values may change its structure.
type messageBody struct {
	block  block
	broken bool // wrong whatever is passed; reported by Load
}

// messageDecoder decodes one message. Texts stay expressions: in the decoded
// struct, each is a mark that refers to one of texts.
type messageDecoder struct {
	*decoder
	cfg   *Config
	texts []textDecl
	// category is a template's, where it is declared.
	category string
	// data is the block through which a template is read; nil if it is named by a text.
	data    *DataTemplate
	in      *module  // in which the message is declared; nil for none
	catalog *Catalog // in which products are looked up; nil if not known
}

// textDecl is a text of a message before it is compiled.
type textDecl struct {
	expr hclsyntax.Expression
	rng  hcl.Range
}

// messageScope is what texts may refer to before it is known who uses the
// message.
var messageScope = scope{rootRecipient: nil, rootValue: nil}

func (l *loader) decodeMessageBlock(b *block) *Message {
	m := &Message{Module: b.module(), Kind: message.Kind(b.kind), Name: b.label(0), DeclRange: b.defRange, body: &messageBody{block: *b}}
	before := l.diags.errors()
	md := &messageDecoder{decoder: &decoder{ev: l.ev, diags: l.diags, scope: messageScope, expanded: maxDynamicBlocks - maxMessageBlocks}, cfg: l.cfg}
	md.decode(m.Kind, b)
	m.Category = md.category
	m.body.broken = l.diags.errors() > before
	b.tree.labels = nil
	m.Tree = b.tree.asTree()
	return m
}

// A mark stands for the i-th text until that is bound.
const markPrefix = "\x00text "

func (d *messageDecoder) add(e hclsyntax.Expression) string {
	d.texts = append(d.texts, textDecl{expr: e, rng: e.Range()})
	return markPrefix + strconv.Itoa(len(d.texts)-1)
}

// marked returns the text that a mark stands for.
func (d *messageDecoder) marked(s string) *textDecl {
	rest, ok := strings.CutPrefix(s, markPrefix)
	if !ok {
		return nil
	}
	i, err := strconv.Atoi(rest)
	if err != nil || i >= len(d.texts) {
		return nil
	}
	return &d.texts[i]
}

// text returns the mark of an argument that is a text.
func (d *messageDecoder) text(c *content, name string) string {
	if a := c.args[name]; a != nil {
		return d.add(a.expr)
	}
	return ""
}

// literal returns the mark of a label or another constant of the source.
func (d *messageDecoder) literal(s string, rng hcl.Range) string {
	return d.add(&hclsyntax.LiteralValueExpr{Val: cty.StringVal(s), SrcRange: rng})
}

// label is the first label of a block as a text.
func (d *messageDecoder) label(b *block) string {
	if e := b.labelExprs[0]; e != nil {
		return d.add(e)
	}
	return d.literal(b.label(0), b.labelRange(0))
}

// jsonArg is an argument that is a JSON object: written as an object, or as
// text.
func (d *messageDecoder) jsonArg(c *content, name string) string {
	a := c.args[name]
	if a == nil {
		return ""
	}
	e := a.expr
	if _, isTemplate := e.(*hclsyntax.TemplateExpr); isTemplate {
		return d.add(e)
	}
	if call, isCall := unwrap(e).(*hclsyntax.FunctionCallExpr); isCall && call.Name == "jsonencode" {
		return d.add(e)
	}
	rng := e.Range()
	return d.add(&hclsyntax.FunctionCallExpr{Name: "jsonencode", Args: []hclsyntax.Expression{e}, NameRange: rng, OpenParenRange: rng, CloseParenRange: rng})
}

func (d *messageDecoder) decode(kind message.Kind, b *block) message.Message {
	d.in = b.env.in()
	switch kind {
	case message.KindText:
		return d.decodeText(b)
	case message.KindList:
		return d.decodeList(b)
	case message.KindButtons:
		return d.decodeButtons(b)
	case message.KindLink:
		return d.decodeLink(b)
	case message.KindMedia:
		return d.decodeMedia(b)
	case message.KindProduct:
		return d.decodeProduct(b)
	case message.KindProductList:
		return d.decodeProductList(b)
	case message.KindCatalog:
		return d.decodeCatalogMessage(b)
	case message.KindFlow:
		return d.decodeFlow(b)
	case message.KindTemplate:
		return d.decodeTemplate(b)
	case message.KindContacts:
		return d.decodeContacts(b)
	case message.KindCarousel:
		return d.decodeCarousel(b)
	}
	return d.decodePlain(kind, b)
}

var bodySchema = schema("body!")

// decodePlain decodes the kinds that have only texts.
func (d *messageDecoder) decodePlain(kind message.Kind, b *block) message.Message {
	switch kind {
	case message.KindLocationRequest:
		return &message.LocationRequest{Body: d.text(d.content(b, bodySchema), "body")}
	case message.KindContactRequest:
		return &message.ContactRequest{Body: d.text(d.content(b, bodySchema), "body")}
	case message.KindCallPermissionRequest:
		return &message.CallPermissionRequest{Body: d.text(d.content(b, schema("body")), "body")}
	case message.KindLocation:
		c := d.content(b, schema("latitude! longitude! name address"))
		return d.location(c)
	case message.KindReaction:
		c := d.content(b, schema("message_id! emoji!"))
		return &message.Reaction{MessageID: d.text(c, "message_id"), Emoji: d.text(c, "emoji")}
	case message.KindCall:
		c := d.content(b, schema("body! button ttl_minutes payload"))
		return &message.Call{Body: d.text(c, "body"), Button: d.text(c, "button"), TTLMinutes: d.text(c, "ttl_minutes"), Payload: d.text(c, "payload")}
	case message.KindAddressRequest:
		c := d.content(b, schema("header body! footer country! values", blockOf("header")))
		return &message.AddressRequest{
			Header: d.header(c), Body: d.text(c, "body"), Footer: d.text(c, "footer"), Country: d.text(c, "country"), Values: d.jsonArg(c, "values"),
		}
	}
	panic("lang: a kind of message has no decoder: " + string(kind))
}

func (d *messageDecoder) location(c *content) *message.Location {
	return &message.Location{
		Latitude: d.text(c, "latitude"), Longitude: d.text(c, "longitude"), Name: d.text(c, "name"), Address: d.text(c, "address"),
	}
}

func (d *messageDecoder) decodeText(b *block) message.Message {
	c := d.content(b, schema("body! preview_url"))
	return &message.Text{Body: d.text(c, "body"), PreviewURL: d.boolean(c, "preview_url")}
}

var listSchema = schema("header body! footer button!", blockOf("section", "title"))

var sectionSchema = schema("", blockOf("row", "id"))

var rowSchema = schema("title! description")

func (d *messageDecoder) decodeList(b *block) message.Message {
	c := d.content(b, listSchema)
	m := &message.List{Header: d.text(c, "header"), Body: d.text(c, "body"), Footer: d.text(c, "footer"), Button: d.text(c, "button")}
	for _, sb := range c.blocks {
		s := message.Section{Title: d.label(sb)}
		for _, rb := range d.content(sb, sectionSchema).blocks {
			rc := d.content(rb, rowSchema)
			s.Rows = append(s.Rows, message.Row{
				ID: d.label(rb), Title: d.text(rc, "title"), Description: d.text(rc, "description"),
			})
		}
		m.Sections = append(m.Sections, s)
	}
	return m
}

var buttonsSchema = schema("header body! footer", blockOf("header"), blockOf("button", "id"))

func (d *messageDecoder) decodeButtons(b *block) message.Message {
	c := d.content(b, buttonsSchema)
	m := &message.Buttons{Header: d.header(c), Body: d.text(c, "body"), Footer: d.text(c, "footer")}
	m.Buttons = d.buttons(c, "button")
	return m
}

func (d *messageDecoder) buttons(c *content, kind string) []message.Button {
	var out []message.Button
	for _, bb := range c.ofKind(kind) {
		bc := d.content(bb, schema("title!"))
		out = append(out, message.Button{ID: d.label(bb), Title: d.text(bc, "title")})
	}
	return out
}

func (d *messageDecoder) decodeLink(b *block) message.Message {
	c := d.content(b, schema("header body! footer button! url!", blockOf("header")))
	return &message.Link{
		Header: d.header(c), Body: d.text(c, "body"), Footer: d.text(c, "footer"), Button: d.text(c, "button"), URL: d.text(c, "url"),
	}
}

var headerSchema = schema("text image video document filename")

// header is the argument header, a text, or the block header with a text or a
// medium.
func (d *messageDecoder) header(c *content) message.Header {
	hb := d.atMostOne(c, "header")
	if a := c.args["header"]; a != nil {
		if hb != nil {
			d.diags.err("conflicting_arguments", a.rng, "The header is either a text or a block.")
		}
		return message.Header{Text: d.add(a.expr)}
	}
	if hb == nil {
		return message.Header{}
	}
	hc := d.content(hb, headerSchema)
	d.exclusive(hc, "text", "image", "video", "document")
	if hc.args["text"] != nil {
		return message.Header{Text: d.text(hc, "text")}
	}
	media := d.media(hc, message.Image, message.Video, message.Document)
	if media == nil {
		d.diags.err("missing_argument", hb.defRange, "A header block needs text, image, video or document.")
	}
	return message.Header{Media: media}
}

// media is the medium that one of the arguments types names: a link, or
// media_id("…") for an upload.
func (d *messageDecoder) media(c *content, types ...message.MediaType) *message.MediaRef {
	for _, t := range types {
		a := c.args[string(t)]
		if a == nil {
			continue
		}
		ref := &message.MediaRef{Type: t, Filename: d.text(c, "filename")}
		if call, ok := unwrap(a.expr).(*hclsyntax.FunctionCallExpr); ok && call.Name == "media_id" {
			if len(call.Args) != 1 {
				d.diags.err("function_call", a.expr.Range(), "media_id takes one argument, the id that the provider gave for the upload.")
				return ref
			}
			ref.ID = d.add(call.Args[0])
			return ref
		}
		if v, ok := d.quietConstant(a.expr); ok {
			if id, isID := eval.MediaID(v); isID {
				ref.ID = d.literal(id, a.expr.Range())
				return ref
			}
		}
		ref.Link = d.add(a.expr)
		return ref
	}
	return nil
}

// quietConstant returns the value of a constant expression. Errors in it are
// reported when it is compiled.
func (d *messageDecoder) quietConstant(e hclsyntax.Expression) (cty.Value, bool) {
	if uses(e, scopedRoots...) {
		return cty.NilVal, false
	}
	var quiet diagList
	return d.ev.constant(e, &quiet)
}

func (d *messageDecoder) decodeMedia(b *block) message.Message {
	c := d.content(b, schema("image video audio document sticker caption filename voice"))
	names := []string{"image", "video", "audio", "document", "sticker"}
	d.exclusive(c, names...)
	ref := d.media(c, message.Image, message.Video, message.Audio, message.Document, message.Sticker)
	if ref == nil {
		d.diags.err("missing_argument", b.defRange, "A media_message needs one of %s.", listOf(names))
		return &message.Media{MediaRef: message.MediaRef{Type: message.Image}, Caption: d.text(c, "caption")}
	}
	return &message.Media{MediaRef: *ref, Caption: d.text(c, "caption"), Voice: d.boolean(c, "voice")}
}

func (d *messageDecoder) decodeFlow(b *block) message.Message {
	c := d.content(b, schema("header body! footer button! flow_id flow_name mode token action screen data", blockOf("header")))
	d.exclusive(c, "flow_id", "flow_name")
	if c.args["flow_id"] == nil && c.args["flow_name"] == nil {
		d.diags.err("missing_argument", b.defRange, "A flow_message needs flow_id or flow_name.")
	}
	return &message.Flow{
		Header: d.header(c), Body: d.text(c, "body"), Footer: d.text(c, "footer"), Button: d.text(c, "button"),
		FlowID: d.text(c, "flow_id"), FlowName: d.text(c, "flow_name"), Token: d.text(c, "token"), Screen: d.text(c, "screen"),
		Mode: d.oneOf(c, "mode", "", "draft", "published"), Action: d.oneOf(c, "action", "navigate", "data_exchange"), Data: d.jsonArg(c, "data"),
	}
}

var cardSchema = schema("body button url catalog product", blockOf("header"), blockOf("reply", "id"))

func (d *messageDecoder) decodeCarousel(b *block) message.Message {
	c := d.content(b, schema("body!", blockOf("card")))
	m := &message.Carousel{Body: d.text(c, "body")}
	for _, cb := range c.blocks {
		cc := d.content(cb, cardSchema)
		card := message.CarouselCard{
			Body: d.text(cc, "body"), Button: d.text(cc, "button"), URL: d.text(cc, "url"), Replies: d.buttons(cc, "reply"),
			CatalogID: d.catalogArg(cc),
		}
		card.ProductID = d.productArg(cc, "product")
		if hb := d.atMostOne(cc, "header"); hb != nil {
			hc := d.content(hb, schema("image video"))
			d.exclusive(hc, "image", "video")
			if card.Media = d.media(hc, message.Image, message.Video); card.Media == nil {
				d.diags.err("missing_argument", hb.defRange, "The header of a card needs image or video.")
			}
		}
		m.Cards = append(m.Cards, card)
	}
	return m
}

var contactSchema = schema("formatted_name! first_name last_name middle_name prefix suffix birthday company department job_title",
	blockOf("phone"), blockOf("email"), blockOf("url"), blockOf("address"))

func (d *messageDecoder) decodeContacts(b *block) message.Message {
	c := d.content(b, schema("", blockOf("contact")))
	m := &message.Contacts{}
	for _, cb := range c.blocks {
		m.Cards = append(m.Cards, d.contact(cb))
	}
	if len(c.blocks) == 0 {
		d.diags.err("missing_block", b.defRange, "A contact_message needs a contact block.")
	}
	return m
}

func (d *messageDecoder) contact(b *block) message.ContactCard {
	c := d.content(b, contactSchema)
	card := message.ContactCard{
		FormattedName: d.text(c, "formatted_name"), FirstName: d.text(c, "first_name"), LastName: d.text(c, "last_name"),
		MiddleName: d.text(c, "middle_name"), Prefix: d.text(c, "prefix"), Suffix: d.text(c, "suffix"), Birthday: d.text(c, "birthday"),
		Company: d.text(c, "company"), Department: d.text(c, "department"), JobTitle: d.text(c, "job_title"),
	}
	for _, pb := range c.blocks {
		switch pb.kind {
		case "phone":
			pc := d.content(pb, schema("phone! wa_id type"))
			card.Phones = append(card.Phones, message.ContactPhone{Phone: d.text(pc, "phone"), WaID: d.text(pc, "wa_id"), Type: d.text(pc, "type")})
		case "email":
			pc := d.content(pb, schema("email! type"))
			card.Emails = append(card.Emails, message.ContactEmail{Email: d.text(pc, "email"), Type: d.text(pc, "type")})
		case "url":
			pc := d.content(pb, schema("url! type"))
			card.URLs = append(card.URLs, message.ContactURL{URL: d.text(pc, "url"), Type: d.text(pc, "type")})
		case "address":
			pc := d.content(pb, schema("street city state zip country country_code type"))
			card.Addresses = append(card.Addresses, message.ContactAddress{
				Street: d.text(pc, "street"), City: d.text(pc, "city"), State: d.text(pc, "state"), Zip: d.text(pc, "zip"),
				Country: d.text(pc, "country"), CountryCode: d.text(pc, "country_code"), Type: d.text(pc, "type"),
			})
		}
	}
	return card
}

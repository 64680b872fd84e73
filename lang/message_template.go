package lang

import (
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/handbill/handbill/message"
)

var templateSchema = schema("template! language! body category marketing_messages",
	blockOf("header"), blockOf("button", "index"), blockOf("card"), blockOf("limited_time_offer"))

func (d *messageDecoder) decodeTemplate(b *block) message.Message {
	c := d.content(b, templateSchema)
	m := &message.Template{Name: d.templateOf(c), Language: d.text(c, "language"), Header: d.templateHeader(c)}
	m.Body = d.parameters(c.args["body"])
	d.category = d.templateCategory(c)
	m.Marketing = d.marketing(c)
	for _, bb := range c.ofKind("button") {
		m.Buttons = append(m.Buttons, d.templateButton(bb))
	}
	for _, cb := range c.ofKind("card") {
		cc := d.content(cb, schema("body", blockOf("header"), blockOf("button", "index")))
		card := message.TemplateCard{Header: d.templateHeader(cc), Body: d.parameters(cc.args["body"])}
		for _, bb := range cc.ofKind("button") {
			card.Buttons = append(card.Buttons, d.templateButton(bb))
		}
		m.Cards = append(m.Cards, card)
	}
	if ob := d.atMostOne(c, "limited_time_offer"); ob != nil {
		m.Offer = &message.TemplateOffer{Expires: d.text(d.content(ob, schema("expires!")), "expires")}
	}
	return m
}

// templateCategory is what Meta approved the template as.
func (d *messageDecoder) templateCategory(c *content) string {
	name := d.str(c, "category")
	if name != "" && name != "marketing" && name != "utility" && name != "authentication" {
		d.invalid(c, "category", `is "marketing", "utility" or "authentication"`)
		return ""
	}
	return name
}

// marketing says whether and how the template is sent through Marketing Messages.
func (d *messageDecoder) marketing(c *content) message.MarketingPolicy {
	if c.args["marketing_messages"] == nil {
		return ""
	}
	policy := d.oneOf(c, "marketing_messages", string(message.MarketingFallback), string(message.MarketingStrict))
	if d.category == "utility" || d.category == "authentication" {
		d.invalid(c, "marketing_messages", "is for marketing templates alone, and category says that this one is "+d.category)
	}
	return message.MarketingPolicy(policy)
}

var templateHeaderSchema = schema("text parameter_name image video document filename latitude longitude name address catalog product")

func (d *messageDecoder) templateHeader(c *content) *message.TemplateHeader {
	hb := d.atMostOne(c, "header")
	if hb == nil {
		return nil
	}
	hc := d.content(hb, templateHeaderSchema)
	d.exclusive(hc, "text", "image", "video", "document", "latitude", "product")
	if hc.args["parameter_name"] != nil && hc.args["text"] == nil {
		d.diags.err("missing_argument", hc.rangeOf("parameter_name"), "parameter_name names the variable of a text header, so text is needed too: what to put there.")
	}
	h := &message.TemplateHeader{}
	switch {
	case hc.args["text"] != nil:
		p := d.parameter(d.str(hc, "parameter_name"), hc.args["text"].expr)
		h.Text = &p
	case hc.args["latitude"] != nil || hc.args["longitude"] != nil:
		if hc.args["latitude"] == nil || hc.args["longitude"] == nil {
			d.diags.err("missing_argument", hb.defRange, "A location needs latitude and longitude.")
		}
		h.Location = d.location(hc)
	case hc.args["product"] != nil:
		h.Product = &message.TemplateProduct{CatalogID: d.catalogArg(hc)}
		h.Product.ProductID = d.productArg(hc, "product")
	default:
		if h.Media = d.media(hc, message.Image, message.Video, message.Document); h.Media == nil {
			d.diags.err("missing_argument", hb.defRange, "A template's header needs text, image, video, document, latitude and longitude, or catalog and product.")
			return nil
		}
	}
	return h
}

// parameters are a template's: a list for positional ones, an object for
// named ones.
func (d *messageDecoder) parameters(a *argument) []message.TemplateParameter {
	if a == nil {
		return nil
	}
	var out []message.TemplateParameter
	switch e := unwrap(a.expr).(type) {
	case *hclsyntax.TupleConsExpr:
		for _, item := range e.Exprs {
			out = append(out, d.parameter("", item))
		}
		return out
	case *hclsyntax.ObjectConsExpr:
		for _, item := range e.Items {
			if name, ok := d.key(item); ok {
				out = append(out, d.parameter(name, item.ValueExpr))
			}
		}
		return out
	}
	return d.computedParameters(a)
}

func (d *messageDecoder) computedParameters(a *argument) []message.TemplateParameter {
	if uses(a.expr, rootValue) && !uses(a.expr, rootRecipient) {
		return nil // known once a campaign gives the value
	}
	if uses(a.expr, scopedRoots...) {
		d.diags.err("shape_depends", a.expr.Range(), "The parameters are a list such as [recipient.name] or an object such as { name = recipient.name }; how many there are may not depend on the recipient.")
		return nil
	}
	v, ok := d.ev.constant(a.expr, d.diags)
	if !ok {
		return nil
	}
	elements, problem := elementsOf(v, nil)
	if problem != "" {
		d.diags.err("unsuitable_value", a.expr.Range(), "The parameters are a list such as [recipient.name] or an object such as { name = recipient.name }.")
		return nil
	}
	named := v.Type().IsObjectType() || v.Type().IsMapType()
	var out []message.TemplateParameter
	for _, el := range elements {
		name := ""
		if named {
			name = el.GetAttr("key").AsString()
		}
		out = append(out, d.parameter(name, &hclsyntax.LiteralValueExpr{Val: el.GetAttr("value"), SrcRange: a.expr.Range()}))
	}
	return out
}

// key is the constant key of an object's item.
func (d *messageDecoder) key(item hclsyntax.ObjectConsItem) (string, bool) {
	if word := hcl.ExprAsKeyword(item.KeyExpr); word != "" {
		return word, true
	}
	v, ok := d.ev.constant(item.KeyExpr, d.diags)
	if !ok {
		return "", false
	}
	s, ok := literalText(v)
	if !ok {
		d.diags.err("unsuitable_value", item.KeyExpr.Range(), "A key must be a text.")
	}
	return s, ok
}

// parameter is one parameter: a text, or { currency = {…} } or { date_time =
// … } for Meta's typed ones.
func (d *messageDecoder) parameter(name string, e hclsyntax.Expression) message.TemplateParameter {
	p := message.TemplateParameter{Name: name}
	obj, ok := unwrap(e).(*hclsyntax.ObjectConsExpr)
	if !ok {
		p.Text = d.add(e)
		return p
	}
	for _, item := range obj.Items {
		key, ok := d.key(item)
		if !ok {
			continue
		}
		switch key {
		case "text":
			p.Text = d.add(item.ValueExpr)
		case "date_time":
			p.DateTime = d.add(item.ValueExpr)
		case "currency":
			p.Currency = d.currency(item.ValueExpr)
		default:
			d.diags.err("unsupported_argument", item.KeyExpr.Range(), "A parameter is a text, or an object with text, date_time or currency.%s", didYouMean(key, []string{"text", "date_time", "currency"}))
		}
	}
	if len(obj.Items) != 1 {
		d.diags.err("conflicting_arguments", e.Range(), "A parameter has exactly one of text, date_time and currency.")
	}
	return p
}

func (d *messageDecoder) currency(e hclsyntax.Expression) *message.TemplateCurrency {
	out := &message.TemplateCurrency{}
	fields := map[string]*string{"fallback": &out.Fallback, "code": &out.Code, "amount_1000": &out.Amount1000}
	obj, ok := unwrap(e).(*hclsyntax.ObjectConsExpr)
	if !ok {
		d.diags.err("unsuitable_value", e.Range(), "A currency is an object: { fallback = \"19.90 EUR\", code = \"EUR\", amount_1000 = 19900 }.")
		return out
	}
	for _, item := range obj.Items {
		key, ok := d.key(item)
		if !ok {
			continue
		}
		field := fields[key]
		if field == nil {
			d.diags.err("unsupported_argument", item.KeyExpr.Range(), "A currency has fallback, code and amount_1000.%s", didYouMean(key, sortedKeys(fields)))
			continue
		}
		*field = d.add(item.ValueExpr)
	}
	for _, name := range sortedKeys(fields) {
		if *fields[name] == "" {
			d.diags.err("missing_argument", e.Range(), "A currency needs %s.", name)
		}
	}
	return out
}

var templateButtonSchema = schema("type! text data thumbnail", blockOf("section", "title"))

func (d *messageDecoder) templateButton(b *block) message.TemplateButton {
	c := d.content(b, templateButtonSchema)
	out := message.TemplateButton{
		Type: message.TemplateButtonType(d.oneOf(c, "type", string(message.TemplateQuickReply), string(message.TemplateURL),
			string(message.TemplateCopyCode), string(message.TemplateCatalog), string(message.TemplateMultiProduct),
			string(message.TemplateFlow), string(message.TemplateVoiceCall))),
		Text: d.text(c, "text"), Data: d.jsonArg(c, "data"), Thumbnail: d.productArg(c, "thumbnail"), Sections: d.productSections(c),
	}
	index, err := strconv.Atoi(b.label(0))
	if err != nil || index < 0 || index > 9 {
		d.diags.err("invalid_value", b.labelRange(0), "The label of a template's button is its place in the template, \"0\" to \"9\".")
	}
	out.Index = index
	return out
}

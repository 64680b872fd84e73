package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/message"
)

// DataTemplate is a template as messages refer to it: a data "template" block,
// whose template was made elsewhere and is never changed, or a template block.
type DataTemplate struct {
	Module   string // the module's address; "" for none
	Label    string
	Provider *Provider // a number of the account; nil where the reference is wrong
	Template string    // its name in the account
	// Declared is the template block that this stands for; nil for a data block.
	Declared  *Template
	DeclRange hcl.Range
}

// Address is "data.template.otp", or "template.spring" for a template block.
func (d *DataTemplate) Address() string {
	if d.Declared != nil {
		return message.WithModule(d.Module, rootTemplate+"."+d.Label)
	}
	return message.WithModule(d.Module, rootData+"."+dataTemplate+"."+d.Label)
}

// dataTemplate is the only type of data so far.
const dataTemplate = "template"

func (l *loader) decodeData() {
	for decl := range l.of(rootData) {
		b := decl.block
		if kind := b.label(0); kind != dataTemplate {
			l.diags.err("invalid_value", b.labelRange(0), "There is no data of type %q.%s There is: %q.", kind, didYouMean(kind, []string{dataTemplate}), dataTemplate)
			continue
		}
		l.cfg.Data = append(l.cfg.Data, l.decodeDataTemplate(b))
	}
}

func (l *loader) decodeDataTemplate(b *block) *DataTemplate {
	c := l.content(b, schema("provider! name!"))
	d := &DataTemplate{Module: b.module(), Label: b.label(1), DeclRange: b.defRange}
	if a := c.args["provider"]; a != nil {
		if address, ok := l.refer(a, rootProvider); ok {
			d.Provider = l.cfg.provider(address)
		}
	}
	if c.args["name"] == nil {
		return d
	}
	if d.Template = l.str(c, "name"); d.Template != "" && !account.TemplateName.MatchString(d.Template) {
		l.invalid(c, "name", "is a template's name, which has lower-case letters, digits and underscores only")
	}
	return d
}

func (c *Config) dataTemplate(address string) *DataTemplate {
	if t := c.template(address); t != nil {
		return t.Held
	}
	for _, d := range c.Data {
		if d.Address() == address {
			return d
		}
	}
	return nil
}

// templateOf reads the argument template of a template_message: a text, or a
// reference to a data block, which stands for the name of its template.
func (d *messageDecoder) templateOf(c *content) string {
	a := c.args["template"]
	if a == nil {
		return ""
	}
	address, ok := d.dataAddress(a)
	if !ok {
		if uses(a.expr, rootData, rootTemplate) {
			d.diags.err("unsuitable_value", a.expr.Range(), "A template is named as a whole, as in template = template.NAME or template = data.template.NAME, so that the message is checked against it.")
		}
		return d.add(a.expr)
	}
	if d.data = d.cfg.dataTemplate(address); d.data == nil {
		return "" // reported where it is declared, or by dataAddress
	}
	return d.literal(d.data.Template, a.expr.Range())
}

// dataAddress returns the data block that an argument refers to, directly or
// through a local; ok is false for anything else.
func (d *messageDecoder) dataAddress(a *argument) (address string, ok bool) {
	if t, isRef := a.reference(); isRef && (rootKind(t) == rootData || rootKind(t) == rootTemplate) {
		if address, ok = d.ev.addressOf(t); ok {
			d.ev.checkReference(t, nil, d.diags)
		}
		return address, ok
	}
	v, ok := d.quietConstant(a.expr)
	if !ok {
		return "", false
	}
	v, _ = v.UnmarkDeep()
	if v.IsNull() || !v.Type().IsObjectType() || !v.Type().HasAttribute("address") || v.GetAttr("address").Type() != cty.String {
		return "", false
	}
	address = v.GetAttr("address").AsString()
	return address, message.AddressType(address) == rootData || message.AddressType(address) == rootTemplate
}

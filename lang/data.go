package lang

import (
	"regexp"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// DataTemplate is a data "template" block: a template that was made elsewhere,
// which a plan reads and never changes.
type DataTemplate struct {
	Label     string
	Provider  *Provider // a number of the account; nil where the reference is wrong
	Template  string    // its name in the account
	DeclRange hcl.Range
}

// Address is "data.template.otp".
func (d *DataTemplate) Address() string { return rootData + "." + dataTemplate + "." + d.Label }

// dataTemplate is the only type of data so far.
const dataTemplate = "template"

// templateName is what WhatsApp takes as a template's name.
// Source: Meta, template-management, read 2026-09-11.
var templateName = regexp.MustCompile(`^[a-z0-9_]{1,512}$`)

func (l *loader) decodeData() {
	for _, decl := range l.of(rootData) {
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
	d := &DataTemplate{Label: b.label(1), DeclRange: b.defRange}
	if a := c.args["provider"]; a != nil {
		if address, ok := l.refer(a, rootProvider); ok {
			d.Provider = l.cfg.provider(address)
		}
	}
	if c.args["name"] == nil {
		return d
	}
	if d.Template = l.str(c, "name"); d.Template != "" && !templateName.MatchString(d.Template) {
		l.invalid(c, "name", "is a template's name, which has lower-case letters, digits and underscores only")
	}
	return d
}

func (c *Config) dataTemplate(address string) *DataTemplate {
	for _, d := range c.Data {
		if d.Address() == address {
			return d
		}
	}
	return nil
}

// templateOf is the argument template of a template_message: a text, or a
// reference to a data block, whose template's name it becomes.
func (d *messageDecoder) templateOf(c *content) string {
	a := c.args["template"]
	if a == nil {
		return ""
	}
	address, ok := d.dataAddress(a)
	if !ok {
		if uses(a.expr, rootData) {
			d.diags.err("unsuitable_value", a.expr.Range(), "A template that is read is named as a whole, as in template = data.template.NAME, so that the message is held against it.")
		}
		return d.add(a.expr)
	}
	if d.data = d.cfg.dataTemplate(address); d.data == nil {
		return "" // reported where it is declared, or by dataAddress
	}
	return d.literal(d.data.Template, a.expr.Range())
}

// dataAddress is the data block that an argument refers to, by itself or through
// a local; ok is false for anything else.
func (d *messageDecoder) dataAddress(a *argument) (address string, ok bool) {
	if t, isRef := asTraversal(a.expr); isRef && t.RootName() == rootData {
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
	return address, rootOf(address) == rootData
}

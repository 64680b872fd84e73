package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/handbill/handbill/lang/eval"
	"github.com/handbill/handbill/message"
)

// Variant is a variant block of a campaign. A recipient gets the first variant
// whose condition they meet, or the campaign's own message if they meet none.
type Variant struct {
	Name      string
	When      string // the condition as it is written
	Message   *Message
	Fallback  *Message // nil to use the campaign's
	DeclRange hcl.Range
	when      hclsyntax.Expression
}

// VariantProgram is a variant compiled. It is safe for concurrent use.
type VariantProgram struct {
	Main     *Program
	Fallback *Program // nil to use the campaign's, or if there is none

	when   *eval.Program
	extras bool // the condition uses recipient.phone or recipient.user_id
}

var variantSchema = schema("when! message! fallback")

func (l *loader) decodeVariants(cm *Campaign, c *content) {
	for _, b := range c.ofKind("variant") {
		vc := l.content(b, variantSchema)
		v := &Variant{Name: b.label(0), Message: l.messageRef(vc, "message"), Fallback: l.fallbackRef(vc), DeclRange: b.defRange, when: exprOf(vc, "when")}
		if v.when != nil {
			v.When = sourceOf(v.when)
		}
		for _, before := range cm.Variants {
			if before.Name == v.Name {
				l.diags.err("duplicate_declaration", b.defRange, "The campaign has a variant %q already, at %s.", v.Name, before.DeclRange)
			}
		}
		if v.Name == "" {
			l.diags.err("invalid_name", b.labelRange(0), "A variant needs a name, such as \"de\".")
		}
		cm.Variants = append(cm.Variants, v)
	}
}

// fallbackRef is the message that the argument fallback refers to; nil for none.
func (l *loader) fallbackRef(c *content) *Message {
	m := l.messageRef(c, "fallback")
	if m != nil && m.Kind != message.KindTemplate {
		l.diags.err("invalid_value", c.rangeOf("fallback"), "The fallback is for recipients whose 24-hour window is closed, who can get a template_message only; %s is not one.", m.Address())
	}
	return m
}

// Messages returns all messages that the campaign may send: its own, its fallback,
// and those of its variants and arms.
func (cm *Campaign) Messages() []*Message {
	list := []*Message{cm.Message, cm.Fallback}
	for _, v := range cm.Variants {
		list = append(list, v.Message, v.Fallback)
	}
	if e := cm.Experiment; e != nil {
		for _, a := range e.Arms {
			list = append(list, a.Message, a.Fallback)
			for _, v := range a.Variants {
				list = append(list, v.Message, v.Fallback)
			}
		}
	}
	out := list[:0]
	for _, m := range list {
		if m != nil {
			out = append(out, m)
		}
	}
	return out
}

// CompileVariants compiles a campaign's variants, in their order. There are none
// where CompileCampaign finds errors.
func (c *Config) CompileVariants(cm *Campaign) []VariantProgram { return c.compile(cm).variants }

// variants compiles the conditions and messages of a campaign's variants.
func (b *binder) variants(cm *Campaign) []VariantProgram {
	var out []VariantProgram
	for _, v := range cm.Variants {
		if v.Message == nil || v.when == nil {
			continue // reported where it is declared
		}
		p := VariantProgram{when: b.condition(v.when), extras: usesAddress(v.when)}
		b.quote = cm.quote
		p.Main = b.program(v.Message)
		if v.Fallback != nil {
			b.quote = nil // a template quotes no message
			p.Fallback = b.program(v.Fallback)
		}
		out = append(out, p)
	}
	return out
}

// condition compiles a condition on the recipient; nil where it is wrong.
func (b *binder) condition(e hclsyntax.Expression) *eval.Program {
	if !b.cfg.eval.check(e, b.scope, b.diags) {
		return nil
	}
	names := b.names
	if !usesAddress(e) {
		names = b.attributes
	}
	p, diags := eval.Compile(e, b.cfg.eval.fullContext(), eval.Input{Root: rootRecipient, Names: names})
	b.diags.take(diags)
	if p != nil && p.Sensitive() {
		b.diags.err("sensitive_value", e.Range(), "Who gets which variant is shown in plans, so a condition may not be made from a sensitive value.")
	}
	if p == nil {
		return nil
	}
	if v, ok := p.Const(); ok && v.IsWhollyKnown() {
		if _, err := p.EvalBool(make([]message.Value, len(names))); err != nil {
			b.diags.err("unsuitable_value", e.Range(), "A condition, true or false, is needed here.")
		}
	}
	return p
}

// Met reports whether a recipient meets the variant's condition. A condition that
// has no result because an attribute of the recipient is empty is not met. Any
// other error is a *ValueError.
func (p *VariantProgram) Met(r *message.Recipient) (bool, error) {
	vals := r.Attributes
	if p.extras {
		vals = append(append(make([]message.Value, 0, len(vals)+2), vals...), addressValue(r.Phone), addressValue(r.UserID))
	}
	ok, err := p.when.EvalBool(vals)
	if err == nil {
		return ok, nil
	}
	for _, ref := range p.when.Refs() {
		if ref.Index >= 0 && vals[ref.Index].Empty() {
			return false, nil
		}
	}
	return false, valueError(err, p.when.Range())
}

package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/handbill/handbill/lang/eval"
)

func (d *decoder) decodeProvider(b *block) *Provider {
	p := &Provider{Module: b.module(), Type: b.label(0), Name: b.label(1), Arguments: map[string]cty.Value{}, DeclRange: b.defRange}
	ps, ok := d.ev.opt.Schemas[p.Type]
	if !ok {
		if d.ev.opt.Schemas != nil {
			d.diags.err("unknown_provider", b.labelRange(0), "There is no provider of type %q.%s There are: %s.", p.Type,
				didYouMean(p.Type, sortedKeys(d.ev.opt.Schemas)), listOf(sortedKeys(d.ev.opt.Schemas)))
		}
		return p
	}
	c := d.content(b, providerSchema(ps))
	for _, arg := range ps.Arguments {
		if a := c.args[arg.Name]; a != nil {
			if variable := d.unsetVariable(a.expr); arg.Sensitive && variable != "" {
				p.Unset = append(p.Unset, UnsetSecret{arg.Name, variable})
				d.diags.warn("unset_secret", a.expr.Range(), "The environment variable %s is not set. validate and plan do without it; apply, serve and refresh, which contact the provider, need it.", variable)
				continue
			}
			if v, ok := d.providerArgument(a, arg); ok {
				p.Arguments[arg.Name] = v
			}
		}
	}
	d.hideSecrets(b, ps)
	b.tree.labels = nil
	p.tree = b.tree.asTree()
	return p
}

// unsetVariable returns an environment variable that e reads and that is not set;
// "" if there is none.
func (d *decoder) unsetVariable(e hclsyntax.Expression) (name string) {
	if d.ev.opt.Env == nil {
		return ""
	}
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		if !ok || call.Name != "env" || len(call.Args) != 1 {
			return nil
		}
		v, diags := call.Args[0].Value(nil)
		if diags.HasErrors() || v.IsNull() || v.Type() != cty.String {
			return nil // evaluating it says what is wrong
		}
		if _, set := d.ev.opt.Env(v.AsString()); !set && name == "" {
			name = v.AsString()
		}
		return nil
	})
	return name
}

func providerSchema(ps ProviderSchema) *hcl.BodySchema {
	s := &hcl.BodySchema{}
	for _, arg := range ps.Arguments {
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: arg.Name, Required: arg.Required})
	}
	return s
}

// hideSecrets removes sensitive arguments from the tree, wherever their values come
// from.
func (d *decoder) hideSecrets(b *block, ps ProviderSchema) {
	for i := range b.tree.attributes {
		at := &b.tree.attributes[i]
		for _, arg := range ps.Arguments {
			if arg.Name == at.Name && arg.Sensitive {
				*at = Attribute{Name: at.Name, Sensitive: true}
			}
		}
	}
}

func (d *decoder) providerArgument(a *argument, arg ProviderArgument) (cty.Value, bool) {
	v, ok := d.ev.constant(a.expr, d.diags)
	if !ok {
		return cty.NilVal, false
	}
	ty := arg.Type
	if ty == cty.NilType {
		ty = cty.String
	}
	secret := eval.IsSensitive(v)
	got, err := convert.Convert(unmarked(v), ty)
	if err != nil {
		detail := err.Error()
		if arg.Sensitive || secret {
			detail = "its value has another type"
		}
		d.diags.err("unsuitable_value", a.expr.Range(), "The argument %s takes %s: %s.", a.name, friendly(ty), detail)
		return cty.NilVal, false
	}
	if got.IsNull() {
		if arg.Required {
			d.diags.err("missing_value", a.expr.Range(), "The argument %s may not be null.", a.name)
		}
		return cty.NilVal, false
	}
	if arg.Sensitive && !secret && !readsFile(a.expr) {
		d.diags.err("literal_secret", a.expr.Range(), "The argument %s is a secret and may not stand in the configuration. Read it from the environment, %s = env(\"NAME\"), or from a variable with sensitive = true.", a.name, a.name)
	}
	if arg.Sensitive || secret {
		got = got.Mark(eval.Sensitive)
	}
	return got, true
}

// readsFile reports whether e calls file, as people do who keep a secret in a file
// outside version control.
func readsFile(e hclsyntax.Expression) bool {
	found := false
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && call.Name == "file" {
			found = true
		}
		return nil
	})
	return found
}

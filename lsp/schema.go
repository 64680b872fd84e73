package lsp

import (
	"maps"
	"slices"
	"strings"

	editor "github.com/hashicorp/hcl-lang/lang"
	"github.com/hashicorp/hcl-lang/schema"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/handbill/handbill/lang"
)

// scopes are the kinds of blocks that arguments refer to, by the arguments' names.
var scopes = map[string]editor.ScopeId{
	"provider": "provider", "audience": "audience", "catalog": "catalog", "message": "message", "fallback": "message", "reply": "message", "of": "campaign",
}

// schemaOf is the language as the library for editors knows it.
func schemaOf(blocks []lang.BlockInfo, providers map[string]lang.ProviderSchema) *schema.BodySchema {
	root := &schema.BodySchema{Blocks: map[string]*schema.BlockSchema{}}
	for _, b := range blocks {
		root.Blocks[b.Type] = blockSchema(b)
	}
	if p := root.Blocks["provider"]; p != nil {
		p.Labels[0].IsDepKey, p.Labels[0].Completable = true, true
		p.Body, p.DependentBody = &schema.BodySchema{}, map[schema.SchemaKey]*schema.BodySchema{}
		for _, name := range slices.Sorted(maps.Keys(providers)) {
			key := schema.NewSchemaKey(schema.DependencyKeys{Labels: []schema.LabelDependent{{Index: 0, Value: name}}})
			p.DependentBody[key] = providerSchema(providers[name])
		}
	}
	return root
}

func providerSchema(p lang.ProviderSchema) *schema.BodySchema {
	body := &schema.BodySchema{Attributes: map[string]*schema.AttributeSchema{}}
	for _, a := range p.Arguments {
		body.Attributes[a.Name] = &schema.AttributeSchema{
			Description: editor.Markdown(a.Description), IsRequired: a.Required, IsOptional: !a.Required, IsSensitive: a.Sensitive,
			Constraint: anything,
		}
	}
	return body
}

var anything = schema.AnyExpression{OfType: cty.DynamicPseudoType}

func blockSchema(b lang.BlockInfo) *schema.BlockSchema {
	out := &schema.BlockSchema{Description: editor.Markdown(b.Description), Body: &schema.BodySchema{Blocks: map[string]*schema.BlockSchema{}}}
	for _, label := range b.Labels {
		out.Labels = append(out.Labels, &schema.LabelSchema{Name: strings.ToLower(label)})
	}
	if b.Free && len(b.Arguments) == 0 {
		out.Body.AnyAttribute = &schema.AttributeSchema{IsOptional: true, Constraint: anything}
	} else {
		out.Body.Attributes = map[string]*schema.AttributeSchema{}
	}
	for _, a := range b.Arguments {
		out.Body.Attributes[a.Name] = &schema.AttributeSchema{
			Description: editor.Markdown("Of `" + b.Type + "`: " + b.Description), IsRequired: a.Required, IsOptional: !a.Required, Constraint: constraint(a),
		}
	}
	for _, n := range b.Blocks {
		out.Body.Blocks[n.Type] = blockSchema(n)
	}
	return out
}

// constraint is what an argument takes.
func constraint(a lang.ArgumentInfo) schema.Constraint {
	if len(a.Values) > 0 {
		var words schema.OneOf
		for _, v := range a.Values {
			words = append(words, schema.LiteralValue{Value: cty.StringVal(v)})
		}
		return words
	}
	if scope := scopes[a.Name]; scope != "" {
		return schema.Reference{OfScopeId: scope}
	}
	return anything
}

// functions are the functions of the language.
func functions() map[string]schema.FunctionSignature {
	out := map[string]schema.FunctionSignature{}
	for _, f := range lang.Functions() {
		// Arguments are completed alike at each place; their types are for the loader to judge.
		sig := schema.FunctionSignature{Description: f.Description, Detail: f.Signature, ReturnType: cty.DynamicPseudoType, VarParam: &function.Parameter{Name: "value", Type: cty.DynamicPseudoType}}
		out[f.Name] = sig
	}
	return out
}

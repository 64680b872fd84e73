package cli

import (
	"github.com/spf13/cobra"

	"github.com/handbill/handbill/cli/view"
	"github.com/handbill/handbill/lang"
	"github.com/handbill/handbill/workspace"
)

func (a *app) metadataCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "metadata", Short: "describe the language, for editors", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(
		a.metadataOf("functions", "the functions of the language", func() view.Report {
			return view.FunctionsReport(lang.Functions())
		}),
		a.metadataOf("schema", "the JSON Schema of the language's JSON syntax (*.hcl.json)", func() view.Report {
			return view.Document{Value: languageSchema()}
		}))
	return cmd
}

func (a *app) metadataOf(name, what string, report func() view.Report) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{Use: name, Short: what, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.show(report(), a.style(), asJSON) }}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

// object is a JSON object of a schema.
type object = map[string]any

// languageSchema describes *.hcl.json files: labels are objects inside each
// other, a block may be repeated as an array, and a text is a template.
func languageSchema() object {
	properties := object{"//": object{"description": "a comment"}}
	for _, b := range lang.Blocks() {
		if b.Type == "provider" {
			properties[b.Type] = providersSchema(b)
			continue
		}
		properties[b.Type] = blockSchema(b)
	}
	return object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "handbill configuration in JSON syntax",
		"type": "object", "properties": properties, "additionalProperties": false,
	}
}

// blockSchema is a block below its labels.
func blockSchema(b lang.BlockInfo) object {
	return labelled(b.Description, b.Labels, bodySchema(b))
}

func labelled(description string, labels []string, body object) object {
	s := body
	for range labels {
		s = orList(object{"type": "object", "additionalProperties": s, "properties": object{"//": object{}}})
	}
	out := object{"description": description}
	for k, v := range s {
		out[k] = v
	}
	return out
}

// orList also takes an array of what it takes, as HCL's JSON syntax does.
func orList(s object) object {
	return object{"anyOf": []any{s, object{"type": "array", "items": s}}}
}

func bodySchema(b lang.BlockInfo) object {
	properties := object{"//": object{}, "dynamic": object{"type": []any{"object", "array"}, "description": "makes blocks from a collection"}}
	required := []any{}
	for _, a := range b.Arguments {
		properties[a.Name] = object{} // any value may be an expression
		if a.Required {
			required = append(required, a.Name)
		}
	}
	for _, n := range b.Blocks {
		nested := blockSchema(n)
		if _, both := properties[n.Type]; both { // header: a text or a block
			nested = object{"anyOf": []any{nested, object{"type": "string"}}}
		}
		properties[n.Type] = nested
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": b.Free}
	if len(required) > 0 {
		s["required"] = required
	}
	return orList(s)
}

// providersSchema has the arguments of every type of provider.
func providersSchema(b lang.BlockInfo) object {
	byType := object{"//": object{}}
	for name, schema := range workspace.Schemas() {
		of := lang.BlockInfo{}
		for _, arg := range schema.Arguments {
			of.Arguments = append(of.Arguments, lang.ArgumentInfo{Name: arg.Name, Required: arg.Required})
		}
		byType[name] = labelled(b.Description, []string{"NAME"}, bodySchema(of))
	}
	out := orList(object{"type": "object", "properties": byType, "additionalProperties": false})
	out["description"] = b.Description
	return out
}

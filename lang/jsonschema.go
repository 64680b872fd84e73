package lang

// object is an object of a JSON Schema.
type object = map[string]any

// JSONSchema describes *.hcl.json files, the language's JSON syntax, as a JSON
// Schema (draft 2020-12) for editors. Labels are objects inside each other, a
// block may be repeated as an array, and a text is a template:
//
//	{"text_message": {"hello": {"body": "Hello ${recipient.name}!"}}}
//
// providers are those of Options.Schemas.
func JSONSchema(providers map[string]ProviderSchema) map[string]any {
	properties := object{"//": object{"description": "a comment"}}
	for _, b := range Blocks() {
		if b.Type == "provider" {
			properties[b.Type] = providersJSON(b, providers)
			continue
		}
		properties[b.Type] = blockJSON(b)
	}
	return object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "handbill configuration in JSON syntax",
		"type": "object", "properties": properties, "additionalProperties": false,
	}
}

// blockJSON is the schema of a block with its labels.
func blockJSON(b BlockInfo) object {
	return labelled(b.Description, b.Labels, bodyJSON(b))
}

// labelled puts a body inside one object for each label.
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

// orList returns a schema that also accepts an array, as HCL's JSON syntax does.
func orList(s object) object {
	return object{"anyOf": []any{s, object{"type": "array", "items": s}}}
}

func bodyJSON(b BlockInfo) object {
	properties := object{"//": object{}, "dynamic": object{"type": []any{"object", "array"}, "description": "makes blocks from a collection"}}
	required := []any{}
	for _, a := range b.Arguments {
		properties[a.Name] = object{} // any value may be an expression
		if a.Required {
			required = append(required, a.Name)
		}
	}
	for _, n := range b.Blocks {
		nested := blockJSON(n)
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

func providersJSON(b BlockInfo, providers map[string]ProviderSchema) object {
	byType := object{"//": object{}}
	for name, p := range providers {
		of := BlockInfo{}
		for _, arg := range p.Arguments {
			of.Arguments = append(of.Arguments, ArgumentInfo{Name: arg.Name, Required: arg.Required})
		}
		byType[name] = labelled(b.Description, []string{"NAME"}, bodyJSON(of))
	}
	out := orList(object{"type": "object", "properties": byType, "additionalProperties": false})
	out["description"] = b.Description
	return out
}

package onemsg_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/providertest"
)

// TestContract2026 validates requests against the facts of 1msg's 2026
// contract.
func TestContract2026(t *testing.T) {
	doc := document(t, "schemas/onemsg-openapi/sdk2026.schema.json")
	checked := 0
	for _, e := range providertest.Examples() {
		r, err := open(t, nil).Encode(message.Address{Phone: providertest.To}, e.Message, "")
		if err != nil {
			continue
		}
		method := strings.TrimPrefix(r.Path, "/")
		if doc["$defs"].(map[string]any)[method] == nil {
			continue
		}
		checked++
		validate(t, e.Name, doc, "#/$defs/"+method, r.Body)
	}
	if checked < 3 {
		t.Errorf("only %d requests have a schema", checked)
	}
}

// TestOpenAPI2023 validates requests against 1msg's OpenAPI 2.39. It requires a
// template's namespace and params although a production user sends neither, and
// does not know media by id.
func TestOpenAPI2023(t *testing.T) {
	doc := document(t, "schemas/onemsg-openapi/swagger.waba.json")
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	checked := 0
	for _, e := range providertest.Examples() {
		r, err := open(t, nil).Encode(message.Address{Phone: providertest.To}, e.Message, "")
		if err != nil {
			continue
		}
		name := strings.ToUpper(r.Path[1:2]) + r.Path[2:] + "Request"
		var body map[string]any
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Fatal(err)
		}
		if schemas[name] == nil || body["mediaId"] != nil || name == "SendContactRequest" {
			continue // it requires a body for contacts, which have none
		}
		if name == "SendTemplateRequest" {
			body["namespace"] = "ca300906"
			if body["params"] == nil {
				body["params"] = []any{}
			}
			body["language"] = map[string]any{"policy": "deterministic", "code": "en"} // it lists only some of Meta's languages
		}
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		checked++
		validate(t, e.Name, doc, "#/components/schemas/"+name, raw)
	}
	if checked < 10 {
		t.Errorf("only %d requests have a schema", checked)
	}
}

func document(t *testing.T, file string) map[string]any {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(providertest.ReadCorpus(t, file)))
	if err != nil {
		t.Fatal(err)
	}
	return doc.(map[string]any)
}

func validate(t *testing.T, name string, doc map[string]any, pointer string, body []byte) {
	t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource("doc.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("doc.json" + pointer)
	if err != nil {
		t.Fatalf("%s: %v", pointer, err)
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(instance); err != nil {
		t.Errorf("%s: %v\n%s", name, err, body)
	}
}

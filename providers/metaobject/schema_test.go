package metaobject_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/metaobject"
	"github.com/handbill/handbill/providers/providertest"
)

// unknown are the messages that Meta's OpenAPI v23.0 does not have yet, or
// where it contradicts Meta's documentation.
var unknown = map[string]string{
	"link":                      "no cta_url",
	"location-request":          "no location_request_message",
	"catalog-plain":             "demands a thumbnail, which the documentation calls optional",
	"carousel":                  "no carousel",
	"carousel-replies":          "no carousel",
	"carousel-products":         "no carousel",
	"address-request":           "no address_message",
	"call":                      "no voice_call",
	"contact-request":           "no request_contact_info",
	"audio-voice":               "",
	"template-offer":            "no limited_time_offer",
	"template-location":         "no voice_call button",
	"template-products":         "no mpm button",
	"template-flow":             "no flow button",
	"template-carousel":         "no carousel component",
	"template-product-carousel": "no carousel component",
	"identity-key-hash":         "no recipient_identity_key_hash",
	"marketing-fallback":        "messages alone, and this goes to marketing_messages",
	"marketing-strict":          "messages alone, and this goes to marketing_messages",
}

// TestSchema validates every request that Meta's OpenAPI covers.
func TestSchema(t *testing.T) {
	schema := compile(t, providertest.ReadCorpus(t, "schemas/built/messages.schema.json"))
	for _, e := range providertest.Examples() {
		t.Run(e.Name, func(t *testing.T) {
			body, err := metaobject.Encode(message.Address{Phone: providertest.To}, e.Message, "")
			if err != nil {
				t.Fatal(err)
			}
			err = schema.Validate(instance(t, mend(t, body)))
			why, exempt := unknown[e.Name]
			switch {
			case err != nil && why == "":
				t.Errorf("%v\n%s", err, body)
			case err == nil && exempt && why != "":
				t.Errorf("the schema takes it; %q is not true any more", why)
			}
		})
	}
}

// mend adds what the schema requires contrary to Meta's documentation: a policy
// for the template's language, and an index of one digit from 2 on.
func mend(t *testing.T, body []byte) []byte {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal(body, &o); err != nil {
		t.Fatal(err)
	}
	template, ok := o["template"].(map[string]any)
	if !ok {
		return body
	}
	template["language"].(map[string]any)["policy"] = "deterministic"
	components, _ := template["components"].([]any)
	for _, c := range components {
		if c := c.(map[string]any); c["index"] != nil {
			if _, ok := c["index"].(string); !ok {
				t.Error("index is not a string")
			}
			c["index"] = "2"
		}
	}
	out, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func compile(t *testing.T, raw []byte) *jsonschema.Schema {
	t.Helper()
	// The schema writes lists of numbers as a character class.
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("messages.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("messages.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func instance(t *testing.T, body []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

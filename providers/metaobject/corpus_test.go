package metaobject_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/metaobject"
	"github.com/handbill/handbill/providers/providertest"
)

// original is an interactive message as other people's programs wrote it.
type original struct {
	Type   string `json:"type"`
	Header struct {
		Text                   string `json:"text"`
		Image, Video, Document *struct{ Link, ID, Filename string }
	} `json:"header"`
	Body, Footer struct{ Text string }
	Action       struct {
		Button   string
		Buttons  []struct{ Reply message.Button }
		Catalog  string `json:"catalog_id"`
		Product  string `json:"product_retailer_id"`
		Sections []struct {
			Title string
			Rows  []message.Row
			Items []struct {
				ID string `json:"product_retailer_id"`
			} `json:"product_items"`
		}
		Parameters struct {
			Thumbnail string `json:"thumbnail_product_retailer_id"`
		}
	}
}

// message converts the original to handbill's types.
func (o *original) message() message.Message {
	switch o.Type {
	case "list":
		m := &message.List{Header: o.Header.Text, Body: o.Body.Text, Footer: o.Footer.Text, Button: o.Action.Button}
		for _, s := range o.Action.Sections {
			m.Sections = append(m.Sections, message.Section{Title: s.Title, Rows: s.Rows})
		}
		return m
	case "button":
		m := &message.Buttons{Header: o.header(), Body: o.Body.Text, Footer: o.Footer.Text}
		for _, b := range o.Action.Buttons {
			m.Buttons = append(m.Buttons, b.Reply)
		}
		return m
	case "product":
		return &message.Product{CatalogID: o.Action.Catalog, ProductID: o.Action.Product, Body: o.Body.Text, Footer: o.Footer.Text}
	case "product_list":
		m := &message.ProductList{CatalogID: o.Action.Catalog, Header: o.Header.Text, Body: o.Body.Text, Footer: o.Footer.Text}
		for _, s := range o.Action.Sections {
			section := message.ProductSection{Title: s.Title}
			for _, i := range s.Items {
				section.Products = append(section.Products, i.ID)
			}
			m.Sections = append(m.Sections, section)
		}
		return m
	case "catalog_message":
		return &message.Catalog{Body: o.Body.Text, Footer: o.Footer.Text, Thumbnail: o.Action.Parameters.Thumbnail}
	}
	return nil
}

func (o *original) header() message.Header {
	for kind, m := range map[message.MediaType]*struct{ Link, ID, Filename string }{
		message.Image: o.Header.Image, message.Video: o.Header.Video, message.Document: o.Header.Document,
	} {
		if m != nil && m.Link+m.ID != "" {
			return message.Header{Media: &message.MediaRef{Type: kind, Link: m.Link, ID: m.ID, Filename: m.Filename}}
		}
	}
	return message.Header{Text: o.Header.Text}
}

// TestRealMessages checks that handbill encodes the messages that people send
// today to the same JSON. Two things are left out: empty texts and objects,
// which mean nothing to WhatsApp, and a name that is not in Meta's
// documentation of single products.
func TestRealMessages(t *testing.T) {
	labels := providertest.Corpus(t, "messages/cases.jsonl", "label")
	compared := 0
	for i, raw := range providertest.Corpus(t, "messages/cases.jsonl", "interactive") {
		var o original
		if string(labels[i]) != `"valid"` {
			continue
		}
		if err := json.Unmarshal(raw, &o); err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		body, err := metaobject.Encode(message.Address{Phone: providertest.To}, o.message(), "")
		if err != nil {
			t.Errorf("%v: %s", err, raw)
			continue
		}
		var ours struct{ Interactive any }
		var theirs any
		if err := json.Unmarshal(body, &ours); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &theirs); err != nil {
			t.Fatal(err)
		}
		if o.Type == "product" {
			delete(theirs.(map[string]any)["action"].(map[string]any), "name")
		}
		compared++
		if diff := cmp.Diff(withoutEmpty(theirs), withoutEmpty(ours.Interactive)); diff != "" {
			t.Errorf("%s differs (-theirs +ours):\n%s", raw, diff)
		}
	}
	if compared < 50 {
		t.Errorf("only %d messages were compared", compared)
	}
}

// withoutEmpty removes empty texts and objects.
func withoutEmpty(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = withoutEmpty(e)
			if o, ok := v[k].(map[string]any); e == "" || ok && len(o) == 0 {
				delete(v, k)
			}
		}
	case []any:
		for i := range v {
			v[i] = withoutEmpty(v[i])
		}
	}
	return v
}

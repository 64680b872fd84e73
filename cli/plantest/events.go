package plantest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/gocty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// Event is something that happened before the run: what a person did, or a webhook
// as the provider posted it.
type Event struct {
	Kind     string    // "inbound", "stop" or "webhook"
	At       time.Time // zero for the webhook's own time
	Provider string    // address; "" for the first that is declared
	Range    hcl.Range

	// Of "inbound" and "stop".
	Message message.Event
	Answers string // address of the message that it answers; "" for none
	First   *bool  // first contact; nil to derive it from the run's events

	File string // of "webhook"

	Lookups map[string]json.RawMessage // answers of lookups; nil for one that fails
}

var lookupBlocks = []hcl.BlockHeaderSchema{{Type: "lookup_answer", LabelNames: []string{"lookup"}}}

var eventSchema = &hcl.BodySchema{Blocks: lookupBlocks, Attributes: []hcl.AttributeSchema{
	{Name: "from", Required: true}, {Name: "at"}, {Name: "provider"}, {Name: "name"}, {Name: "text"}, {Name: "list_reply"}, {Name: "button_reply"},
	{Name: "quick_reply"}, {Name: "order"}, {Name: "type"}, {Name: "data"}, {Name: "ad"}, {Name: "answers"}, {Name: "first_contact"},
}}

var webhookSchema = &hcl.BodySchema{Blocks: lookupBlocks, Attributes: []hcl.AttributeSchema{{Name: "file", Required: true}, {Name: "provider"}, {Name: "at"}}}

var lookupAnswerSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "json"}, {Name: "fails"}}}

func (d *decoder) event(b *hcl.Block) {
	c := d.content(b.Body, eventSchema)
	a := c.Attributes
	e := Event{Kind: b.Labels[0], At: d.time(a["at"], d.run.At), Provider: d.address(a["provider"]), Answers: d.address(a["answers"]),
		Range: b.DefRange, Lookups: d.lookups(c.Blocks)}
	if e.Kind != "inbound" && e.Kind != "stop" {
		d.fail(b.LabelRanges[0], "The kind of an event is \"inbound\" (the person wrote) or \"stop\" (the person wants no more).")
	}
	if v, ok := d.value(a["first_contact"]); ok {
		first := v.Type() == cty.Bool && v.True()
		e.First = &first
	}
	e.Message = d.inbound(a)
	e.Message.At = e.At
	e.Message.ID = fmt.Sprintf("wamid.test.%d", len(d.run.Events)+1)
	d.run.Events = append(d.run.Events, e)
}

// inbound decodes what a person wrote, tapped or ordered.
func (d *decoder) inbound(a hcl.Attributes) message.Event {
	e := message.Event{Kind: message.EventInbound, Type: "text", ProfileName: d.text(a["name"], ""), Text: d.text(a["text"], ""), Ad: d.text(a["ad"], "")}
	if from := d.text(a["from"], ""); strings.HasPrefix(from, "+") {
		e.From.Phone = from
	} else {
		e.From.UserID = from
	}
	for _, tap := range []struct{ argument, kind, ofType string }{
		{"list_reply", "list_reply", "interactive"}, {"button_reply", "button_reply", "interactive"}, {"quick_reply", "button", "button"},
	} {
		if a[tap.argument] != nil {
			e.ReplyID, e.ReplyKind, e.Type = d.text(a[tap.argument], ""), tap.kind, tap.ofType
		}
	}
	if a["order"] != nil {
		e.Type, e.Order = "order", d.order(a["order"])
	}
	if v, ok := d.value(a["data"]); ok {
		e.Data = string(asJSON(v))
	}
	e.Type = d.text(a["type"], e.Type)
	return e
}

func (d *decoder) order(a *hcl.Attribute) *message.Order {
	fields := d.object(a)
	out := &message.Order{CatalogID: fieldText(fields, "catalog_id"), Note: fieldText(fields, "note")}
	items, ok := fields["items"]
	if !ok || !items.CanIterateElements() {
		d.fail(a.Range, "An order is an object such as { catalog_id = \"1\", items = [{ product = \"prod_alpha\", quantity = 2, price = \"19.90\", currency = \"EUR\" }] }.")
		return out
	}
	for _, item := range items.AsValueSlice() {
		if item.IsNull() || !item.Type().IsObjectType() {
			d.fail(a.Range, "Every item of an order is an object such as { product = \"prod_alpha\", quantity = 2, price = \"19.90\", currency = \"EUR\" }.")
			return out
		}
		f := item.AsValueMap()
		one := message.OrderItem{ProductID: fieldText(f, "product"), Price: fieldText(f, "price"), Currency: fieldText(f, "currency"), Quantity: 1}
		if n, ok := f["quantity"]; ok {
			if err := gocty.FromCtyValue(n, &one.Quantity); err != nil {
				d.fail(a.Range, "The quantity of an item is a whole number.")
			}
		}
		out.Items = append(out.Items, one)
	}
	return out
}

func fieldText(fields map[string]cty.Value, name string) string {
	v, ok := fields[name]
	if !ok {
		return ""
	}
	return textOf(v)
}

func (d *decoder) webhook(b *hcl.Block) {
	c := d.content(b.Body, webhookSchema)
	a := c.Attributes
	d.run.Events = append(d.run.Events, Event{Kind: "webhook", At: d.time(a["at"], time.Time{}), Provider: d.address(a["provider"]),
		File: d.text(a["file"], ""), Range: b.DefRange, Lookups: d.lookups(c.Blocks)})
}

// lookups decodes the answers to the lookups of rules.
func (d *decoder) lookups(blocks hcl.Blocks) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for _, b := range blocks {
		if b.Type != "lookup_answer" {
			continue
		}
		a := d.content(b.Body, lookupAnswerSchema).Attributes
		v, ok := d.value(a["json"])
		fails, _ := d.value(a["fails"])
		switch failing := fails != cty.NilVal && fails.Type() == cty.Bool && fails.True(); {
		case ok == failing:
			d.fail(b.DefRange, "The answer of a lookup is json = { … }, or fails = true.")
		case ok:
			out[b.Labels[0]] = asJSON(v)
		default:
			out[b.Labels[0]] = nil
		}
	}
	return out
}

// asJSON encodes a value that is wholly known and not null.
func asJSON(v cty.Value) json.RawMessage {
	data, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return json.RawMessage("null")
	}
	return data
}

// address decodes a reference such as provider.cloud.main, with or without quotes.
func (d *decoder) address(a *hcl.Attribute) string {
	if a == nil {
		return ""
	}
	if t, diags := hcl.AbsTraversalForExpr(a.Expr); !diags.HasErrors() {
		var parts []string
		for _, step := range t {
			switch s := step.(type) {
			case hcl.TraverseRoot:
				parts = append(parts, s.Name)
			case hcl.TraverseAttr:
				parts = append(parts, s.Name)
			case hcl.TraverseIndex:
				if s.Key.Type() == cty.String {
					parts[len(parts)-1] = state.WithKey(parts[len(parts)-1], s.Key.AsString())
				}
			}
		}
		return strings.Join(parts, ".")
	}
	return d.text(a, "")
}

// Person is what is known of a person before the run.
type Person struct {
	Recipient, Name     string
	LastInbound         time.Time // zero for never
	Attributes          map[string]string
	Handover, HasOptOut bool
}

var personSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{
	{Name: "name"}, {Name: "last_inbound"}, {Name: "attributes"}, {Name: "handover"}, {Name: "opted_out"},
}}

func (d *decoder) person(b *hcl.Block) {
	a := d.content(b.Body, personSchema).Attributes
	p := Person{Recipient: b.Labels[0], Name: d.text(a["name"], ""), LastInbound: d.time(a["last_inbound"], time.Time{}),
		Handover: d.truth(a["handover"]), HasOptOut: d.truth(a["opted_out"]), Attributes: map[string]string{}}
	for name, v := range d.object(a["attributes"]) {
		p.Attributes[name] = textOf(v)
	}
	d.run.People = append(d.run.People, p)
}

func (d *decoder) truth(a *hcl.Attribute) bool {
	v, ok := d.value(a)
	if !ok {
		return false
	}
	b, err := convert.Convert(v, cty.Bool)
	if err != nil {
		d.fail(a.Range, "true or false is needed here.")
		return false
	}
	return b.True()
}

// applied decodes what was applied before: true for the configuration itself, or
// the files of an earlier one.
func (d *decoder) applied(a *hcl.Attribute) {
	v, ok := d.value(a)
	switch {
	case !ok:
	case v.Type() == cty.Bool:
		d.run.AppliedNow = v.True()
	case v.Type() == cty.String:
		d.run.Applied = []string{v.AsString()}
	default:
		d.run.Applied = slices.Clone(d.texts(a))
	}
}

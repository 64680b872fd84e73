package reply

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/state"
)

// vector returns the values of everything that the rule's expressions refer to,
// in the order of the program's names.
func (r *rule) vector(ev *state.InboundEvent, k *Known, groups map[string]message.Value) []message.Value {
	out := make([]message.Value, len(r.program.Names))
	for i, name := range r.program.Names {
		root, rest, dotted := strings.Cut(name, ".")
		switch {
		case !dotted:
			out[i] = personValue(name, ev, k)
		case root == "inbound":
			out[i] = inboundValue(rest, ev)
		case root == "match":
			out[i] = groups[rest]
		}
	}
	return out
}

// personValue returns recipient.name and the like. An attribute that a rule has set
// takes precedence over WhatsApp's profile name.
func personValue(name string, ev *state.InboundEvent, k *Known) message.Value {
	p := &k.Person
	switch name {
	case "phone":
		return text(ev.Event.From.Phone)
	case "user_id":
		return text(ev.Event.From.UserID)
	case "first_contact":
		return truth(ev.First)
	case "opted_out":
		return truth(p.OptedOut)
	case "window_open":
		return truth(p.WindowEnds.After(k.Now))
	}
	if v, ok := p.Attributes[name]; ok {
		return message.Str(v)
	}
	if name == "name" {
		if ev.Event.ProfileName != "" {
			return message.Str(ev.Event.ProfileName)
		}
		return text(p.ProfileName)
	}
	return message.Value{}
}

// inboundValue returns inbound.text and the like.
func inboundValue(name string, ev *state.InboundEvent) message.Value {
	e := &ev.Event
	switch name {
	case "text":
		return message.Str(e.Text)
	case "id":
		return text(e.ID)
	case "type":
		return text(e.Type)
	case "reply_id":
		return text(e.ReplyID)
	case "reply_kind":
		return text(e.ReplyKind)
	case "context_id":
		return text(e.ContextID)
	case "ad":
		return text(e.Ad)
	case "at":
		return message.Str(EventTime(ev).UTC().Format(time.RFC3339))
	case "data":
		return jsonValue([]byte(e.Data))
	case "order":
		return orderValue(e.Order)
	}
	return message.Value{}
}

// EventTime returns when the person wrote, by the provider's clock, or when we
// received the message if the provider does not say.
func EventTime(ev *state.InboundEvent) time.Time {
	if ev.Event.At.IsZero() {
		return ev.Received
	}
	return ev.Event.At
}

// text is a string; null for "".
func text(s string) message.Value {
	if s == "" {
		return message.Value{}
	}
	return message.Str(s)
}

// truth is a bool.
func truth(b bool) message.Value {
	return message.Value{Kind: message.Bool, Text: strconv.FormatBool(b)}
}

// Order is the form in which an order is seen by rules and by services that a
// rule forwards to.
type Order struct {
	CatalogID string      `json:"catalog_id"`
	Note      string      `json:"note"`
	Items     []OrderItem `json:"items"`
}

// OrderItem is one line of an Order.
type OrderItem struct {
	Product  string `json:"product"`
	Quantity int    `json:"quantity"`
	Price    string `json:"price"`
	Currency string `json:"currency"`
}

// OrderOf converts o; nil stays nil.
func OrderOf(o *message.Order) *Order {
	if o == nil {
		return nil
	}
	out := &Order{CatalogID: o.CatalogID, Note: o.Note, Items: []OrderItem{}}
	for _, i := range o.Items {
		out.Items = append(out.Items, OrderItem{Product: i.ProductID, Quantity: i.Quantity, Price: i.Price, Currency: i.Currency})
	}
	return out
}

// orderValue is inbound.order; null for a message that is no order.
func orderValue(o *message.Order) message.Value {
	if o == nil {
		return message.Value{}
	}
	data, err := json.Marshal(OrderOf(o))
	if err != nil { // cannot happen: strings and a number
		panic("reply: encoding an order: " + err.Error())
	}
	return message.Value{Kind: message.JSON, Text: string(data)}
}

// jsonValue returns a JSON document as a value of the language; null if data is not
// JSON.
func jsonValue(data []byte) message.Value {
	var v any
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	if d.Decode(&v) != nil || d.More() {
		return message.Value{}
	}
	switch v := v.(type) {
	case string:
		return message.Str(v)
	case json.Number:
		return message.Value{Kind: message.Number, Text: v.String()}
	case bool:
		return truth(v)
	case nil:
		return message.Value{}
	}
	return message.Value{Kind: message.JSON, Text: string(data)}
}

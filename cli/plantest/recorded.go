package plantest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/handbill/handbill/delivery"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/reply"
	"github.com/handbill/handbill/state"
)

// Recorded reads messages that were recorded, as "handbill reply test" takes
// them: JSON values, one after another. A value says what the person wrote, or
// holds a webhook as the provider posts it:
//
//	{"provider": "provider.onemsg.main", "type": "text", "text": "hello", "from": "+4915112345678"}
//	{"provider": "provider.onemsg.main", "webhook": {"messages": [ … ]}}
type Recorded struct {
	Provider string    // address of the provider of values that name none
	Now      time.Time // when messages came that do not say it
	// Decode decodes a webhook of a provider.
	Decode func(provider string, body []byte) ([]message.Event, error)
	// ForwardBody is that of Inbound.
	ForwardBody func(ev *state.InboundEvent, rule string) ([]byte, error)
}

// recorded is one value. A name that is not here is an error.
type recorded struct {
	Provider   string                     `json:"provider"`
	Type       string                     `json:"type"`
	Text       string                     `json:"text"`
	From       string                     `json:"from"`
	Name       string                     `json:"name"`
	ReplyKind  string                     `json:"reply_kind"`
	ReplyID    string                     `json:"reply_id"`
	Answers    string                     `json:"answers"`
	Order      *reply.Order               `json:"order"`
	Data       json.RawMessage            `json:"data"`
	Ad         string                     `json:"ad"`
	First      bool                       `json:"first_contact"`
	Attributes map[string]string          `json:"attributes"`
	OptedOut   bool                       `json:"opted_out"`
	Handover   bool                       `json:"handover"`
	At         time.Time                  `json:"at"`
	Lookups    map[string]json.RawMessage `json:"lookups"`
	Webhook    json.RawMessage            `json:"webhook"`
}

// Read reads all values. Events of a webhook that are not messages are left out.
// Errors name the value by its number, from 1.
func (rec *Recorded) Read(in io.Reader) ([]Inbound, error) {
	d := json.NewDecoder(in)
	d.DisallowUnknownFields()
	var out []Inbound
	for n := 1; ; n++ {
		r := &recorded{}
		err := d.Decode(r)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		var events []message.Event
		if err == nil {
			events, err = rec.events(r)
		}
		if err != nil {
			return nil, fmt.Errorf("value %d: %w", n, err)
		}
		for _, e := range events {
			if e.Kind == message.EventInbound {
				out = append(out, rec.inbound(r, e))
			}
		}
	}
}

func (rec *Recorded) events(r *recorded) ([]message.Event, error) {
	if r.Provider == "" {
		r.Provider = rec.Provider
	}
	if r.Webhook != nil {
		return rec.Decode(r.Provider, r.Webhook)
	}
	return []message.Event{r.event()}, nil
}

// event returns the event of a value that is not a webhook.
func (r *recorded) event() message.Event {
	e := message.Event{Kind: message.EventInbound, ID: "wamid.recorded", At: r.At, ProfileName: r.Name, Type: r.Type, Text: r.Text,
		ReplyKind: r.ReplyKind, ReplyID: r.ReplyID, Data: string(r.Data), Ad: r.Ad}
	if strings.HasPrefix(r.From, "+") {
		e.From.Phone = r.From
	} else {
		e.From.UserID = r.From
	}
	if r.Order != nil {
		e.Type, e.Order = "order", &message.Order{CatalogID: r.Order.CatalogID, Note: r.Order.Note}
		for _, i := range r.Order.Items {
			e.Order.Items = append(e.Order.Items, message.OrderItem{ProductID: i.Product, Quantity: i.Quantity, Price: i.Price, Currency: i.Currency})
		}
	}
	switch {
	case e.Type == "" && e.ReplyKind != "":
		e.Type = "interactive"
	case e.Type == "":
		e.Type = "text"
	}
	return e
}

// inbound adds the person's context: they have just written, so their window is
// open.
func (rec *Recorded) inbound(r *recorded, e message.Event) Inbound {
	at := e.At
	if at.IsZero() {
		at = rec.Now
	}
	key := e.From.Key()
	return Inbound{
		Event: state.InboundEvent{Seq: 1, Provider: r.Provider, Received: at, Recipient: key, First: r.First, Message: r.Answers, Event: e},
		Known: reply.Known{Now: at, Person: state.Person{Recipient: key, Attributes: r.Attributes, OptedOut: r.OptedOut,
			Handover: r.Handover, LastInbound: at, WindowEnds: at.Add(delivery.WindowLength)}},
		Lookups: r.Lookups, ForwardBody: rec.ForwardBody,
	}
}

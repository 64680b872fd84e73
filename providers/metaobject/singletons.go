package metaobject

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/handbill/handbill/account"
)

// singletonWire is how the Graph API has what a number has one of.
type singletonWire struct {
	edge string // after the number's id
	// member is the field of the number itself by which it is read; "" if the edge is
	// read, whose answer is a list of one.
	member string
	// query says that a change stands in the query of the request.
	query bool
	// product says that a change names the product, as messages do.
	product bool
}

// singletonWires are these by kind. A webhook has requests of its own.
// Source: Meta, business profiles, commerce settings and conversational components,
// 2026-09-11.
var singletonWires = map[string]singletonWire{
	"business_profile":          {edge: "whatsapp_business_profile", product: true},
	"commerce_settings":         {edge: "whatsapp_commerce_settings", query: true},
	"conversational_automation": {edge: "conversational_automation", member: "conversational_automation"},
}

// SingletonRequest is a request about what a number has one of.
type SingletonRequest struct {
	Edge  string // the path after what stands for the number; "" for the number itself
	Query url.Values
	Body  []byte // of a POST
}

// SingletonRead returns the request that reads it.
func SingletonRead(of *account.Singleton) SingletonRequest {
	wire := singletonWires[of.Kind]
	if wire.member != "" {
		return SingletonRequest{Query: url.Values{"fields": {wire.member}}}
	}
	var fields []string
	for i := range of.Fields {
		fields = append(fields, of.Fields[i].Name)
	}
	return SingletonRequest{Edge: wire.edge, Query: url.Values{"fields": {strings.Join(fields, ",")}}}
}

// SingletonWrite returns the request that changes attributes of it.
func SingletonWrite(of *account.Singleton, v account.Values) (SingletonRequest, error) {
	wire := singletonWires[of.Kind]
	out, query := map[string]any{}, url.Values{}
	if wire.product {
		out["messaging_product"] = "whatsapp"
	}
	for i := range of.Fields {
		f := &of.Fields[i]
		value, given := v[f.Name]
		switch {
		case !given:
		case wire.query:
			flag, _ := value.(bool)
			query.Set(f.Name, strconv.FormatBool(flag))
		case f.Type == account.FieldCommands:
			out[f.Name] = encodeCommands(value)
		default:
			out[f.Name] = value
		}
	}
	if wire.query {
		return SingletonRequest{Edge: wire.edge, Query: query}, nil
	}
	body, err := json.Marshal(out)
	return SingletonRequest{Edge: wire.edge, Body: body}, err
}

// commandWire is a command under the names of the wire.
type commandWire struct {
	Name        string `json:"command_name"`
	Description string `json:"command_description"`
}

func encodeCommands(v any) []commandWire {
	out := []commandWire{}
	list, _ := v.([]any)
	for _, item := range list {
		c, _ := item.(map[string]any)
		name, _ := c["name"].(string)
		description, _ := c["description"].(string)
		out = append(out, commandWire{name, description})
	}
	return out
}

var errSingleton = errors.New("the answer is not JSON of the documented form")

// DecodeSingleton reads what the Graph API answers to the request of SingletonRead, in
// its normal form. An attribute that was never set is absent; it has its default. Unknown
// ones are left out.
func DecodeSingleton(of *account.Singleton, body []byte) (account.Values, error) {
	object, err := singletonObject(singletonWires[of.Kind], body)
	if err != nil {
		return nil, err
	}
	out := account.Values{}
	for i := range of.Fields {
		f := &of.Fields[i]
		out[f.Name] = f.Empty()
		raw, told := object[f.Name]
		if !told || string(raw) == "null" {
			continue
		}
		v, err := decodeField(f.Type, raw)
		if err != nil {
			return nil, fmt.Errorf("%w: %s has another type", errSingleton, f.Name)
		}
		out[f.Name] = v
	}
	return of.Normal(out), nil
}

// singletonObject is the object in an answer. Settings that were never made are an
// empty list, or a member that the number does not have.
func singletonObject(wire singletonWire, body []byte) (map[string]json.RawMessage, error) {
	if wire.member != "" {
		var number map[string]json.RawMessage
		var object map[string]json.RawMessage
		if json.Unmarshal(body, &number) != nil || number["id"] == nil { // the number tells its id, whatever it is asked for
			return nil, errSingleton
		}
		if raw, told := number[wire.member]; told && json.Unmarshal(raw, &object) != nil {
			return nil, errSingleton
		}
		return object, nil
	}
	var list struct {
		Data *[]map[string]json.RawMessage `json:"data"`
	}
	if json.Unmarshal(body, &list) != nil || list.Data == nil || len(*list.Data) > 1 {
		return nil, errSingleton
	}
	if len(*list.Data) == 0 {
		return nil, nil
	}
	return (*list.Data)[0], nil
}

// decodeField reads a value as a field of a type has it.
func decodeField(t account.FieldType, raw json.RawMessage) (any, error) {
	switch t {
	case account.FieldText:
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	case account.FieldFlag:
		var flag bool
		err := json.Unmarshal(raw, &flag)
		return flag, err
	case account.FieldCommands:
		return decodeCommands(raw)
	}
	var list []string
	err := json.Unmarshal(raw, &list)
	out := make([]any, 0, len(list))
	for _, s := range list {
		out = append(out, s)
	}
	return out, err
}

func decodeCommands(raw json.RawMessage) (any, error) {
	var list []commandWire
	err := json.Unmarshal(raw, &list)
	out := make([]any, 0, len(list))
	for _, c := range list {
		out = append(out, map[string]any{"name": c.Name, "description": c.Description})
	}
	return out, err
}

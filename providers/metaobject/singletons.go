package metaobject

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/handbill/handbill/account"
)

// singletonWire is how the Graph API has a singleton of a number.
type singletonWire struct {
	edge string // after the number's id
	// product says that requests name the product, as those of messages do.
	product bool
}

// singletonWires are the singletons by kind.
// Source: Meta, business profiles, 2026-09-11.
var singletonWires = map[string]singletonWire{
	"business_profile": {edge: "whatsapp_business_profile", product: true},
}

// SingletonRead returns the path and the query of the request that reads a singleton,
// after what stands for the number.
func SingletonRead(of *account.Singleton) (edge string, query url.Values) {
	var fields []string
	for i := range of.Fields {
		fields = append(fields, of.Fields[i].Name)
	}
	return singletonWires[of.Kind].edge, url.Values{"fields": {strings.Join(fields, ",")}}
}

// SingletonWrite returns the path and the body of the request that changes a singleton,
// after what stands for the number.
func SingletonWrite(of *account.Singleton, v account.Values) (edge string, body []byte, err error) {
	wire := singletonWires[of.Kind]
	out := map[string]any{}
	if wire.product {
		out["messaging_product"] = "whatsapp"
	}
	for i := range of.Fields {
		if value, given := v[of.Fields[i].Name]; given {
			out[of.Fields[i].Name] = value
		}
	}
	body, err = json.Marshal(out)
	return wire.edge, body, err
}

var errSingleton = errors.New("the answer is not JSON of the documented form")

// DecodeSingleton reads what the Graph API tells of a singleton, in its normal form. An attribute that was
// never set is absent; it counts as empty. Unknown ones are left out.
func DecodeSingleton(of *account.Singleton, body []byte) (account.Values, error) {
	var list struct {
		Data []map[string]json.RawMessage `json:"data"`
	}
	if json.Unmarshal(body, &list) != nil || len(list.Data) != 1 || list.Data[0] == nil {
		return nil, errSingleton
	}
	out := account.Values{}
	for i := range of.Fields {
		f := &of.Fields[i]
		out[f.Name] = f.Type.Empty()
		raw, told := list.Data[0][f.Name]
		if !told || string(raw) == "null" {
			continue
		}
		v, ok := decodeField(f.Type, raw)
		if !ok {
			return nil, fmt.Errorf("%w: %s has another type", errSingleton, f.Name)
		}
		out[f.Name] = v
	}
	return of.Normal(out), nil
}

// decodeField reads a value as a field of a type has it.
func decodeField(t account.FieldType, raw json.RawMessage) (any, bool) {
	if t == account.FieldText {
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err == nil
	}
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		return nil, false
	}
	out := make([]any, 0, len(list))
	for _, s := range list {
		out = append(out, s)
	}
	return out, true
}

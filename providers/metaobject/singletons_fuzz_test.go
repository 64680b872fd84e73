package metaobject_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
	"github.com/handbill/handbill/providers/wire"
)

// FuzzSingletons checks that an answer is read with all attributes or not at all, and
// that what is read stays the same when it is kept as JSON and put into its normal form
// again.
func FuzzSingletons(f *testing.F) {
	f.Add([]byte(`{"data":[{"about":"Hey","websites":["https://a.example/"],"vertical":"retail","messaging_product":"whatsapp"}]}`))
	f.Add([]byte(`{"data":[{"id":"1","is_cart_enabled":false,"is_catalog_visible":null}]}`))
	f.Add([]byte(`{"id":"1","conversational_automation":{"prompts":["a"],"commands":[{"command_name":"b","command_description":"c"}],"id":7}}`))
	f.Add([]byte(`{"data":[null],"id":1,"conversational_automation":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, of := range account.Singletons() {
			v, err := metaobject.DecodeSingleton(of, body)
			if err != nil {
				if v != nil {
					t.Errorf("%s: both values and an error: %v, %v", of.Kind, v, err)
				}
				continue
			}
			if len(v) != len(of.Fields) {
				t.Errorf("%s: %d of %d attributes", of.Kind, len(v), len(of.Fields))
			}
			raw, err := json.Marshal(v)
			var again account.Values
			if err != nil || json.Unmarshal(raw, &again) != nil {
				t.Fatalf("%s: %v", of.Kind, err)
			}
			if diff := cmp.Diff(v, of.Normal(again)); diff != "" || len(of.Differ(v, again)) > 0 {
				t.Errorf("%s: another one when it is kept:\n%s", of.Kind, diff)
			}
			of.Check(v) // does not panic
		}
	})
}

// FuzzBatches checks that what is told of a batch is read whole or not at all, and that
// nothing but a success with a handle counts as taken.
func FuzzBatches(f *testing.F) {
	f.Add([]byte(`{"handles":["AczH"],"validation_status":[{"retailer_id":"a","errors":[{"message":"no"}]}]}`))
	f.Add([]byte(`{"handles":[],"validation_status":null}`))
	f.Add([]byte(`{"data":[{"handle":"H","status":"finished","errors_total_count":2,"errors":[{"id":7,"message":"no"}],"ids_of_invalid_requests":["a",9]}]}`))
	f.Add([]byte(`{"data":[{"status":"ERROR"}],"error":{"code":"80014"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		status, err := metaobject.BatchStatus(body)
		if err != nil && (status.Final || status.Failed) || status.Failed && !status.Final {
			t.Errorf("%+v, %v", status, err)
		}
		for _, code := range []int{200, 400, 500} {
			a := metaobject.BatchAnswer(wire.Reply{Status: code, Body: body}, nil, "a-secret")
			if (a.Outcome == providers.BatchTaken) != (a.Handle != "") || a.Outcome == providers.BatchTaken && code != 200 {
				t.Errorf("HTTP %d: %+v", code, a)
			}
		}
	})
}

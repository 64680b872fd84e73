package cloud

import "testing"

// FuzzProducts checks that a page of products is read completely or not at all, and that
// no product is without an id.
func FuzzProducts(f *testing.F) {
	f.Add([]byte(`{"data":[{"retailer_id":"a","name":"A","price":"19,90 €","currency":"EUR","availability":"in stock"}],"paging":{"cursors":{"after":"x"},"next":"y"}}`))
	f.Add([]byte(`{"data":[{"retailer_id":"a","price":"€1.290.00","currency":"eur"},{"retailer_id":""}]}`))
	f.Add([]byte(`{"data":[null,7],"paging":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		page, next, err := decodeProducts(body)
		if err != nil && (page != nil || next != "") {
			t.Errorf("both products and an error: %+v, %q, %v", page, next, err)
		}
		for i := range page {
			if page[i].ID == "" {
				t.Errorf("a product without an id: %+v", page[i])
			}
		}
	})
}

// FuzzApps checks that the apps of an account are read or an error: an account that can't
// be read never counts as one without a webhook.
func FuzzApps(f *testing.F) {
	f.Add([]byte(`{"data":[{"whatsapp_business_api_data":{"id":"1","name":"a"},"override_callback_uri":"https://a.example"}]}`))
	f.Add([]byte(`{"data":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if apps, err := decodeApps(body); err != nil && apps != nil || err == nil && apps == nil {
			t.Errorf("%+v, %v", apps, err)
		}
	})
}

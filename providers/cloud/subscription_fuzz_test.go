package cloud

import "testing"

func FuzzAppFields(f *testing.F) {
	f.Add([]byte(`{"data":[{"object":"whatsapp_business_account","active":true,"fields":[{"name":"messages"},"user_preferences"]}]}`))
	f.Add([]byte(`{"data":[{"object":"whatsapp_business_account","active":true,"fields":[{"name":7},[],null]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		fields, active, err := decodeAppFields(body)
		if err != nil && (fields != nil || active) {
			t.Errorf("both fields and an error: %q, %v, %v", fields, active, err)
		}
	})
}

package providers

import (
	"net/http"
	"testing"
)

// Nothing in a request lets a layer of net/http send it twice: neither a body
// that can be had again, nor a header that says that a repeat is harmless.
func TestARequestCannotBeRepeated(t *testing.T) {
	r, f := NewClient(ClientOptions{}).request(t.Context(), http.MethodPost, "http://127.0.0.1:1/messages", http.Header{"Authorization": {"x"}}, []byte("{}"))
	if f != nil {
		t.Fatal(f.text)
	}
	if r.GetBody != nil {
		t.Error("the body can be had again, so net/http may send it again")
	}
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if _, ok := r.Header[name]; ok {
			t.Errorf("%s is set, for which net/http repeats requests", name)
		}
	}
}

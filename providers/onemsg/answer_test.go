package onemsg

import (
	"strings"
	"testing"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/wire"
)

// FuzzAnswer checks that, whatever is answered, an accepted message has an id
// and no text contains the credential.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{`{"sent":true,"id":"w"}`, `{"sent":false,"jobId":{"a":1}}`, `{"error":{"code":"131047"}}`, `{"error":["token-of-the-test"]}`, `[]`, `(#99999999999999)`} {
		f.Add(200, []byte(body))
		f.Add(400, []byte(body))
	}
	p := &Provider{config: Config{Token: "token-of-the-test"}}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		a := p.answer(wire.Reply{Status: status, Body: body}, []byte(`{"body":"Hello Ana"}`))
		if a.Class == message.Accepted && (a.ID == "" || a.ID == "job:" || status < 200 || status > 299) {
			t.Errorf("accepted: %+v", a)
		}
		if a.Class != message.Accepted && a.ID != "" {
			t.Errorf("not accepted, with an id: %+v", a)
		}
		if strings.Contains(a.Title+a.Advice+a.Code, "token-of-the-test") || strings.Contains(a.Title, "Hello Ana") {
			t.Errorf("the answer contains a secret: %+v", a)
		}
	})
}

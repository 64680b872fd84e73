package kaleyra

import (
	"strings"
	"testing"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/wire"
)

// FuzzAnswer checks that, whatever is answered, an accepted message has an id
// and no text contains the credential.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{`{"code":"WA202","data":{"message_id":"k"}}`, `{"code":"RBC001","data":[]}`, `{"code":"WA400","error":{"a":"token-of-the-test"}}`, `{"data":{"message_id":7}}`} {
		f.Add(200, []byte(body))
		f.Add(400, []byte(body))
	}
	p := &Provider{config: Config{APIKey: "token-of-the-test"}}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		a := p.answer(wire.Reply{Status: status, Body: body}, []byte(`{"body":"Hello Ana"}`))
		if a.Class == message.Accepted && (a.ID == "" || status < 200 || status > 299) {
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

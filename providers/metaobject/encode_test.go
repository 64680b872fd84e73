package metaobject_test

import (
	"strings"
	"testing"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/metaobject"
	"github.com/handbill/handbill/providers/wire"
)

func TestUserID(t *testing.T) {
	body, err := metaobject.Encode(message.Address{UserID: "US.1349"}, &message.Text{Body: "Hi"}, "r")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"messaging_product":"whatsapp","recipient_type":"individual","recipient":"US.1349","type":"text","text":{"body":"Hi"},"biz_opaque_callback_data":"r"}`
	if string(body) != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
}

func TestEncodeRefuses(t *testing.T) {
	to := message.Address{Phone: "+12025550123"}
	for _, test := range []struct {
		name string
		to   message.Address
		m    message.Message
		want string
	}{
		{"nobody", message.Address{}, &message.Text{Body: "Hi"}, "needs a phone number or a user id"},
		{"offer", to, &message.Template{Offer: &message.TemplateOffer{Expires: "soon"}}, "expiration_time_ms: expected a whole number"},
		{"minutes", to, &message.Call{Body: "b", TTLMinutes: "1.5"}, "ttl_minutes: expected a whole number"},
		{"data", to, &message.Flow{Screen: "S", Data: "[1]"}, "data: expected a JSON object"},
		{"button", to, &message.Template{Buttons: []message.TemplateButton{{Type: "swipe"}}}, `no button of type "swipe"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := metaobject.Encode(test.to, test.m, "")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestCodes checks that every code of the table is unique, and has a title, a
// scope and, for faults of the account, advice.
func TestCodes(t *testing.T) {
	for _, c := range metaobject.Codes() {
		if found, ok := metaobject.LookUp(c.Code); !ok || found != c {
			t.Errorf("%d stands in the table twice", c.Code)
		}
		if c.Title == "" || c.Scope == "" || c.Class == message.AccountFault && c.Advice == "" {
			t.Errorf("%d lacks title, scope or advice", c.Code)
		}
	}
	if _, ok := metaobject.LookUp(999123); ok {
		t.Error("a code that does not exist was found")
	}
}

// FuzzAnswer checks that, whatever is answered, an accepted message has an id
// and no text contains the credential or the message.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{`{"messages":[{"id":"w"}]}`, `{"error":{"code":"131009","error_data":{"details":"Hello Ana"}}}`, `{"error":{"message":"token-of-the-test"}}`, `{"error":{}}`, `[]`} {
		f.Add(200, []byte(body))
		f.Add(400, []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		a := metaobject.Answer(wire.Reply{Status: status, Body: body}, []byte(`{"body":"Hello Ana"}`), "token-of-the-test")
		if (a.Class == message.Accepted) != (a.ID != "") || a.Class == message.Accepted && (status < 200 || status > 299) {
			t.Errorf("got %+v", a)
		}
		if strings.Contains(a.Title+a.Advice+a.Code, "token-of-the-test") || strings.Contains(a.Title, "Hello Ana") {
			t.Errorf("the answer contains a secret: %+v", a)
		}
	})
}

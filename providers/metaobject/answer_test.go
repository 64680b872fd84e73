package metaobject_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/metaobject"
	"github.com/handbill/handbill/providers/wire"
)

func TestAnswersThatContradictThemselvesAreInDoubt(t *testing.T) {
	const both = `{"error":{"code":131056,"message":"slow down"},"messages":[{"id":"wamid.both"}]}`
	for name, c := range map[string]struct {
		status int
		body   string
		want   message.Class
	}{
		"a refusal with an id":          {http.StatusBadRequest, both, message.Unknown},
		"a success with an error":       {http.StatusOK, both, message.Unknown},
		"a refusal with an id, no code": {http.StatusBadRequest, `{"messages":[{"id":"wamid.odd"}]}`, message.Unknown},
		"a refusal":                     {http.StatusBadRequest, `{"error":{"code":131056}}`, message.PairThrottled},
		"a success":                     {http.StatusOK, `{"messages":[{"id":"wamid.good"}]}`, message.Accepted},
	} {
		if a := metaobject.Answer(wire.Reply{Status: c.status, Body: []byte(c.body)}, nil); a.Class != c.want {
			t.Errorf("%s is %s, want %s", name, a.Class, c.want)
		}
	}
}

func TestWhatACodeIsAbout(t *testing.T) {
	for code, want := range map[int]message.Class{
		130497: message.Refused, 137000: message.Refused, 138000: message.Refused, 138006: message.Refused, 138009: message.Refused,
		131052: message.Refused, 131060: message.Refused, 134103: message.Refused, 131061: message.Refused,
		131044: message.AccountFault, 131063: message.AccountFault,
	} {
		if c, ok := metaobject.LookUp(code); !ok || c.Class != want {
			t.Errorf("%d is %s (known: %v), want %s", code, c.Class, ok, want)
		}
	}
}

func TestAnAnswerNamesItsRecipient(t *testing.T) {
	for body, want := range map[string]string{
		`{"contacts":[{"input":"4930123456","wa_id":"4930123456"}],"messages":[{"id":"w"}]}`: "+4930123456",
		`{"contacts":[{"input":"+4930123456"}],"messages":[{"id":"w"}]}`:                     "+4930123456",
		`{"contacts":[{"input":"DE.77"}],"messages":[{"id":"w"}]}`:                           "",
		`{"contacts":[{"input":"4930123456"},{"input":"49301"}],"messages":[{"id":"w"}]}`:    "",
		`{"messages":[{"id":"w"}]}`: "",
	} {
		if a := metaobject.Answer(wire.Reply{Status: 200, Body: []byte(body)}, nil); a.Recipient != want || a.Class != message.Accepted {
			t.Errorf("%s: %+v, want %q", body, a, want)
		}
	}
}

func TestAnAnswerContainsAUserID(t *testing.T) {
	for body, want := range map[string]string{
		`{"contacts":[{"input":"4930123456","wa_id":"4930123456","user_id":"DE.77"}],"messages":[{"id":"w"}]}`: "DE.77",
		`{"contacts":[{"input":"DE.77","user_id":"DE.77"}],"messages":[{"id":"w"}]}`:                           "DE.77",
		`{"contacts":[{"input":"4930123456"}],"messages":[{"id":"w"}]}`:                                        "",
		`{"contacts":[{"input":"4930123456","user_id":7}],"messages":[{"id":"w"}]}`:                            "",
		`{"contacts":[{"user_id":"DE.77"},{"user_id":"DE.78"}],"messages":[{"id":"w"}]}`:                       "",
	} {
		if a := metaobject.Answer(wire.Reply{Status: 200, Body: []byte(body)}, nil); a.UserID != want || a.Class != message.Accepted {
			t.Errorf("%s: %+v, want %q", body, a, want)
		}
	}
}

func TestLongIdsAreKeptByTheirDigest(t *testing.T) {
	long := strings.Repeat("w", 9000)
	a := metaobject.Answer(wire.Reply{Status: 200, Body: []byte(`{"messages":[{"id":"` + long + `"}]}`)}, nil)
	if len(a.ID) > 100 || a.ID == "" {
		t.Errorf("the id has %d bytes", len(a.ID))
	}
	evs, err := metaobject.DecodeEnvelope([]byte(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp",
		"metadata":{"phone_number_id":"9"},"statuses":[{"id":"` + long + `","status":"delivered","timestamp":"1770000000"}]}}]}]}`))
	if err != nil || len(evs) != 1 || evs[0].ID != a.ID {
		t.Errorf("a status of it has another id: %v, %+v", err, evs)
	}
}

package account

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/handbill/handbill/message"
)

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		want      Template
	}{
		{"as Meta answers", `{"id":"161","name":"spring","language":"en_US","status":"APPROVED","category":"MARKETING","parameter_format":"NAMED",
			"correct_category":"","quality_score":{"score":"GREEN","date":1700000000},"rejected_reason":"NONE","message_send_ttl_seconds":43200,"sub_category":"CUSTOM",
			"components":[{"type":"HEADER","format":"IMAGE","example":{"header_handle":["https://scontent.example/1"]}},{"type":"BODY","text":"Hi {{who}}!","example":{}},
			{"type":"FOOTER","text":"Bye"},{"type":"BUTTONS","buttons":[{"type":"URL","text":"See","url":"https://s.example/{{1}}","example":["x"]},{"type":"QUICK_REPLY","text":"Stop"}]}]}`,
			Template{ID: "161", Name: "spring", Language: "en_US", Status: "APPROVED", Category: "marketing", Quality: "GREEN", Named: true, TTL: 43200, Footer: "Bye",
				Content: Content{Header: &Header{Format: "image"}, Body: "Hi {{who}}!", Buttons: []Button{{Type: "url", Text: "See", URL: "https://s.example/{{1}}"}, {Type: "quick_reply", Text: "Stop"}}}}},
		{"as 360dialog does", `{"id":12345678901234567890,"name":"spring","language":"de","status":"rejected","category":"UTILITY","rejected_reason":"promotional","components":[{"type":"body","text":"Hallo"}]}`,
			Template{ID: "12345678901234567890", Name: "spring", Language: "de", Status: "REJECTED", Category: "utility", Reason: "PROMOTIONAL", Content: Content{Body: "Hallo"}}},
		{"an old answer of 360dialog", `{"name":"spring","language":{"code":"de"},"status":"submitted","category":"MARKETING"}`,
			Template{Name: "spring", Language: "de", Status: "SUBMITTED", Category: "marketing"}},
		{"a code", `{"name":"code","language":"en","status":"APPROVED","category":"AUTHENTICATION","components":[{"type":"BODY","text":"*{{1}}* is your code.","add_security_recommendation":true},
			{"type":"BUTTONS","buttons":[{"type":"URL","text":"Copy","url":"https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}"}]}]}`,
			Template{Name: "code", Language: "en", Status: "APPROVED", Category: "authentication",
				Content: Content{Body: "*{{1}}* is your code.", Buttons: []Button{{Type: "otp", Text: "Copy", URL: "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}"}}}}},
		{"cards and an offer", `{"name":"c","language":"en","status":"APPROVED","category":"MARKETING","components":[{"type":"LIMITED_TIME_OFFER","limited_time_offer":{"text":"Now","has_expiration":true}},
			{"type":"CAROUSEL","cards":[{"components":[{"type":"HEADER","format":"VIDEO"},{"type":"BODY","text":"{{1}}"}]}]},{"type":"HOLOGRAM"}]}`,
			Template{Name: "c", Language: "en", Status: "APPROVED", Category: "marketing", Offer: true, Expires: true, Strange: []string{"hologram"},
				Cards: []Card{{Content{Header: &Header{Format: "video"}, Body: "{{1}}"}}}}},
	} {
		got, err := Decode([]byte(c.raw))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if c.name == "as Meta answers" && string(got.Other["sub_category"]) != `"CUSTOM"` {
			t.Errorf("a field that is not known is lost: %s", got.Other)
		}
		got.Other, got.Told = nil, nil
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	for _, raw := range []string{``, `7`, `null`, `{}`, `{"name":"x","language":"en"}`, `{"name":"x","status":"APPROVED"}`, `{"language":"en","status":"APPROVED"}`,
		`{"name":"x","language":"en","status":"APPROVED","components":{}}`, `{"name":"x","language":"en","status":"APPROVED","components":[{"type":"CAROUSEL"}]}`,
		`{"name":"x","language":"en","status":"APPROVED","components":[{"type":"HEADER"},{"type":"HEADER"}]}`} {
		if got, err := Decode([]byte(raw)); err == nil {
			t.Errorf("%s is taken for %+v", raw, got)
		}
	}
}

// FuzzDecode checks that any answer of an account gives an error, or a template
// with a name, a language and a status. A decoded template equals itself and
// can be compared with any message.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"id":1,"name":"a","language":"en","status":"APPROVED","components":[{"type":"BODY","text":"{{1}} {{2}} {{x}}"},{"type":"BUTTONS","buttons":[{"type":"URL","url":"{{1}}"}]}]}`))
	f.Add([]byte(`{"name":"a","language":{"code":"en"},"status":"x","quality_score":[],"components":[{"type":"CAROUSEL","cards":[{}]}],"odd":{"a":[null]}}`))
	f.Add([]byte(`{"name":"a","language":"en","status":"PAUSED","components":[{"type":"HEADER","text":"{{a}}"}]}`))
	m := &message.Template{Name: "a", Language: "en", Body: []message.TemplateParameter{{Text: "x"}}, Buttons: []message.TemplateButton{{Index: 3, Type: message.TemplateURL}},
		Cards: []message.TemplateCard{{}, {}}, Header: &message.TemplateHeader{Text: &message.TemplateParameter{Name: "n", Text: "x"}}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := Decode(raw)
		if err != nil {
			return
		}
		if got.Name == "" || got.Language == "" || got.Status == "" {
			t.Errorf("a template without a name, language or status: %+v", got)
		}
		if !got.Same(&got) {
			t.Error("it differs from itself")
		}
		Fit(m, &got)
		if got.State() == Sendable && got.Status != "APPROVED" {
			t.Errorf("%s can be sent", got.Status)
		}
		if got.State() != Sendable && got.Says() == "" {
			t.Errorf("nothing is said about %s", got.Status)
		}
	})
}

func TestOnlyApprovedIsSendable(t *testing.T) {
	for status, s := range statuses {
		if (s.state == Sendable) != (status == "APPROVED") || s.state == Unknown || s.state != Sendable && s.says == "" {
			t.Errorf("%s: %+v", status, s)
		}
	}
	if (&Template{Status: "APPROVED_SOON"}).State() != Unknown {
		t.Error("a word that nobody knows means something")
	}
}

func TestJoin(t *testing.T) {
	a, b := Template{Name: "a", Language: "en", Status: "APPROVED"}, Template{Name: "b", Language: "en", Status: "APPROVED"}
	german := Template{Name: "a", Language: "de", Status: "PENDING"}
	got, err := Join([][]Template{{b, a}, {a, german}})
	if err != nil || len(got) != 3 || got[0].Language != "de" || got[1].Name != "a" || got[2].Name != "b" {
		t.Errorf("%+v, %v", got, err)
	}
	paused := a
	paused.Status = "PAUSED"
	var changed *changedError
	if got, err := Join([][]Template{{a}, {paused}}); !errors.As(err, &changed) || got != nil {
		t.Errorf("one template that is reported in two ways: %+v, %v", got, err)
	}
}

func body(names ...string) (out []message.TemplateParameter) {
	for _, n := range names {
		out = append(out, parameter(n))
	}
	return out
}

func TestFit(t *testing.T) {
	image := &message.TemplateHeader{Media: &message.MediaRef{Type: message.Image, Link: "https://a.example/1.png"}}
	card := func(h *message.TemplateHeader, names ...string) message.TemplateCard {
		return message.TemplateCard{Header: h, Body: body(names...)}
	}
	media := Card{Content{Header: &Header{Format: "image"}, Body: "{{1}}"}}
	product := Card{Content{Header: &Header{Format: "product"}}}
	productHeader := &message.TemplateHeader{Product: &message.TemplateProduct{ProductID: "p"}}
	with := func(c Content) Template { return Template{Content: c} }
	button := func(i int, kind message.TemplateButtonType) message.Template {
		return message.Template{Buttons: []message.TemplateButton{{Index: i, Type: kind, Text: "x"}}}
	}
	for _, c := range []struct {
		name string
		m    message.Template
		t    Template
		want string // paths and parts of the details; "" if it fits
	}{
		{"nothing to fill", message.Template{}, with(Content{Body: "Hi"}), ""},
		{"numbers", message.Template{Body: body("", "")}, with(Content{Body: "{{1}} and {{2}}, {{1}}"}), ""},
		{"one too few", message.Template{Body: body("")}, with(Content{Body: "{{1}} and {{2}}"}), "body: has 2 parameters, and the message gives 1"},
		{"one too many", message.Template{Body: body("", "")}, with(Content{Body: "{{1}}"}), "body: has 1 parameter, and the message gives 2"},
		{"names where there are numbers", message.Template{Body: body("who")}, with(Content{Body: "{{1}}"}), "body: a list of 1"},
		{"names in another order", message.Template{Body: body("b", "a")}, Template{Named: true, Content: Content{Body: "{{a}} {{b}}"}}, ""},
		{"a name too few", message.Template{Body: body("a")}, Template{Named: true, Content: Content{Body: "{{a}} {{b}}"}}, `body: parameter "b" is missing`},
		{"a name too many", message.Template{Body: body("a", "c")}, Template{Named: true, Content: Content{Body: "{{a}}"}}, `body: no parameter "c". It has: a`},
		{"numbers where there are names", message.Template{Body: body("", "")}, Template{Named: true, Content: Content{Body: "{{a}} {{b}}"}}, "body: { a = …, b = … }"},
		{"a code without its text", message.Template{Body: body("")}, Template{Category: Authentication}, ""},

		{"an image", message.Template{Header: image}, with(Content{Header: &Header{Format: "image"}}), ""},
		{"no image", message.Template{}, with(Content{Header: &Header{Format: "image"}}), "header: header { image = … }"},
		{"an image for a document", message.Template{Header: image}, with(Content{Header: &Header{Format: "document"}}), "header: is a document, and the message gives an image"},
		{"an image for nothing", message.Template{Header: image}, with(Content{Body: "Hi"}), "header: nothing to fill"},
		{"a text for one without a variable", message.Template{Header: &message.TemplateHeader{Text: ptr(parameter(""))}}, with(Content{Header: &Header{Format: "text", Text: "Hi"}}), "header: nothing to fill"},
		{"a text", message.Template{Header: &message.TemplateHeader{Text: ptr(parameter(""))}}, with(Content{Header: &Header{Format: "text", Text: "Hi {{1}}"}}), ""},
		{"a text of another name", message.Template{Header: &message.TemplateHeader{Text: ptr(parameter("x"))}}, Template{Named: true, Content: Content{Header: &Header{Format: "text", Text: "Hi {{y}}"}}}, `header: parameter_name = "y"`},
		{"an image for a text", message.Template{Header: image}, with(Content{Header: &Header{Format: "text", Text: "Hi {{1}}"}}), "header: is a text, and the message gives an image"},
		{"a kind that nobody knows", message.Template{Header: image}, with(Content{Header: &Header{Format: "hologram"}}), "? header: not certain"},

		{"an address", button(0, message.TemplateURL), with(Content{Buttons: []Button{{Type: "url", Text: "See", URL: "https://a.example/{{1}}"}}}), ""},
		{"no address", message.Template{}, with(Content{Buttons: []Button{{Type: "url", Text: "See", URL: "https://a.example/{{1}}"}}}), `button: button "0" { type = "url" … }`},
		{"an address without a variable", button(0, message.TemplateURL), with(Content{Buttons: []Button{{Type: "url", Text: "See", URL: "https://a.example"}}}), "button[0]: nothing to fill"},
		{"an index too far", button(1, message.TemplateQuickReply), with(Content{Buttons: []Button{{Type: "quick_reply", Text: "Stop"}}}), "button[0]: has 1 button, so there is none with the index 1"},
		{"another type", button(0, message.TemplateURL), with(Content{Buttons: []Button{{Type: "quick_reply", Text: "Stop"}}}), `button[0]: filled with type "quick_reply", and the message gives "url"`},
		{"a reply that is not filled", message.Template{}, with(Content{Buttons: []Button{{Type: "quick_reply", Text: "Stop"}}}), ""},
		{"a number's button", button(0, message.TemplateURL), with(Content{Buttons: []Button{{Type: "phone_number", Text: "Call"}}}), "button[0]: nothing to fill"},
		{"a code's button", button(0, message.TemplateURL), with(Content{Buttons: []Button{{Type: "otp", Text: "Copy"}}}), ""},
		{"a coupon that is missing", message.Template{}, with(Content{Buttons: []Button{{Type: "copy_code", Text: "Copy"}}}), `button: type = "copy_code"`},
		{"a button that nobody knows", button(0, message.TemplateURL), with(Content{Buttons: []Button{{Type: "hologram", Text: "See"}}}), "? button[0]: not certain"},

		{"as many cards", message.Template{Cards: []message.TemplateCard{card(image, ""), card(image, "")}}, Template{Cards: []Card{media, media}}, ""},
		{"two of three cards", message.Template{Cards: []message.TemplateCard{card(image, ""), card(image, "")}}, Template{Cards: []Card{media, media, media}}, "card: has 3 cards, and the message gives 2"},
		{"a card without its text", message.Template{Cards: []message.TemplateCard{card(image, ""), card(image)}}, Template{Cards: []Card{media, media}}, "card[1].body: has 1 parameter, and the message gives 0"},
		{"cards for none", message.Template{Cards: []message.TemplateCard{card(image)}}, with(Content{Body: "Hi"}), "card: no cards"},
		{"eight products where two stand", message.Template{Cards: []message.TemplateCard{card(productHeader), card(productHeader), card(productHeader), card(productHeader), card(productHeader), card(productHeader), card(productHeader), card(productHeader)}}, Template{Cards: []Card{product, product}}, ""},
		{"one product", message.Template{Cards: []message.TemplateCard{card(productHeader)}}, Template{Cards: []Card{product, product}}, "card: 2 to 10 cards, not 1"},
		{"an image for a product", message.Template{Cards: []message.TemplateCard{card(productHeader), card(image)}}, Template{Cards: []Card{product, product}}, "card[1].header: is a product, and the message gives an image"},

		{"an offer", message.Template{Offer: &message.TemplateOffer{Expires: "1"}}, Template{Offer: true, Expires: true}, ""},
		{"an offer whose end is missing", message.Template{}, Template{Offer: true, Expires: true}, "limited_time_offer: needs limited_time_offer"},
		{"an end of no offer", message.Template{Offer: &message.TemplateOffer{Expires: "1"}}, Template{Offer: true}, "limited_time_offer: can't give one"},
		{"a part that nobody knows", message.Template{}, Template{Strange: []string{"hologram"}}, "? : not certain"},
	} {
		var got []string
		for _, p := range Fit(&c.m, &c.t) {
			doubt := ""
			if p.Doubt {
				doubt = "? "
			}
			got = append(got, doubt+p.Path+": "+p.Detail)
		}
		path, part, _ := strings.Cut(c.want, ": ")
		if said := strings.Join(got, "\n"); c.want == "" && said != "" || len(got) > 1 || c.want != "" && (!strings.HasPrefix(said, path+": ") || !strings.Contains(said, part)) {
			t.Errorf("%s: %q, want %q", c.name, said, c.want)
		}
	}
}

func parameter(name string) message.TemplateParameter {
	return message.TemplateParameter{Name: name, Text: "x"}
}

func ptr[T any](v T) *T { return &v }

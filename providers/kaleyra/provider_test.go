package kaleyra_test

import (
	"testing"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/kaleyra"
	"github.com/handbill/handbill/providers/providertest"
	"github.com/handbill/handbill/providers/wire"
)

func config(base string) kaleyra.Config {
	return kaleyra.Config{
		SID: "HXAP1600000097IN", APIKey: "key-of-the-test", PhoneNumber: "+914400000000", BaseURL: base,
		Ref1: "marketing", Source: "api",
	}
}

func body(status int, code, data string) providertest.Body {
	return providertest.Body{Status: status, Text: `{"code":"` + code + `","message":"a text that no report may hold","data":` + data + `,"error":{"error":"bad number +12025550123"}}`}
}

func TestProvider(t *testing.T) {
	providertest.Run(t, providertest.Case{
		New: func(base string, client *wire.Client) (providers.Provider, error) {
			c := config(base)
			c.Client = client
			return kaleyra.New(c)
		},
		Secrets: []string{"key-of-the-test"},
		Success: providertest.Body{Status: 202, Text: `{"code":"WA202","message":"Request Accepted","data":{"message_id":"9f0c9a52-1111-4a5b-8c1d-2f0e6f1a2b3c"},"error":{}}`},
		ID:      "9f0c9a52-1111-4a5b-8c1d-2f0e6f1a2b3c",
		Refusal: body(400, "WA400", "{}"),
		Answers: []providertest.Answer{
			{Name: "WA200", Body: body(200, "WA200", `{"message_id":"m1"}`), Class: message.Accepted, ID: "m1"},
			{Name: "wrong SID, data as array", Body: body(401, "RBC001", "[]"), Class: message.AccountFault, Code: "RBC001"},
			{Name: "WA401", Body: body(401, "WA401", "{}"), Class: message.AccountFault, Code: "WA401"},
			{Name: "WA-401", Body: body(401, "WA-401", "{}"), Class: message.AccountFault, Code: "WA-401"},
			{Name: "no balance", Body: body(400, "E110", "{}"), Class: message.AccountFault, Code: "E110"},
			{Name: "daily limit", Body: body(400, "WAV2101", "{}"), Class: message.AccountFault, Code: "WAV2101"},
			{Name: "internal error", Body: body(500, "WA500", "{}"), Class: message.Unknown, Code: "WA500"},
			{Name: "too fast", Body: body(429, "", "{}"), Class: message.Throttled},
			{Name: "accepted with data as array", Body: body(202, "WA202", "[]"), Class: message.Unknown},
			{Name: "a code that is not known", Body: body(400, "WA999", "{}"), Class: message.Unknown, Code: "WA999"},
		},
	})
}

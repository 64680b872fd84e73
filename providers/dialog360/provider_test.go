package dialog360_test

import (
	"testing"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/dialog360"
	"github.com/handbill/handbill/providers/providertest"
	"github.com/handbill/handbill/providers/wire"
)

func TestProvider(t *testing.T) {
	providertest.Run(t, providertest.Case{
		New: func(base string, client *wire.Client) (providers.Provider, error) {
			return dialog360.New(dialog360.Config{APIKey: "key-of-the-test", BaseURL: base, PhoneNumber: "+4915112345678", Client: client})
		},
		Secrets: []string{"key-of-the-test"},
		Success: providertest.Body{Status: 201, Text: `{"messaging_product":"whatsapp","contacts":[{"input":"+12025550123","wa_id":"12025550123"}],"messages":[{"id":"wamid.A1"}]}`},
		ID:      "wamid.A1",
		Refusal: providertest.Body{Status: 400, Text: `{"error":{"message":"(#131026) Message undeliverable","type":"OAuthException","code":131026}}`},
		Answers: append(providertest.MetaAnswers(), []providertest.Answer{
			{Name: "key refused", Body: providertest.Body{Status: 401, Text: `{"error":"Invalid api key key-of-the-test"}`}, Class: message.AccountFault, Code: "401"},
			{Name: "endpoint limit as 400", Body: providertest.Body{Status: 400, Text: `{"error":"Endpoint rate limit exceeded"}`}, Class: message.Throttled},
			{Name: "limit as 429", Body: providertest.Body{Status: 429, Text: `{"error":"Too many requests"}`}, Class: message.Throttled},
			{Name: "concurrency as 503", Body: providertest.Body{Status: 503, Text: `{"error":"Concurrency limit"}`}, Class: message.Throttled},
			{Name: "503 in another tongue", Body: providertest.Body{Status: 503, Text: `{"error":"upstream"}`}, Class: message.Unknown},
			{Name: "invoices are open", Body: providertest.Body{Status: 400, Text: `{"error":"Messaging is paused due to unpaid invoices"}`}, Class: message.AccountFault},
			{Name: "the number is switched off", Body: providertest.Body{Status: 400, Text: `{"error":"This channel was disabled"}`}, Class: message.AccountFault},
			{Name: "gateway refuses", Body: providertest.Body{Status: 400, Text: `{"error":"invalid payload for +12025550123"}`}, Class: message.Refused},
		}...),
	})
}

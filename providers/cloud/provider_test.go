package cloud_test

import (
	"testing"

	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/cloud"
	"github.com/handbill/handbill/providers/providertest"
	"github.com/handbill/handbill/providers/wire"
)

func config(base string) cloud.Config {
	return cloud.Config{PhoneNumberID: "106540352242922", AccessToken: "token-of-the-test", BaseURL: base}
}

func TestProvider(t *testing.T) {
	providertest.Run(t, providertest.Case{
		New: func(base string, client *wire.Client) (providers.Provider, error) {
			c := config(base)
			c.Client, c.WABAID = client, "102290129340398"
			return cloud.New(c)
		},
		Secrets: []string{"token-of-the-test"},
		Success: providertest.Body{Status: 200, Text: `{"messaging_product":"whatsapp","contacts":[{"input":"+12025550123","wa_id":"12025550123"}],"messages":[{"id":"wamid.A1"}]}`},
		ID:      "wamid.A1",
		Refusal: providertest.Body{Status: 400, Text: `{"error":{"message":"(#131026) Message undeliverable","type":"OAuthException","code":131026,"fbtrace_id":"x"}}`},
		Answers: providertest.MetaAnswers(),
	})
}

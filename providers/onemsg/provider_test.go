package onemsg_test

import (
	"testing"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/onemsg"
	"github.com/handbill/handbill/providers/providertest"
	"github.com/handbill/handbill/providers/wire"
)

func TestProvider(t *testing.T) {
	type answer = providertest.Answer
	body := func(status int, text string) providertest.Body {
		return providertest.Body{Status: status, Text: text}
	}
	providertest.Run(t, providertest.Case{
		New: func(base string, client *wire.Client) (providers.Provider, error) {
			return onemsg.New(onemsg.Config{ChannelID: "VID182868781", Token: "token-of-the-test", BaseURL: base, Client: client})
		},
		Secrets: []string{"token-of-the-test"},
		Success: body(200, `{"sent":true,"id":"wamid.A1","message":"Sent to 12025550123@c.us","description":"Message has been sent to the provider"}`),
		ID:      "wamid.A1",
		Refusal: body(200, `{"sent":false,"message":"Wrong phone 12025550123"}`),
		Answers: []answer{
			{Name: "queued", Body: body(200, `{"sent":false,"jobId":"j-17","message":"queued"}`), Class: message.Accepted, ID: "job:j-17"},
			{Name: "queued with a number", Body: body(202, `{"sent":false,"jobId":17}`), Class: message.Accepted, ID: "job:17"},
			{Name: "sent without an id", Body: body(200, `{"sent":true}`), Class: message.Unknown},
			{Name: "contradiction", Body: body(200, `{"sent":false,"id":"wamid.A1"}`), Class: message.Unknown},
			{Name: "window closed", Body: body(400, `{"sent":false,"message":"Dialog window is closed"}`), Class: message.WindowClosed, Code: "131047"},
			{Name: "window closed by code in a text", Body: body(200, `{"sent":false,"message":"(#131047) Re-engagement message"}`), Class: message.WindowClosed},
			{Name: "pair limit in an object", Body: body(200, `{"sent":false,"error":{"code":131056,"message":"(#131056) limit"}}`), Class: message.PairThrottled, Code: "131056"},
			{Name: "code as a string", Body: body(200, `{"sent":false,"error":{"error_code":"131050","error_user_msg":"stopped"}}`), Class: message.OptedOut, Code: "131050"},
			{Name: "wrong token", Body: body(401, `{"error":"Wrong token \"token-of-the-test\" for channel \"VID1\". Please provide token as a GET parameter."}`), Class: message.AccountFault},
			{Name: "blocked in plain text", Body: body(403, `Channel is blocked: subscriptionBlocked`), Class: message.AccountFault},
			{Name: "template missing", Body: body(200, `{"error":"template is not defined"}`), Class: message.Refused, Code: "132001"},
			{Name: "template not found", Body: body(200, `{"sent":false,"message":"Template spring was not found"}`), Class: message.Refused},
			{Name: "calling answer", Body: body(200, `{"response":{"error":"not allowed"}}`), Class: message.Refused},
			{Name: "bad request", Body: body(400, `{"error":"phone is invalid: 12025550123"}`), Class: message.Refused},
			{Name: "experiment", Body: body(200, `{"sent":false,"message":"User's number is part of an experiment"}`), Class: message.Refused, Code: "130472"},
			{Name: "too fast", Body: body(429, `{"error":"Too many requests"}`), Class: message.Throttled},
			{Name: "server error in JSON", Body: body(500, `{"error":"unexpected"}`), Class: message.Unknown},
			{Name: "a gateway's page that reads like a refusal", Body: body(502, "<html>The industrial template does not exist (131047)</html>"), Class: message.Unknown},
			{Name: "not built", Body: body(501, `{"error":"not implemented"}`), Class: message.Unknown},
		},
	})
}

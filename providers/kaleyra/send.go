package kaleyra

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/wire"
)

// Send posts r once. Accepted means that Kaleyra accepted the message; Meta's
// verdict comes in a callback.
func (p *Provider) Send(ctx context.Context, r message.Request) message.Answer {
	reply, failed := p.client.Post(ctx, p.base+r.Path, p.header, r.Body)
	if failed != nil {
		return *failed
	}
	return p.answer(reply, r.Body)
}

// body is an answer. data and error are objects, or an empty array.
type body struct {
	Code    string          `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
	Error   json.RawMessage `json:"error"`
}

func (p *Provider) answer(r wire.Reply, request []byte) message.Answer {
	var b body
	decoded := json.Unmarshal(r.Body, &b) == nil
	var data struct {
		MessageID string `json:"message_id"`
	}
	if decoded && json.Unmarshal(b.Data, &data) != nil {
		data.MessageID = "" // data: []
	}
	ok := r.Status >= 200 && r.Status < 300
	_, refused := verdicts()[normal(b.Code)]
	switch {
	case data.MessageID != "" && (!ok || refused):
		return wire.Contradiction(r)
	case data.MessageID != "":
		return message.Answer{Class: message.Accepted, ID: providers.ID(data.MessageID)}
	}
	if v, known := verdicts()[normal(b.Code)]; known {
		a := message.Answer{Class: v.class, Code: b.Code, Title: v.title, Advice: v.advice, RetryAfter: wire.RetryAfter(r.Header)}
		if v.details {
			a.Title += details(b.Error, request, string(p.config.APIKey))
		}
		return a
	}
	if ok {
		return wire.NoID(r)
	}
	a := wire.ByStatus(r)
	if b.Code != "" {
		a.Code = b.Code
	}
	return a
}

// normal returns a code in one spelling: Kaleyra writes both WA401 and WA-401.
func normal(code string) string { return strings.ToUpper(strings.ReplaceAll(code, "-", "")) }

// details returns the texts of error, an object of fields and texts.
func details(raw json.RawMessage, request []byte, secret string) string {
	var fields map[string]string
	if json.Unmarshal(raw, &fields) != nil {
		return ""
	}
	var words []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		words = append(words, name+": "+fields[name])
	}
	if len(words) == 0 {
		return ""
	}
	return ": " + providers.Safe(strings.Join(words, ", "), request, secret)
}

// verdict is what one of Kaleyra's codes means.
type verdict struct {
	class   message.Class
	title   string
	advice  string
	details bool
}

// Codes lists Kaleyra's own codes.
func Codes() []providers.Code {
	var out []providers.Code
	for code, v := range verdicts() {
		out = append(out, providers.Code{Code: code, Class: v.class, Title: v.title, Advice: v.advice,
			Source: "Kaleyra, error codes of v2, read 2026-11-20"})
	}
	return out
}

// verdicts are Kaleyra's codes.
// Source: Kaleyra, send interactive list messages, and error codes for send
// message of v2, 2026-11-20.
func verdicts() map[string]verdict {
	return map[string]verdict{
		"RBC001": {message.AccountFault, "the SID or the API key is wrong", "compare sid and api_key with Kaleyra's console", false},
		"WA401": {message.AccountFault, "the sending number is not on this account, or uses another version of the API",
			"compare phone_number with Kaleyra's console, and ask Kaleyra whether it is on version 2", false},
		"E110":    {message.AccountFault, "the account's balance is too low", "top the account up", false},
		"WAV2101": {message.AccountFault, "the account's daily limit is reached", "go on tomorrow, or have the limit raised", false},
		"WA400":   {message.Refused, "the message does not have the right form", "", true},
		"WA500":   {message.Unknown, "Kaleyra reports an error of its own", "", false},
	}
}

// Distrust uses new connections from now on; see wire.Client.
func (p *Provider) Distrust() { p.client.Distrust() }

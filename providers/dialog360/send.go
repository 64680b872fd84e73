package dialog360

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
	"github.com/handbill/handbill/providers/wire"
)

// Send posts r once.
func (p *Provider) Send(ctx context.Context, r message.Request) message.Answer {
	reply, failed := p.client.Post(ctx, p.base+r.Path, p.header, r.Body)
	if failed != nil {
		return *failed
	}
	if a, ok := gateway(reply); ok {
		return a
	}
	a := metaobject.Answer(reply, r.Body, string(p.config.APIKey))
	if a.Code == "0" || a.Code == "190" { // about Meta's token, which 360dialog holds; ours is the API key
		a.Advice = checkKey
	}
	return a
}

// What 360dialog's own answers mean.
const (
	tooFast   = "360dialog's limit for this number is reached"
	stopped   = "360dialog has stopped this account or number"
	lookAtHub = "see the 360dialog hub for unpaid invoices and the number's state"
	refused   = "360dialog refuses the request"
	compare   = "compare the message with 360dialog's documentation"
)

// Codes lists what 360dialog's own answers mean. 360dialog has no error codes, so
// handbill reports the HTTP status in place of one.
func Codes() []providers.Code {
	const from = "docs.360dialog.com, error codes and capacity, read 2026-11-27"
	return []providers.Code{
		{Code: "400", Class: message.AccountFault, Title: stopped, Advice: lookAtHub, Source: from},
		{Code: "400", Class: message.Throttled, Title: tooFast, Source: from},
		{Code: "400", Class: message.Refused, Title: refused, Advice: compare, Source: from},
		{Code: "401", Class: message.AccountFault, Title: "360dialog refuses the key", Advice: checkKey, Source: from},
		{Code: "403", Class: message.AccountFault, Title: "360dialog refuses the key", Advice: checkKey, Source: from},
		{Code: "429", Class: message.Throttled, Title: tooFast, Source: from},
		{Code: "503", Class: message.Throttled, Title: tooFast + ", where its words say so; without them it is not known whether the message was taken", Source: from},
	}
}

const checkKey = "check api_key, and whether the number is active in the 360dialog hub"

// gateway reads 360dialog's own errors: {"error":"text"} where Meta's have an
// object. It has no codes, so the status decides, and the text where the
// status says too little: its rate limit comes as 400, too.
// Source: docs.360dialog.com, capacity and API reference; nyaruka/courier,
// 2026-11-20.
func gateway(r wire.Reply) (message.Answer, bool) {
	if r.Status < 400 {
		return message.Answer{}, false
	}
	var body struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(r.Body, &body) != nil || body.Error == "" {
		return message.Answer{}, false
	}
	text := strings.ToLower(body.Error)
	for _, words := range []string{"rate limit", "too many requests", "concurren"} {
		if strings.Contains(text, words) {
			return message.Answer{Class: message.Throttled, Code: strconv.Itoa(r.Status), Title: tooFast, RetryAfter: wire.RetryAfter(r.Header)}, true
		}
	}
	// These stop the whole account: it is not paid or is switched off.
	// Source: docs.360dialog.com, error codes, read 2026-11-27.
	for _, words := range []string{"lack of payment", "overdue", "unpaid", "invoice", "disabled", "suspended", "deactivated", "not active", "inactive", "has been blocked"} {
		if strings.Contains(text, words) {
			return message.Answer{Class: message.AccountFault, Code: strconv.Itoa(r.Status), Title: stopped, Advice: lookAtHub}, true
		}
	}
	a := wire.ByStatus(r)
	if r.Status == 401 || r.Status == 403 {
		a.Advice = checkKey
	}
	if r.Status == 400 {
		a.Class, a.Title, a.Advice = message.Refused, refused, compare
	}
	return a, true
}

// Distrust uses new connections from now on; see wire.Client.
func (p *Provider) Distrust() { p.client.Distrust() }

package onemsg

import (
	"context"
	"encoding/json"
	"regexp"
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
	return p.answer(reply, r.Body)
}

// outcome is the body of an answer. A refusal is usually a 200 with sent:false.
type outcome struct {
	Sent     *bool           `json:"sent"`
	ID       string          `json:"id"`
	JobID    any             `json:"jobId"`
	Message  string          `json:"message"`
	Error    json.RawMessage `json:"error"`
	Response struct {
		Error json.RawMessage `json:"error"`
	} `json:"response"`
}

func (p *Provider) answer(r wire.Reply, request []byte) message.Answer {
	var o outcome
	decoded := json.Unmarshal(r.Body, &o) == nil
	if r.Status >= 200 && r.Status < 300 {
		return p.taken(r, o, decoded, request)
	}
	if o.ID != "" {
		return wire.Contradiction(r)
	}
	text, code := o.words()
	if !decoded && (r.Status == 401 || r.Status == 403) {
		text = string(r.Body[:min(len(r.Body), 512)]) // 1msg reports a blocked channel in plain text
	}
	if known, ok := classify(text, code); ok {
		known.RetryAfter = wire.RetryAfter(r.Header)
		return known
	}
	if decoded && text != "" && r.Status == 400 {
		return p.refusal(r, text, code, request)
	}
	return wire.ByStatus(r)
}

// taken reads a 2xx.
func (p *Provider) taken(r wire.Reply, o outcome, decoded bool, request []byte) message.Answer {
	text, code := o.words()
	sent := o.Sent != nil && *o.Sent
	switch {
	case !decoded:
		return wire.NoID(r)
	case o.JobID != nil && o.JobID != "" && o.ID == "":
		if job(o.JobID) == "" {
			return wire.NoID(r) // queued, but the id of the job cannot be read
		}
		return message.Answer{Class: message.Accepted, ID: providers.ID(job(o.JobID)), Title: "queued at 1msg; its job can't be asked for, so only a webhook tells more"}
	case o.ID != "" && (sent || o.Sent == nil && len(o.Error) == 0):
		return message.Answer{Class: message.Accepted, ID: providers.ID(o.ID), Recipient: recipient(o.Message)}
	case o.ID != "" || sent || text == "" && code < 0:
		return wire.NoID(r) // contradicts itself or says nothing
	}
	if known, ok := classify(text, code); ok {
		return known
	}
	return p.refusal(r, text, code, request)
}

var sentTo = regexp.MustCompile(`^Sent to ([0-9]{7,15})@c\.us$`)

// recipient returns whom the message went to, according to the answer, as one of
// our keys; "" if it names no number.
func recipient(words string) string {
	if found := sentTo.FindStringSubmatch(words); found != nil {
		return "+" + found[1]
	}
	return ""
}

// job returns the id of a queued message; "" for anything but a text or a number.
func job(v any) string {
	switch v := v.(type) {
	case float64:
		return "job:" + strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		return "job:" + v
	}
	return ""
}

func (p *Provider) refusal(r wire.Reply, text string, code int, request []byte) message.Answer {
	a := message.Answer{Class: message.Refused, Title: providers.Safe(text, request, string(p.config.Token))}
	if a.Title == "" {
		a.Title = "1msg refuses the message without saying why"
	}
	if code >= 0 {
		a.Code = strconv.Itoa(code)
	} else {
		a.Code = strconv.Itoa(r.Status)
	}
	return a
}

// metaCode finds a code of Meta in a text: "(#131056)", or 131056 by itself.
var metaCode = regexp.MustCompile(`\(#([0-9]{1,7})\)|\b(13[0-9]{4})\b`)

// codeIn returns Meta's code in a text; -1 for none.
func codeIn(text string) int {
	found := metaCode.FindStringSubmatch(text)
	if found == nil {
		return -1
	}
	code, err := strconv.Atoi(found[1] + found[2])
	if err != nil {
		return -1
	}
	return code
}

// words returns all texts of an answer, and its error's code; -1 for none.
// error is a text, or an object with code or error_code.
func (o *outcome) words() (text string, code int) {
	words, code := []string{o.Message}, -1
	for _, raw := range []json.RawMessage{o.Error, o.Response.Error} {
		var s string
		if json.Unmarshal(raw, &s) == nil {
			words = append(words, s)
			continue
		}
		var e struct {
			Code      json.Number `json:"code"`
			ErrorCode json.Number `json:"error_code"`
			Message   string      `json:"message"`
			UserTitle string      `json:"error_user_title"`
			UserText  string      `json:"error_user_msg"`
		}
		if len(raw) == 0 || json.Unmarshal(raw, &e) != nil {
			continue
		}
		words = append(words, e.Message, e.UserTitle, e.UserText)
		for _, n := range []json.Number{e.Code, e.ErrorCode} {
			if v, err := strconv.Atoi(n.String()); err == nil {
				code = v
			}
		}
	}
	text = strings.TrimSpace(strings.Join(words, " "))
	if code < 0 {
		code = codeIn(text)
	}
	return text, code
}

// phrase is one of 1msg's error texts and its meaning. 1msg has no codes of its
// own, so its texts are matched, ignoring case.
type phrase struct {
	text  string
	class message.Class
	code  string
	title string
	help  string
}

// phrases returns the known texts. Source: 1msg/1msg-n8n-nodes (utils/errors.ts),
// 1msg's OpenAPI (responses 400, 401 and 403) and the captures of ebor94/1msg,
// 2026-11-20.
func phrases() []phrase {
	return []phrase{
		{"dialog window is closed", message.WindowClosed, "131047", "the 24-hour window is closed", "send a template"},
		{"outside the allowed window", message.WindowClosed, "131047", "the 24-hour window is closed", "send a template"},
		{"re-engagement", message.WindowClosed, "131047", "the 24-hour window is closed", "send a template"},
		{"wrong token", message.AccountFault, "401", "the token is not this channel's", "copy the channel's token from 1msg's dashboard"},
		{"subscriptionblocked", message.AccountFault, "403", "the channel's subscription is blocked", "pay or reopen the subscription in 1msg's dashboard"},
		{"trial", message.AccountFault, "403", "the channel's trial does not allow it", "open a subscription in 1msg's dashboard"},
		{"template is not defined", message.Refused, "132001", "template name, language or namespace is missing", "check name and language in 1msg's dashboard"},
		{"bsuid routing is disabled", message.Refused, "", "the channel can't write to user ids", "use the phone number"},
		{"username routing is disabled", message.Refused, "", "the channel can't write to user names", "use the phone number"},
		{"username is not found", message.Refused, "", "the user name is not found", ""},
		{"part of an experiment", message.Refused, "130472", "the person is part of an experiment of Meta and gets no marketing", ""},
	}
}

// classify looks an error up by code, and by text where there is none.
func classify(text string, code int) (message.Answer, bool) {
	if c, ok := metaobject.LookUp(code); ok {
		return message.Answer{Class: c.Class, Code: strconv.Itoa(code), Title: c.Title, Advice: c.Advice}, true
	}
	lower := strings.ToLower(text)
	for _, p := range phrases() {
		if strings.Contains(lower, p.text) {
			return message.Answer{Class: p.class, Code: p.code, Title: p.title, Advice: p.help}, true
		}
	}
	if strings.Contains(lower, "template") && (strings.Contains(lower, "not found") || strings.Contains(lower, "does not exist")) {
		return message.Answer{Class: message.Refused, Code: "132001", Title: "the template does not exist in this language or is not approved"}, true
	}
	return message.Answer{}, false
}

// Distrust uses new connections from now on; see wire.Client.
func (p *Provider) Distrust() { p.client.Distrust() }

// Codes lists what 1msg's own answers mean. 1msg has no error codes, so handbill
// reports the HTTP status in place of one.
func Codes() []providers.Code {
	const from = "1msg, OpenAPI 2.39 and n8n node, read " + read
	out := []providers.Code{
		{Code: "200", Class: message.Refused, Title: "1msg did not send the message, in an answer of HTTP 200", Advice: "1msg's words stand beside the code", Source: from},
		{Code: "400", Class: message.Refused, Title: "1msg refuses the message", Advice: "1msg's words stand beside the code", Source: from},
	}
	for _, p := range phrases() {
		if p.class == message.AccountFault {
			out = append(out, providers.Code{Code: p.code, Class: p.class, Title: p.title, Advice: p.help, Source: from})
		}
	}
	return out
}

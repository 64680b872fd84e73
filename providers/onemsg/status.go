package onemsg

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
	"github.com/handbill/handbill/providers/wire"
)

// Poll asks hookInfo. The OpenAPI of 2023 and 1msg's pages document it; the SDKs of
// 2026 lack it. If 1msg no longer has it, Poll returns no events and no error. It
// cannot ask about a queued message's job.
func (p *Provider) Poll(ctx context.Context, messageID string) ([]message.Event, error) {
	if strings.HasPrefix(messageID, "job:") {
		return nil, nil
	}
	reply, err := p.client.Get(ctx, p.base+"/hookInfo?"+url.Values{"messageId": {messageID}}.Encode(), p.header)
	if err != nil {
		return nil, err
	}
	if reply.Status == 404 || reply.Status == 501 {
		return nil, nil
	}
	var answer struct {
		Hooks []json.RawMessage `json:"hooks"`
	}
	if reply.Status != 200 || json.Unmarshal(reply.Body, &answer) != nil {
		return nil, errors.New(p.answerText(reply))
	}
	var events []message.Event
	for _, e := range decodeHooks(answer.Hooks) {
		if e.Kind == message.EventStatus && e.ID == messageID {
			events = append(events, e)
		}
	}
	return events, nil
}

// answerText describes the answer to a failed query.
func (p *Provider) answerText(r wire.Reply) string {
	if a := p.answer(r, nil); a.Class != message.Accepted {
		return "1msg: " + a.Title
	}
	return "1msg answers in a form that is not documented"
}

// Check asks for the channel's status; 1msg reports neither quality nor limits.
func (p *Provider) Check(ctx context.Context) (*providers.Health, error) {
	reply, err := p.client.Get(ctx, p.base+"/status", p.header)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Status        string `json:"status"`
		AccountStatus string `json:"accountStatus"`
	}
	if reply.Status != 200 || json.Unmarshal(reply.Body, &answer) != nil {
		return nil, errors.New(p.answerText(reply))
	}
	h := &providers.Health{Status: answer.Status}
	if h.Status == "" {
		h.Status = answer.AccountStatus
	}
	if h.Status != "connected" {
		h.Findings = append(h.Findings, providers.Finding{
			Severe: true, Text: "the channel's status is " + providers.Safe(h.Status, nil), Advice: "connect the channel in 1msg's dashboard",
		})
	}
	return h, nil
}

// decodeHooks reads hooks[], which are Meta's status objects.
func decodeHooks(hooks []json.RawMessage) []message.Event {
	value, err := json.Marshal(map[string]any{"statuses": hooks})
	if err != nil {
		return []message.Event{metaobject.Other(nil, "hooks", "the hooks can't be read")}
	}
	if len(hooks) == 0 {
		return nil
	}
	return metaobject.DecodeChange("hooks", value, metaobject.Time(""))
}

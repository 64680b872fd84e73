package onemsg

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/handbill/handbill/providers"
)

// Subscription reads the channel's webhook addresses and the settings that
// decide what goes there.
// Source: 1msg's OpenAPI and 1msg-for-agents, webhook and settings, 2026-11-20.
func (p *Provider) Subscription(ctx context.Context) (*providers.Subscription, error) {
	s := &providers.Subscription{}
	var body json.RawMessage
	if err := p.read(ctx, "/webhook", &body); err != nil {
		return nil, err
	}
	s.URLs = addresses(body)
	if len(s.URLs) == 0 {
		s.Findings = append(s.Findings, providers.Finding{Severe: p.receives(), Text: "no webhook address is set, so no event comes at all",
			Advice: "set it in 1msg's dashboard, beside those that are there"})
	}
	var settings struct {
		Acks *bool `json:"ackNotificationsOn"`
	}
	switch err := p.read(ctx, "/settings", &settings); {
	case err != nil:
		s.Findings = append(s.Findings, providers.Finding{Text: "the channel's settings can't be read: " + err.Error(), Advice: "look in 1msg's dashboard whether ackNotificationsOn is set"})
	case settings.Acks == nil || !*settings.Acks:
		s.Missing = append(s.Missing, providers.Missing{Name: "ackNotificationsOn",
			Lost: "What became of messages is not told by webhook: failures go unseen until \"handbill refresh\" asks, and doubts stay."})
	}
	return s, nil
}

// receives reports whether the channel is set up to get webhooks.
func (p *Provider) receives() bool { return p.config.WebhookToken != "" }

// read asks for an object of the channel.
func (p *Provider) read(ctx context.Context, path string, to any) error {
	reply, err := p.client.Get(ctx, p.base+path, p.header)
	if err != nil {
		return err
	}
	if reply.Status != 200 || json.Unmarshal(reply.Body, to) != nil {
		return errors.New(p.answerText(reply))
	}
	return nil
}

// addresses reads what /webhook answers: one address, a list, several in one
// text, or an object that holds one of these.
func addresses(raw json.RawMessage) []string {
	var o struct {
		URL json.RawMessage `json:"webhookUrl"`
	}
	if json.Unmarshal(raw, &o) == nil && len(o.URL) > 0 {
		raw = o.URL
	}
	var list []string
	var one string
	if json.Unmarshal(raw, &one) == nil {
		list = strings.Split(one, ",")
	} else if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var out []string
	for _, a := range list {
		if a = strings.TrimSpace(a); a != "" {
			out = append(out, a)
		}
	}
	return out
}

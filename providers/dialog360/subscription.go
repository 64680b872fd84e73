package dialog360

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
)

// Subscription reads the number's webhook address. 360dialog's fields are fixed:
// messages and statuses come, but notices about templates and the account go to
// the partner.
// Source: docs.360dialog.com, messaging API, configs/webhook, 2026-11-20.
func (p *Provider) Subscription(ctx context.Context) (*providers.Subscription, error) {
	reply, err := p.client.Get(ctx, p.base+"/v1/configs/webhook", p.header)
	if err != nil {
		return nil, err
	}
	var answer struct {
		URL string `json:"url"`
	}
	s := &providers.Subscription{}
	switch {
	case reply.Status == 404: // none was ever set
	case reply.Status != 200:
		if a, ok := gateway(reply); ok {
			return nil, errors.New("360dialog: " + a.Title)
		}
		return nil, errors.New("360dialog: " + metaobject.Answer(reply, nil, string(p.config.APIKey)).Title)
	case json.Unmarshal(reply.Body, &answer) != nil:
		return nil, errors.New("360dialog answers in a form that is not documented")
	}
	if answer.URL != "" {
		s.URLs = []string{answer.URL}
		return s, nil
	}
	for _, f := range metaobject.Fields() {
		if f.Severe {
			f.Severe = p.receives()
			s.Missing = append(s.Missing, f)
		}
	}
	s.Findings = []providers.Finding{{Severe: p.receives(), Text: "no webhook address is set, so no event comes at all",
		Advice: "set it: POST /v1/configs/webhook, or the number's webhook in the 360dialog hub"}}
	return s, nil
}

// receives reports whether the number is set up to get webhooks.
func (p *Provider) receives() bool {
	return p.config.WebhookToken != "" || len(p.config.WebhookHeaders) > 0
}

package dialog360

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
)

// Check reads the number's health and its business portfolio. 360dialog reports
// neither quality nor limits, and cannot be asked about a message.
func (p *Provider) Check(ctx context.Context) (*providers.Health, error) {
	reply, err := p.client.Get(ctx, p.base+"/health_status", p.header)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Health *metaobject.Health `json:"health_status"`
	}
	if reply.Status != 200 {
		if a, ok := gateway(reply); ok {
			return nil, errors.New("360dialog: " + a.Title)
		}
		return nil, errors.New("360dialog: " + metaobject.Answer(reply, nil, string(p.config.APIKey)).Title)
	}
	if json.Unmarshal(reply.Body, &answer) != nil || answer.Health == nil {
		return nil, errors.New("360dialog answers in a form that is not documented")
	}
	return &providers.Health{Status: answer.Health.CanSend, Findings: answer.Health.Findings(), Portfolio: answer.Health.Portfolio()}, nil
}

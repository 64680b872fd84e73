package onemsg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/handbill/handbill/account"
)

// Account implements providers.TemplateReader. It returns the channel, since 1msg
// lists templates by channel.
func (p *Provider) Account() string { return p.config.ChannelID }

// Templates implements providers.TemplateReader. 1msg answers all templates of a
// channel at once, without ids.
// Source: 1msg, OpenAPI 2.39, templates, 2026-11-20.
func (p *Provider) Templates(ctx context.Context) ([]account.Template, error) {
	reply, err := p.client.Get(ctx, p.base+"/templates", p.header)
	if err != nil {
		return nil, err
	}
	if reply.Status != 200 {
		return nil, errors.New(p.answerText(reply))
	}
	list, err := decodeTemplates(reply.Body)
	if errors.Is(err, errNoTemplates) {
		err = errors.New(p.answerText(reply)) // a 200 that says why not
	}
	return list, err
}

var errNoTemplates = errors.New("the answer has no list of templates")

func decodeTemplates(body []byte) ([]account.Template, error) {
	var list struct {
		Templates *[]json.RawMessage `json:"templates"`
		Total     *int               `json:"total"`
	}
	if json.Unmarshal(body, &list) != nil || list.Templates == nil {
		return nil, errNoTemplates
	}
	var page []account.Template
	for _, raw := range *list.Templates {
		t, err := account.Decode(raw)
		if err != nil {
			return nil, err
		}
		page = append(page, t)
	}
	if list.Total != nil && *list.Total > len(page) {
		return nil, fmt.Errorf("1msg tells %d of the channel's %d templates", len(page), *list.Total)
	}
	return account.Join([][]account.Template{page})
}

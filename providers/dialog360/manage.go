package dialog360

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
	"github.com/handbill/handbill/providers/wire"
)

// Abilities implements providers.TemplateWriter.
// Source: docs.360dialog.com, messaging API, configs/templates, 2026-11-20.
func (p *Provider) Abilities() account.Abilities {
	return account.Abilities{
		Media:   "360dialog documents no upload of samples for a number's key: create templates with a file in their header in the 360dialog hub, and read them with a data block",
		Edit:    "360dialog documents no call that edits a template for a number's key: write the new words under a new name, such as name = \"…_v2\"",
		Delete:  "360dialog deletes a template in all its languages at once: keep it, or remove every translation",
		Archive: "360dialog documents no call that archives a template: keep it or delete it",
	}
}

// CreateTemplate implements providers.TemplateWriter.
func (p *Provider) CreateTemplate(ctx context.Context, s *account.Spec, handle string) providers.TemplateAnswer {
	body, err := s.Creation(handle)
	if err != nil {
		return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: err.Error()}
	}
	return p.changed(p.client.Post(ctx, p.base+"/v1/configs/templates", p.header, body))
}

// EditTemplate implements providers.TemplateWriter. 360dialog has no call for it.
func (p *Provider) EditTemplate(context.Context, string, *account.Spec, string, bool) providers.TemplateAnswer {
	return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: p.Abilities().Edit}
}

// DeleteTemplate implements providers.TemplateWriter. 360dialog deletes all
// languages of a template at once.
func (p *Provider) DeleteTemplate(ctx context.Context, name, id string) providers.TemplateAnswer {
	if id != "" {
		return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: p.Abilities().Delete}
	}
	return p.changed(p.client.Delete(ctx, p.base+"/v1/configs/templates/"+url.PathEscape(name), p.header))
}

// ArchiveTemplate implements providers.TemplateWriter. 360dialog has no call for it.
func (p *Provider) ArchiveTemplate(context.Context, string) providers.TemplateAnswer {
	return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: p.Abilities().Archive}
}

// UploadSample implements providers.TemplateWriter. 360dialog has no call for it.
func (p *Provider) UploadSample(context.Context, *account.File, []byte) (string, error) {
	return "", errors.New(p.Abilities().Media)
}

// changed reads an answer, which holds Meta's refusal as a string.
func (p *Provider) changed(reply wire.Reply, failed *message.Answer) providers.TemplateAnswer {
	if failed == nil {
		var outer struct {
			Meta struct {
				Developer string `json:"developer_message"`
			} `json:"meta"`
		}
		if json.Unmarshal(reply.Body, &outer) == nil && json.Valid([]byte(outer.Meta.Developer)) {
			reply.Body = []byte(outer.Meta.Developer)
		} else if a, ok := gateway(reply); ok {
			failed = &a
		}
	}
	a := metaobject.TemplateAnswer(reply, failed, string(p.config.APIKey))
	if a.Status == "SUBMITTED" {
		a.Status = "PENDING"
	}
	return a
}

package onemsg

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
	"github.com/handbill/handbill/providers/wire"
)

// Abilities implements providers.TemplateWriter.
// Source: 1msg, OpenAPI 2.39, addTemplate and removeTemplate, 2026-11-20.
func (p *Provider) Abilities() account.Abilities {
	return account.Abilities{
		Media:   "1msg documents no upload of samples for templates: create templates with a file in their header in 1msg's dashboard, and read them with a data block",
		Edit:    "1msg has no call that edits a template: write the new words under a new name, such as name = \"…_v2\"",
		Delete:  "1msg deletes a template in all its languages at once: keep it, or remove every translation",
		Archive: "1msg has no call that archives a template: keep it or delete it",
	}
}

// CreateTemplate implements providers.TemplateWriter.
func (p *Provider) CreateTemplate(ctx context.Context, s *account.Spec, handle string) providers.TemplateAnswer {
	body, err := s.Creation(handle)
	if err != nil {
		return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: err.Error()}
	}
	reply, failed := p.client.Post(ctx, p.base+"/addTemplate", p.header, body)
	a := p.changed(reply, failed)
	if a.Outcome == providers.TemplateDone && a.Status == "" {
		// What a success looks like is not documented, so the list decides.
		return providers.TemplateAnswer{Detail: "1msg's answer does not say whether the template was made"}
	}
	return a
}

// EditTemplate implements providers.TemplateWriter. 1msg has no call for it.
func (p *Provider) EditTemplate(context.Context, string, *account.Spec, string, bool) providers.TemplateAnswer {
	return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: p.Abilities().Edit}
}

// DeleteTemplate implements providers.TemplateWriter. 1msg deletes all languages of a
// template at once.
func (p *Provider) DeleteTemplate(ctx context.Context, name, id string) providers.TemplateAnswer {
	if id != "" {
		return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: p.Abilities().Delete}
	}
	body, err := json.Marshal(map[string]string{"name": name})
	if err != nil {
		return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: err.Error()}
	}
	reply, failed := p.client.Post(ctx, p.base+"/removeTemplate", p.header, body)
	return p.changed(reply, failed)
}

// ArchiveTemplate implements providers.TemplateWriter. 1msg has no call for it.
func (p *Provider) ArchiveTemplate(context.Context, string) providers.TemplateAnswer {
	return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: p.Abilities().Archive}
}

// UploadSample implements providers.TemplateWriter. 1msg has no call for it.
func (p *Provider) UploadSample(context.Context, *account.File, []byte) (string, error) {
	return "", errors.New(p.Abilities().Media)
}

// changed reads an answer. A refusal is usually a 200 whose error is a text, or Meta's
// error.
func (p *Provider) changed(reply wire.Reply, failed *message.Answer) providers.TemplateAnswer {
	var body struct {
		Error json.RawMessage `json:"error"`
	}
	text := ""
	if failed == nil && json.Unmarshal(reply.Body, &body) == nil && json.Unmarshal(body.Error, &text) == nil && text != "" {
		out := providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: "the provider says " + strconv.Quote(providers.Safe(text, nil, string(p.config.Token)))}
		switch {
		case reply.Status >= 500:
			out.Outcome = providers.TemplateUnknown
		case reply.Status == http.StatusTooManyRequests:
			out.Outcome, out.Wait = providers.TemplateBusy, wire.RetryAfter(reply.Header)
		}
		return out
	}
	if failed == nil && (reply.Status == http.StatusUnauthorized || reply.Status == http.StatusForbidden) {
		return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: p.answerText(reply)}
	}
	a := metaobject.TemplateAnswer(reply, failed, string(p.config.Token))
	a.ID = "" // it has none that other calls take
	if strings.EqualFold(a.Status, "submitted") {
		a.Status = "PENDING"
	}
	return a
}

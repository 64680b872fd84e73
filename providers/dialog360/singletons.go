package dialog360

import (
	"context"
	"errors"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
)

// SingletonKey implements providers.SingletonWriter. The key of a number names no
// number that 360dialog tells, so phone_number does.
func (p *Provider) SingletonKey(of *account.Singleton) (key, why string) {
	switch of.Kind {
	case "webhook":
		return "", "360dialog has a webhook of its own in place of Meta's: set it with POST /v1/configs/webhook or in the 360dialog hub, as docs/webhooks.md says, and take the block out"
	case "conversational_automation":
		return "", "360dialog documents no call for the conversational components of a number: set them in WhatsApp Manager, and take the block out"
	}
	if p.config.PhoneNumber == "" {
		return "", "which number the key belongs to is not known: declare phone_number in the provider block"
	}
	return p.config.PhoneNumber, ""
}

// Singleton implements providers.SingletonWriter. 360dialog passes these requests on to
// Meta. Source: docs.360dialog.com, messaging API, business profile, 2026-11-20.
func (p *Provider) Singleton(ctx context.Context, of *account.Singleton) (account.Values, error) {
	read := metaobject.SingletonRead(of)
	reply, err := p.client.Get(ctx, p.base+"/"+read.Edge+"?"+read.Query.Encode(), p.header)
	switch {
	case err != nil:
		return nil, err
	case reply.Status == 200:
		return metaobject.DecodeSingleton(of, reply.Body)
	}
	if a, ok := gateway(reply); ok {
		return nil, errors.New("360dialog: " + a.Title)
	}
	return nil, errors.New("360dialog: " + metaobject.Answer(reply, nil, string(p.config.APIKey)).Title)
}

// PutSingleton implements providers.SingletonWriter.
func (p *Provider) PutSingleton(ctx context.Context, of *account.Singleton, v account.Values, _ string) providers.TemplateAnswer {
	write, err := metaobject.SingletonWrite(of, v)
	if err != nil {
		return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: err.Error()}
	}
	to := p.base + "/" + write.Edge
	if len(write.Query) > 0 {
		to += "?" + write.Query.Encode()
	}
	return p.changed(p.client.Post(ctx, to, p.header, write.Body))
}

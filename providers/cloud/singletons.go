package cloud

import (
	"context"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/metaobject"
)

// SingletonKey implements providers.SingletonWriter.
func (p *Provider) SingletonKey(*account.Singleton) (key, why string) {
	return p.config.PhoneNumberID, ""
}

// Singleton implements providers.SingletonWriter.
func (p *Provider) Singleton(ctx context.Context, of *account.Singleton) (account.Values, error) {
	edge, query := metaobject.SingletonRead(of)
	body, err := p.get(ctx, p.config.PhoneNumberID+"/"+edge, query)
	if err != nil {
		return nil, err
	}
	return metaobject.DecodeSingleton(of, body)
}

// PutSingleton implements providers.SingletonWriter.
func (p *Provider) PutSingleton(ctx context.Context, of *account.Singleton, v account.Values) providers.TemplateAnswer {
	edge, body, err := metaobject.SingletonWrite(of, v)
	if err != nil {
		return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: err.Error()}
	}
	return p.change(ctx, p.config.PhoneNumberID+"/"+edge, body)
}

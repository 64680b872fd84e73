package sandbox

import (
	"context"
	"errors"

	"github.com/handbill/handbill/account"
	"github.com/handbill/handbill/providers"
)

// singletons returns the wire format's provider as a SingletonWriter. It is an error if
// numbers can't be looked after there.
func (p *Provider) singletons() (providers.SingletonWriter, error) {
	if p.config.URL == "" {
		return nil, errors.New("a network that is started for one run keeps nothing of a number: run \"handbill sandbox\" and give its url")
	}
	wire, err := p.connect()
	if err != nil {
		return nil, err
	}
	w, ok := wire.(providers.SingletonWriter)
	if !ok {
		return nil, errors.New("this wire format has no way to look after a number: take wire = \"cloud\"")
	}
	return w, nil
}

// SingletonKey implements providers.SingletonWriter.
func (p *Provider) SingletonKey(of *account.Singleton) (key, why string) {
	w, err := p.singletons()
	if err != nil {
		return "", err.Error()
	}
	return w.SingletonKey(of)
}

// Singleton implements providers.SingletonWriter.
func (p *Provider) Singleton(ctx context.Context, of *account.Singleton) (account.Values, error) {
	w, err := p.singletons()
	if err != nil {
		return nil, err
	}
	return w.Singleton(ctx, of)
}

// PutSingleton implements providers.SingletonWriter.
func (p *Provider) PutSingleton(ctx context.Context, of *account.Singleton, v account.Values, secret string) providers.TemplateAnswer {
	w, err := p.singletons()
	if err != nil {
		return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: err.Error()}
	}
	return w.PutSingleton(ctx, of, v, secret)
}

package sandbox

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
)

// Wire returns the provider of the wire format, for everything except sending: it
// has no network.
func (p *Provider) Wire() providers.Provider { return p.offline }

// Handshake answers as the wire format does.
func (p *Provider) Handshake(query url.Values) (string, bool) {
	if hook, ok := p.offline.(providers.Webhook); ok {
		return hook.Handshake(query)
	}
	return "", false
}

// Authenticate checks as the wire format does.
func (p *Provider) Authenticate(h http.Header, body []byte) (bool, error) {
	if hook, ok := p.offline.(providers.Webhook); ok {
		return hook.Authenticate(h, body)
	}
	return false, errNoWebhooks
}

// Decode reads the wire format's events.
func (p *Provider) Decode(body []byte) ([]message.Event, error) {
	if hook, ok := p.offline.(providers.Webhook); ok {
		return hook.Decode(body)
	}
	return nil, errNoWebhooks
}

var errNoWebhooks = errors.New("this wire format has no webhooks")

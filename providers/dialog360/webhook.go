package dialog360

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/metaobject"
)

// Handshake answers nothing: 360dialog does not verify the address.
func (p *Provider) Handshake(url.Values) (string, bool) { return "", false }

// Authenticate compares the headers that 360dialog was configured to send along.
// 360dialog signs nothing, so signed is always false.
func (p *Provider) Authenticate(h http.Header, _ []byte) (bool, error) {
	for name, value := range p.config.WebhookHeaders {
		got, want := sha256.Sum256([]byte(h.Get(name))), sha256.Sum256([]byte(value))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			return false, fmt.Errorf("the webhook's header %s is missing or differs from webhook_headers", http.CanonicalHeaderKey(name))
		}
	}
	return false, nil
}

// WebhookTokens returns the secrets of which the webhook's path must hold one.
func (p *Provider) WebhookTokens() []string { return p.config.WebhookToken.Split() }

// WebhookNumber returns how events name the number.
func (p *Provider) WebhookNumber() (id, phone string) {
	return "", p.config.PhoneNumber
}

// Decode reads Meta's envelope.
func (p *Provider) Decode(body []byte) ([]message.Event, error) {
	return metaobject.DecodeEnvelope(body)
}

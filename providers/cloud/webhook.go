package cloud

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/metaobject"
)

// maxChallenge bounds what the handshake echoes, in characters.
const maxChallenge = 256

// Handshake echoes hub.challenge if hub.verify_token is ours.
// Source: Meta, webhooks/create-webhook-endpoint, 2026-09-11.
func (p *Provider) Handshake(query url.Values) (string, bool) {
	want := sha256.Sum256([]byte(p.config.VerifyToken))
	got := sha256.Sum256([]byte(query.Get("hub.verify_token")))
	challenge := query.Get("hub.challenge")
	ok := subtle.ConstantTimeCompare(want[:], got[:]) == 1 && p.config.VerifyToken != "" &&
		query.Get("hub.mode") == "subscribe" && challenge != "" && len(challenge) <= maxChallenge &&
		!strings.ContainsFunc(challenge, notPlain)
	if !ok {
		return "", false
	}
	return challenge, true
}

func notPlain(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
}

// Authenticate checks Meta's signature of the unparsed body.
func (p *Provider) Authenticate(h http.Header, body []byte) (signed bool, err error) {
	secrets := p.config.AppSecret.Split()
	if len(secrets) == 0 {
		return false, errors.New("app_secret is not set, so no webhook can be checked")
	}
	if err := metaobject.CheckSignature(h, body, secrets); err != nil {
		return false, err
	}
	return true, nil
}

// WebhookNumber returns how events name the number.
func (p *Provider) WebhookNumber() (id, phone string) { return p.config.PhoneNumberID, "" }

// WebhookAccount returns how notices name the account.
func (p *Provider) WebhookAccount() string { return p.config.WABAID }

// Decode reads Meta's envelope.
func (p *Provider) Decode(body []byte) ([]message.Event, error) {
	return metaobject.DecodeEnvelope(body)
}

package kaleyra

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers/metaobject"
)

// Handshake answers nothing: Kaleyra does not verify the address.
func (p *Provider) Handshake(url.Values) (string, bool) { return "", false }

// Authenticate compares the callback profile's basic authentication, if one is
// configured. Kaleyra signs nothing, so signed is always false.
func (p *Provider) Authenticate(h http.Header, _ []byte) (bool, error) {
	if p.config.WebhookUser == "" {
		return false, nil
	}
	user, password, _ := (&http.Request{Header: h}).BasicAuth()
	got := sha256.Sum256([]byte(user + "\x00" + password))
	want := sha256.Sum256([]byte(p.config.WebhookUser + "\x00" + string(p.config.WebhookPassword)))
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		return false, errors.New("the callback's user or password differs from webhook_user and webhook_password")
	}
	return false, nil
}

// WebhookTokens returns the secrets of which the callback's path must hold one.
func (p *Provider) WebhookTokens() []string { return p.config.WebhookToken.Split() }

// WebhookNumber returns how events name the number.
func (p *Provider) WebhookNumber() (id, phone string) {
	return "", p.config.PhoneNumber
}

// Decode reads Kaleyra's callbacks. It also reads Meta's envelope, which Kaleyra's
// pages show as well.
func (p *Provider) Decode(body []byte) ([]message.Event, error) {
	var keys map[string]json.RawMessage
	if json.Unmarshal(body, &keys) != nil || keys == nil {
		return nil, errors.New("the body is not a JSON object")
	}
	if keys["entry"] != nil {
		return metaobject.DecodeEnvelope(body)
	}
	var c callback
	if err := json.Unmarshal(body, &c); err != nil {
		return []message.Event{metaobject.Other(body, "", "the callback is not of the documented form")}, nil
	}
	if events := c.events(body); len(events) > 0 {
		return events, nil
	}
	return []message.Event{metaobject.Other(body, "", "the callback has neither meta_object nor status")}, nil
}

package metaobject

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
)

// CheckSignature checks Meta's X-Hub-Signature-256 of the unparsed body against
// each of the secrets (the current and the previous one) in constant time.
// Source: Meta, webhooks/create-webhook-endpoint, 2026-09-11.
func CheckSignature(h http.Header, body []byte, secrets []string) error {
	text, ok := strings.CutPrefix(h.Get("X-Hub-Signature-256"), "sha256=")
	if !ok {
		return errors.New("the webhook carries no X-Hub-Signature-256")
	}
	got, err := hex.DecodeString(text)
	if err != nil || len(got) != sha256.Size {
		return errors.New("X-Hub-Signature-256 is not a signature")
	}
	match := false
	for _, s := range secrets {
		mac := hmac.New(sha256.New, []byte(s))
		mac.Write(body)
		match = hmac.Equal(mac.Sum(nil), got) || match
	}
	if !match {
		return errors.New("X-Hub-Signature-256 does not match the body; compare app_secret with the app's settings")
	}
	return nil
}

package providers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/handbill/handbill/message"
)

// maxID is how long a provider's message id may be, in bytes. WhatsApp's have
// some 60 (read 2026-11-27).
const maxID = 512

// ID returns a provider's message id as the state keeps it. An id longer than any
// provider issues is replaced by its digest, so that nobody can fill the state.
func ID(id string) string {
	if len(id) <= maxID {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "sha256:" + hex.EncodeToString(sum[:])
}

var (
	longNumber = regexp.MustCompile(`\+?[0-9][0-9 ().-]{4,}[0-9]`)
	quoted     = regexp.MustCompile(`"[^"]*"|«[^»]*»|“[^”]*”|'[^']{3,}'`)
	// wireWord matches values of the wire format that providers' error texts repeat.
	wireWord = regexp.MustCompile(`^(text|list|button|reply|header|body|footer|image|video|document|audio|sticker|interactive|template|individual|whatsapp|product|product_list|flow|url|payload|action)$`)
	address  = regexp.MustCompile(`[^\s@]+@[^\s@]+|https?://\S+`)
)

// Safe makes a provider's text fit for a report. It removes quoted text, numbers
// of six digits or more, addresses, any text of the request, the given secrets and
// terminal control characters, and keeps at most 160 characters.
func Safe(text string, request []byte, secrets ...string) string {
	for _, s := range append(secrets, texts(request)...) {
		if len(s) > 2 {
			text = strings.ReplaceAll(text, s, "…")
		}
	}
	text = quoted.ReplaceAllString(text, "…")
	text = address.ReplaceAllString(text, "…")
	text = longNumber.ReplaceAllString(text, "…")
	text = message.SafeText(strings.Join(strings.Fields(text), " "))
	if r := []rune(text); len(r) > 160 {
		text = string(r[:159]) + "…"
	}
	return text
}

// texts returns the strings of a request that a person may have written, longest
// first, so that removing a part of another string leaves no rest of it.
func texts(request []byte) []string {
	var v any
	if len(request) == 0 || json.Unmarshal(request, &v) != nil {
		return nil
	}
	out := leaves(v, nil)
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

func leaves(v any, out []string) []string {
	switch v := v.(type) {
	case string:
		if !wireWord.MatchString(v) {
			out = append(out, v)
		}
	case []any:
		for _, e := range v {
			out = leaves(e, out)
		}
	case map[string]any:
		for _, e := range v {
			out = leaves(e, out)
		}
	}
	return out
}

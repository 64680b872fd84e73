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

// ID is a provider's message id as it is kept: a longer one than any provider
// makes is kept by its digest, so that nobody can fill the state with it.
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
	// wireWord are values of the wire format that a provider's words are full of.
	wireWord = regexp.MustCompile(`^(text|list|button|reply|header|body|footer|image|video|document|audio|sticker|interactive|template|individual|whatsapp|product|product_list|flow|url|payload|action)$`)
	address  = regexp.MustCompile(`[^\s@]+@[^\s@]+|https?://\S+`)
)

// Safe is a provider's words fit for a report: without anything in quotes,
// numbers of six digits and more, addresses, any text that stands in the
// request, the secrets given, and whatever a terminal would obey; at most 160
// characters.
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

// texts are the strings of a request that a person may have written, longest
// first, so that one that is part of another leaves nothing of it behind.
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

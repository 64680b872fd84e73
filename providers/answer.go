package providers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
)

// RetryAfter reads the header of that name: seconds, or a date, which is
// measured against the answer's own Date, so that no clock is needed. It is 0
// where the provider does not say, and at most an hour: a number is not held for
// a day by one answer.
func RetryAfter(h http.Header) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	if n, err := strconv.ParseInt(v, 10, 32); err == nil || errors.Is(err, strconv.ErrRange) {
		return clampWait(time.Duration(n) * time.Second)
	}
	until, err1 := http.ParseTime(v)
	now, err2 := http.ParseTime(h.Get("Date"))
	if err1 != nil || err2 != nil {
		return 0
	}
	return clampWait(until.Sub(now))
}

func clampWait(d time.Duration) time.Duration { return max(0, min(d, time.Hour)) }

// ByStatus is what an answer means whose body holds no code that the provider
// knows. Only what HTTP itself says certainly is believed: 401 and 403 refuse
// the account, 404, 405, 410 and 415 a misconfigured address, 422 a request of
// the wrong form, 429 the pace. Everything else, 400 and 5xx included, is unknown.
// Source: the table of attempts in docs/delivery.md.
func ByStatus(r Reply) message.Answer {
	a := message.Answer{Code: strconv.Itoa(r.Status), Title: fmt.Sprintf("HTTP %d without a code that is known", r.Status)}
	switch r.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		a.Class = message.AccountFault
		a.Title = fmt.Sprintf("the provider refuses the account (HTTP %d)", r.Status)
		a.Advice = "check the credentials and whether the account is active"
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone,
		http.StatusUnsupportedMediaType:
		a.Class = message.AccountFault
		a.Title = fmt.Sprintf("the provider does not know this address (HTTP %d)", r.Status)
		a.Advice = "check base_url and the ids in the provider block"
	case http.StatusUnprocessableEntity:
		// Nothing was taken, and the next message has the same form.
		a.Class = message.AccountFault
		a.Title = "the provider can't process the request (HTTP 422)"
		a.Advice = "compare the message with the provider's documentation, and check the ids in the provider block"
	case http.StatusTooManyRequests:
		a.Class = message.Throttled
		a.Title = "too many requests (HTTP 429)"
		a.RetryAfter = RetryAfter(r.Header)
	}
	return a
}

// Contradiction is the answer to a reply that refuses a message and names its
// id at once: nobody knows which half is true, and it is never repeated.
func Contradiction(r Reply) message.Answer {
	return message.Answer{
		Class: message.Unknown, Code: strconv.Itoa(r.Status),
		Title:  fmt.Sprintf("HTTP %d with an error and a message id at once", r.Status),
		Advice: "look the message up at the provider, then settle it by hand",
	}
}

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

// NoID is the answer to a success that names no message: probably sent, and
// nothing to prove it by.
func NoID(r Reply) message.Answer {
	return message.Answer{
		Class: message.Unknown, Code: strconv.Itoa(r.Status),
		Title:  fmt.Sprintf("HTTP %d without a message id; probably sent", r.Status),
		Advice: "look the message up at the provider, then settle it by hand",
	}
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

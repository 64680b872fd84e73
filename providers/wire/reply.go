package wire

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
)

// MaxReply is how much of an answer is read, in bytes. No provider sends longer
// answers, so the meaning of one is unknown.
const MaxReply = 1 << 20

// Reply is a provider's whole answer.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// RetryAfter reads the header Retry-After: seconds, or a date, which is compared
// with the answer's own Date, so that no clock is needed. It is 0 if the header is
// missing, and at most an hour, so that one answer cannot stop a number for a day.
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

// ByStatus returns what an answer means if its body holds no known code. It relies
// only on what HTTP says for certain: 401 and 403 refuse the account; 404, 405, 410,
// 415 and redirects mean a misconfigured address; 422 a malformed request; 429 too
// fast a pace. Everything else, including 400 and 5xx, is unknown.
// Source: the table of attempts in docs/delivery.md.
func ByStatus(r Reply) message.Answer {
	a := message.Answer{Code: strconv.Itoa(r.Status), Title: fmt.Sprintf("HTTP %d without a code that is known", r.Status)}
	if r.Status >= 300 && r.Status < 400 {
		a.Class = message.AccountFault
		a.Title = fmt.Sprintf("the provider answers with a redirect (HTTP %d), which is not followed", r.Status)
		a.Advice = "compare base_url with the provider's documentation"
	}
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
		// The message was not accepted, and the next one would have the same form.
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

// Contradiction returns the answer for a reply that both refuses a message and
// names its id. It is unknown, since either part may be true, so the message is
// never repeated.
func Contradiction(r Reply) message.Answer {
	return message.Answer{
		Class: message.Unknown, Code: strconv.Itoa(r.Status),
		Title:  fmt.Sprintf("HTTP %d with an error and a message id at once", r.Status),
		Advice: "look the message up at the provider, then settle it by hand",
	}
}

// NoID returns the answer for a success without a message id: the message was
// probably sent, but nothing proves it.
func NoID(r Reply) message.Answer {
	return message.Answer{
		Class: message.Unknown, Code: strconv.Itoa(r.Status),
		Title:  fmt.Sprintf("HTTP %d without a message id; probably sent", r.Status),
		Advice: "look the message up at the provider, then settle it by hand",
	}
}

// Statuses lists the HTTP statuses that handbill explains to people, in ascending
// order; ByStatus gives their meaning.
func Statuses() []int {
	return []int{301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 408, 409, 410, 415, 422, 425, 429, 500, 501, 502, 503, 504}
}

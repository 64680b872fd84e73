package metaobject

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/wire"
)

// Error is the error object of Meta's answers and webhooks.
type Error struct {
	Code    int // -1 where there is none
	Message string
	Details string
}

// UnmarshalJSON accepts all forms of the object: codes as numbers or strings, the
// text as message or title, the details inside error_data or next to it.
func (e *Error) UnmarshalJSON(b []byte) error {
	var raw struct {
		Code      *flexInt `json:"code"`
		Message   string   `json:"message"`
		Title     string   `json:"title"`
		Details   string   `json:"details"`
		ErrorData struct {
			Details string `json:"details"`
		} `json:"error_data"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	code := flexInt(-1)
	if raw.Code != nil {
		code = *raw.Code
	}
	*e = Error{Code: int(code), Message: raw.Message, Details: raw.ErrorData.Details}
	if e.Details == "" {
		e.Details = raw.Details
	}
	if e.Message == "" {
		e.Message = raw.Title
	}
	return nil
}

// flexInt is a number or a number in quotes. Anything else becomes -1.
type flexInt int64

// UnmarshalJSON implements json.Unmarshaler; it refuses nothing.
func (n *flexInt) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseInt(strings.Trim(string(b), `"`), 10, 64)
	if err != nil {
		v = -1
	}
	*n = flexInt(v)
	return nil
}

// DecodeError reads {"error":{"code":…}}; ok is false where body is something
// else, such as a gateway's own error.
func DecodeError(body []byte) (e Error, ok bool) {
	var raw struct {
		Error *Error `json:"error"`
	}
	if json.Unmarshal(body, &raw) != nil || raw.Error == nil || raw.Error.Code < 0 {
		return Error{}, false
	}
	return *raw.Error, true
}

// Answer returns what a reply to a send means. The Answer holds no text of the
// request and none of the secrets.
func Answer(r wire.Reply, request []byte, secrets ...string) message.Answer {
	e, ok := DecodeError(r.Body)
	switch taken := r.Status >= 200 && r.Status < 300; {
	case names(r.Body) && (ok || !taken):
		return wire.Contradiction(r)
	case taken:
		return success(r)
	}
	if !ok {
		return wire.ByStatus(r)
	}
	a := ByCode(e, r.Status, request, secrets...)
	a.RetryAfter = wire.RetryAfter(r.Header)
	return a
}

// names reports whether a body names a message that was taken.
func names(body []byte) bool {
	var raw struct {
		Messages []struct {
			ID string `json:"id"`
		} `json:"messages"`
	}
	return json.Unmarshal(body, &raw) == nil && len(raw.Messages) > 0 && raw.Messages[0].ID != ""
}

func success(r wire.Reply) message.Answer {
	var body struct {
		Messages []struct {
			ID     string `json:"id"`
			Status string `json:"message_status"`
		} `json:"messages"`
	}
	if json.Unmarshal(r.Body, &body) != nil || len(body.Messages) == 0 || body.Messages[0].ID == "" {
		return wire.NoID(r)
	}
	a := message.Answer{Class: message.Accepted, ID: providers.ID(body.Messages[0].ID)}
	a.Recipient, a.UserID = recipient(r.Body)
	switch body.Messages[0].Status {
	case "held_for_quality_assessment":
		a.Title = "held by Meta until the template's quality is known"
	case "paused":
		a.Title = "held by Meta: the template is paused"
	}
	return a
}

// recipient returns whom the message went to, according to the answer: as one of
// our keys, and by user id; "" if the answer does not say. Its input repeats the
// recipient of the request.
func recipient(body []byte) (key, userID string) {
	var raw struct {
		Contacts []struct {
			Input  string `json:"input"`
			UserID string `json:"user_id"`
		} `json:"contacts"`
	}
	if json.Unmarshal(body, &raw) != nil || len(raw.Contacts) != 1 {
		return "", ""
	}
	userID = raw.Contacts[0].UserID
	digits := strings.TrimPrefix(raw.Contacts[0].Input, "+")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return "", userID
	}
	return "+" + digits, userID
}

// ByCode classifies one of Meta's errors. An unlisted code is a refusal if the
// HTTP status is 4xx, and unknown otherwise.
func ByCode(e Error, status int, request []byte, secrets ...string) message.Answer {
	a := message.Answer{Code: strconv.Itoa(e.Code)}
	details := providers.Safe(e.Details, request, secrets...)
	if c, ok := LookUp(e.Code); ok {
		a.Class, a.Title, a.Advice = c.Class, c.Title, c.Advice
		if details != "" && (c.Scope == "message" || c.Scope == "template") {
			a.Title += ": " + details
		}
		return a
	}
	a.Title = providers.Safe(e.Message, request, secrets...)
	if details != "" {
		a.Title += ": " + details
	}
	switch {
	case status == 429:
		a.Class = message.Throttled
	case status == 401 || status == 403:
		a.Class = message.AccountFault
		a.Advice = askMeta
	case status >= 400 && status < 500 && status != 408 && status != 409 && status != 425:
		a.Class = message.Refused
	}
	return a
}

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

// body is the body of a reply, taken apart once. What is not there is nil.
type body struct {
	Error    json.RawMessage `json:"error"`
	Messages json.RawMessage `json:"messages"`
	Contacts json.RawMessage `json:"contacts"`
}

// open takes a body apart; one that is no object has nothing.
func open(data []byte) (b body) {
	if json.Unmarshal(data, &b) != nil {
		return body{}
	}
	return b
}

// DecodeError reads {"error":{"code":…}}; ok is false where body is something
// else, such as a gateway's own error.
func DecodeError(data []byte) (e Error, ok bool) {
	b := open(data)
	return b.error()
}

func (b *body) error() (e Error, ok bool) {
	var raw *Error
	if b.Error == nil || json.Unmarshal(b.Error, &raw) != nil || raw == nil || raw.Code < 0 {
		return Error{}, false
	}
	return *raw, true
}

// Answer returns what a reply to a send means. The Answer holds no text of the
// request and none of the secrets.
func Answer(r wire.Reply, request []byte, secrets ...string) message.Answer {
	b := open(r.Body)
	e, ok := b.error()
	id, status := b.message()
	switch taken := r.Status >= 200 && r.Status < 300; {
	case id != "" && (ok || !taken):
		return wire.Contradiction(r)
	case taken:
		return b.success(r, id, status)
	}
	if !ok {
		return wire.ByStatus(r)
	}
	a := ByCode(e, r.Status, request, secrets...)
	a.RetryAfter = wire.RetryAfter(r.Header)
	return a
}

// message returns the id of the message that was taken, "" where the body names
// none, and what became of it at first.
func (b *body) message() (id string, status json.RawMessage) {
	var raw []struct {
		ID     string          `json:"id"`
		Status json.RawMessage `json:"message_status"`
	}
	if b.Messages == nil || json.Unmarshal(b.Messages, &raw) != nil || len(raw) == 0 {
		return "", nil
	}
	return raw[0].ID, raw[0].Status
}

func (b *body) success(r wire.Reply, id string, status json.RawMessage) message.Answer {
	word := ""
	if id == "" || status != nil && json.Unmarshal(status, &word) != nil {
		return wire.NoID(r)
	}
	a := message.Answer{Class: message.Accepted, ID: providers.ID(id)}
	a.Recipient, a.UserID = b.recipient()
	switch word {
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
func (b *body) recipient() (key, userID string) {
	var raw []struct {
		Input  string `json:"input"`
		UserID string `json:"user_id"`
	}
	if b.Contacts == nil || json.Unmarshal(b.Contacts, &raw) != nil || len(raw) != 1 {
		return "", ""
	}
	userID = raw[0].UserID
	digits := strings.TrimPrefix(raw[0].Input, "+")
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

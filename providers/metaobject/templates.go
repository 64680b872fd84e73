package metaobject

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
	"github.com/handbill/handbill/providers/wire"
)

// templateError is Meta's refusal of a template change. Its title and text are in
// the language of the account's user, so only its codes are interpreted.
type templateError struct {
	Code      flexInt `json:"code"`
	Subcode   flexInt `json:"error_subcode"`
	Message   string  `json:"message"`
	UserTitle string  `json:"error_user_title"`
	UserText  string  `json:"error_user_msg"`
}

// TemplateAnswer returns what a reply to a template change means. The result
// holds none of the secrets.
// Source: Meta, template-management, 2026-09-11; codes and subcodes as
// developers quote them, 2025 to 2026.
func TemplateAnswer(r wire.Reply, failed *message.Answer, secrets ...string) providers.TemplateAnswer {
	if failed != nil {
		return templateFailed(failed)
	}
	var body struct {
		Error   *templateError  `json:"error"`
		ID      json.RawMessage `json:"id"`
		Status  string          `json:"status"`
		Success *bool           `json:"success"`
	}
	readable := json.Unmarshal(r.Body, &body) == nil
	switch {
	case readable && body.Error != nil:
		return body.Error.answer(&r, secrets)
	case r.Status < 200 || r.Status > 299, !readable:
		return providers.TemplateAnswer{Detail: "the answer is not one that is documented (HTTP " + strconv.Itoa(r.Status) + ")"}
	case body.Success != nil && !*body.Success:
		return providers.TemplateAnswer{Outcome: providers.TemplateRefused, Detail: "the provider says that it did not succeed, and not why"}
	}
	return providers.TemplateAnswer{Outcome: providers.TemplateDone, ID: strings.Trim(string(body.ID), `"`), Status: strings.ToUpper(body.Status)}
}

func templateFailed(a *message.Answer) providers.TemplateAnswer {
	out := providers.TemplateAnswer{Detail: a.Title}
	switch a.Class {
	case message.NotSent:
		out.Outcome = providers.TemplateBusy
	case message.AccountFault:
		out.Outcome = providers.TemplateRefused
	}
	return out
}

// The subcodes that mean something other than a refusal.
const (
	subThere  = 2388024
	subLocked = 2388023
)

func (e *templateError) answer(r *wire.Reply, secrets []string) providers.TemplateAnswer {
	out := providers.TemplateAnswer{Outcome: providers.TemplateRefused, Code: strconv.Itoa(int(e.Code)), Detail: e.words(secrets)}
	if e.Subcode > 0 {
		out.Code += "/" + strconv.Itoa(int(e.Subcode))
	}
	switch {
	case e.Subcode == subThere:
		out.Outcome = providers.TemplateThere
	case e.Subcode == subLocked:
		out.Outcome = providers.TemplateLocked
	case e.Code == 4 || e.Code == 80007 || e.Code == 80008 || e.Code == 80014:
		out.Outcome, out.Wait = providers.TemplateBusy, regain(r.Header.Get("X-Business-Use-Case-Usage"))
	case e.Code == 1 || e.Code == 2 || r.Status >= 500:
		out.Outcome = providers.TemplateUnknown
	}
	return out
}

// words returns the provider's own text, in quotes.
func (e *templateError) words(secrets []string) string {
	text := e.UserText
	if text == "" {
		text = e.UserTitle
	}
	if text == "" {
		text = e.Message
	}
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	if len(text) > maxWords {
		text = strings.ToValidUTF8(text[:maxWords], "") + "…"
	}
	return fmt.Sprintf("the provider says %q", message.SafeText(text))
}

// maxWords bounds what is quoted of an answer, in bytes.
const maxWords = 400

var regained = regexp.MustCompile(`"estimated_time_to_regain_access"\s*:\s*([0-9]{1,5})`)

// regain returns how long Meta's header asks to wait; 0 if it does not say.
func regain(header string) time.Duration {
	longest := 0
	for _, m := range regained.FindAllStringSubmatch(header, -1) {
		minutes, _ := strconv.Atoi(m[1]) // only digits match
		longest = max(longest, minutes)
	}
	return time.Duration(longest) * time.Minute
}

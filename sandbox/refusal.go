package sandbox

import (
	"fmt"
	"net/http"
)

// refusal is why Meta refuses a request; each wire format has its own form of it.
type refusal struct {
	code    int    // Meta's code
	http    int    // zero: what metaCodes says
	details string // error_data.details
	param   string // with code 100: the text after "(#100)"
	word    string // a provider's own code instead of Meta's
	subcode int    // Meta's error_subcode, of refused changes of templates
	user    string // error_user_msg, with subcode
}

func (r *refusal) Error() string { return r.text() + ": " + r.details }

// text is Meta's error.message.
func (r *refusal) text() string {
	if r.param != "" {
		return fmt.Sprintf("(#%d) %s", r.code, r.param)
	}
	return fmt.Sprintf("(#%d) %s", r.code, r.title())
}

// title returns the code's message without the number.
func (r *refusal) title() string {
	if c, ok := metaCodes[r.code]; ok {
		return c.title
	}
	return "Something went wrong"
}

func (r *refusal) status() int {
	if r.http != 0 {
		return r.http
	}
	if c, ok := metaCodes[r.code]; ok {
		return c.http
	}
	return http.StatusBadRequest
}

type metaCode struct {
	http  int
	title string
}

// metaCodes are Meta's error codes with their HTTP status and title. Source:
// Meta, support/error-codes, read 2026-09-11; HTTP column of the copy of 2025-12.
var metaCodes = map[int]metaCode{
	0:      {401, "AuthException"},
	1:      {400, "API Unknown"},
	2:      {503, "API Service"},
	3:      {500, "API Method"},
	4:      {400, "Application request limit reached"},
	10:     {403, "Permission Denied"},
	33:     {400, "Parameter value is not valid"},
	100:    {400, "Invalid parameter"},
	190:    {401, "Access token has expired"},
	200:    {403, "API Permission"},
	368:    {403, "Temporarily blocked for policies violations"},
	80007:  {400, "Rate limit issues"},
	130429: {400, "Rate limit hit"},
	130472: {400, "User's number is part of an experiment"},
	130497: {403, "Business account is restricted from messaging users in this country"},
	131000: {500, "Something went wrong"},
	131005: {403, "Access denied"},
	131008: {400, "Required parameter is missing"},
	131009: {400, "Parameter value is not valid"},
	131016: {500, "Service unavailable"},
	131021: {400, "Recipient cannot be sender"},
	131026: {400, "Message undeliverable"},
	131030: {400, "Recipient phone number not in allowed list"},
	131031: {403, "Account has been locked"},
	131037: {400, "WhatsApp provided number needs display name approval before message can be sent"},
	131042: {400, "Business eligibility payment issue"},
	131045: {500, "Incorrect certificate"},
	131047: {400, "Re-engagement message"},
	131048: {400, "Spam rate limit hit"},
	131049: {400, "This message was not delivered to maintain healthy ecosystem engagement"},
	131050: {400, "User has stopped marketing messages from this business"},
	131051: {400, "Unsupported message type"},
	131052: {400, "Media download error"},
	131053: {400, "Media upload error"},
	131055: {400, "Method not allowed"},
	131056: {400, "(Business Account, Consumer Account) pair rate limit hit"},
	131057: {500, "Account in maintenance mode"},
	131062: {400, "Business-scoped user id is not supported for this message"},
	131063: {400, "Marketing templates are disabled on Cloud API"},
	131064: {400, "Template classification limit reached"},
	132000: {400, "Number of parameters does not match the expected number of params"},
	132001: {404, "Template name does not exist in the translation"},
	132005: {400, "Translated text too long"},
	132007: {400, "Template format character policy violated"},
	132012: {400, "Parameter format does not match format in the created template"},
	132015: {400, "Template is paused"},
	132016: {400, "Template is disabled"},
	132018: {400, "Template parameter is not valid"},
	132068: {400, "Flow is blocked"},
	132069: {400, "Flow is throttled"},
	133010: {400, "Phone number not registered"},
	134101: {400, "Template is syncing"},
	135000: {400, "Generic user error"},
}

func invalid(format string, args ...any) *refusal {
	return &refusal{code: 131009, details: fmt.Sprintf(format, args...)}
}

func required(path string) *refusal {
	return &refusal{code: 100, param: "The parameter " + path + " is required.", details: "missing " + path}
}

func unexpected(path, on string) *refusal {
	return &refusal{code: 100, param: fmt.Sprintf("Unexpected key %q on param %q.", path, on), details: "unexpected " + path}
}

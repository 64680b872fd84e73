package account

import "strings"

// State is what the status of a template means for a message.
type State uint8

// The states.
const (
	Unknown  State = iota // a word that this package does not know: nothing is sent
	Sendable              // approved
	Pending               // in review: it may become sendable by itself
	Paused                // for a time, or until somebody acts
	Unusable              // it will not become sendable by itself
)

// statuses are Meta's words. Only APPROVED can be sent.
// Source: Meta, template-management and the reference of the template API, read
// 2026-09-11; "submitted" is 360dialog's.
var statuses = map[string]struct {
	state State
	says  string // what it means and what to do, in a sentence
}{
	"APPROVED":         {Sendable, ""},
	"PENDING":          {Pending, "Meta reviews it, which takes up to 24 hours."},
	"SUBMITTED":        {Pending, "360dialog has handed it to Meta, who reviews it; that takes up to 24 hours."},
	"IN_APPEAL":        {Pending, "Its rejection is being looked at again."},
	"PAUSED":           {Paused, "Meta has paused it because people blocked or reported it: for 3 hours the first time, for 6 the second, and the third time it is disabled."},
	"REJECTED":         {Unusable, "Meta has rejected it. Edit it in WhatsApp Manager, or appeal there."},
	"DISABLED":         {Unusable, "Meta has disabled it. Make a new template, or appeal in WhatsApp Manager."},
	"ARCHIVED":         {Unusable, "It was archived, as Meta does after 12 months without use, and is deleted 28 days later. Unarchive it in WhatsApp Manager."},
	"PENDING_DELETION": {Unusable, "It is being deleted, and its name is blocked for 30 days. Use a template of another name."},
	"DELETED":          {Unusable, "It was deleted, and its name is blocked for 30 days. Use a template of another name."},
	"LIMIT_EXCEEDED":   {Unusable, "The account has as many templates as it may have. Delete or archive one in WhatsApp Manager."},
}

// State returns what the template's status means for a message.
func (t *Template) State() State { return statuses[t.Status].state }

// Says explains, in sentences, what the template's status means and what to do. The
// account's own words are quoted.
func (t *Template) Says() string {
	s, ok := statuses[t.Status]
	if !ok {
		return "This handbill does not know what that means, so that nothing is sent. Look at the template in WhatsApp Manager."
	}
	if t.Reason == "" {
		return s.says
	}
	return strings.TrimSpace(s.says + " The reason that Meta gives is \"" + t.Reason + "\"" + advice(t.Reason))
}

// reasons say what to do about Meta's reasons for a rejection. Source: Meta,
// message_template_status_update, read 2026-09-11.
var reasons = map[string]string{
	"ABUSIVE_CONTENT":        "take out what threatens or insults",
	"INVALID_FORMAT":         "mend its variables, samples or buttons",
	"PROMOTIONAL":            "make it a marketing template, or take out what advertises",
	"TAG_CONTENT_MISMATCH":   "make its text fit its category and language",
	"INCORRECT_CATEGORY":     "make a new template in the category that its text belongs to",
	"SCAM":                   "take out what looks like an attempt to deceive",
	"CATEGORY_NOT_AVAILABLE": "choose another category: the account may not use this one",
}

func advice(reason string) string {
	if what, ok := reasons[reason]; ok {
		return ": " + what + "."
	}
	return "."
}

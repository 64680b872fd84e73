package metaobject

import (
	"regexp"
	"strings"

	"github.com/handbill/handbill/message"
	"github.com/handbill/handbill/providers"
)

// The forms of what identifies a template. A notice with another form is kept as a
// notice of the account, and is joined to no template.
var (
	templateNameForm = regexp.MustCompile(`^[a-z0-9_]{1,512}$`)
	languageForm     = regexp.MustCompile(`^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,2}$`)
	templateIDForm   = regexp.MustCompile(`^[0-9]{1,32}$`)
	eventForm        = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,39}$`)
)

// templateNotice reads what an account's notice reports about a template; nil for
// nothing. The field's name does not decide, because Meta's own samples mix them up.
// Source: Meta, webhooks/reference, message_template_status_update (2026-04-13),
// message_template_quality_update, message_template_components_update and
// template_category_update (2026-09-11).
func templateNotice(v object) *message.TemplateNotice {
	n := &message.TemplateNotice{ID: v.text("message_template_id"), Name: v.text("message_template_name"), Language: v.text("message_template_language")}
	if n.ID != "" && !templateIDForm.MatchString(n.ID) || !templateNameForm.MatchString(n.Name) || !languageForm.MatchString(n.Language) {
		return nil
	}
	n.Status, n.Reason = templateStatus(v)
	n.Category = word(v.text("message_template_category"))
	n.Quality = upperWord(v.text("new_quality_score"))
	n.Content = v["message_template_element"] != nil
	// While a change is announced, new_category is the current category. So the keys
	// decide which of the two notices it is.
	if correct := word(v.text("correct_category")); correct != "" {
		n.Category, n.Announced = word(v.text("new_category")), correct
	} else if v["previous_category"] != nil {
		n.Category, n.Recategorized = word(v.text("new_category")), true
	}
	if n.Status+n.Category+n.Announced+n.Quality == "" && !n.Content {
		return nil
	}
	return n
}

// templateStatus returns the status that an event leads to; "" for one that changes
// none.
func templateStatus(v object) (status, reason string) {
	event := upperWord(v.text("event"))
	switch event {
	case "FLAGGED", "LOCKED": // it may be disabled soon; it must not be edited
		return "", ""
	case "REINSTATED":
		event = "APPROVED"
	}
	if reason = upperWord(v.text("reason")); event == "" || reason == "NONE" {
		reason = ""
	}
	return event, reason
}

// upperWord returns one of Meta's words in upper case; "" for anything else.
func upperWord(s string) string {
	if s = strings.ToUpper(providers.Safe(s, nil)); eventForm.MatchString(s) {
		return s
	}
	return ""
}
